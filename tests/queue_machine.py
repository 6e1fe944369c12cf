"""Everything that people, agents and accidents may do to a merge queue, in any order.

Some rules are made of several steps: bugs that need two changes in the queue, or one check that
ends before another, are found by single steps only after thousands of examples.
"""

import histories as h
import queue_invariants as inv
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace
from queue_sim import POLICIES, Queue

from fleet.core import commands as c
from fleet.core.ids import TaskId
from fleet.core.policy import Land, Priority

BRANCHES = ("b0", "b1", "b2", "b3", "b4")
STACKED = ("s0", "s1", "s2")
branches = st.sampled_from(BRANCHES)
stacked = st.sampled_from(STACKED)
lands = st.sampled_from(("auto", "auto", "review"))
which = st.integers(0, 7)
policies = st.integers(0, len(POLICIES) - 1)


def settings_for(steps: int, examples: int, *, known: bool = False) -> settings:
    """Return how much is tried; of what is `known` to be wrong always the same, and unshrunk."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,  # whoever meets a failure meets it again
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate] if known else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


class QueueMachine(RuleBasedStateMachine):
    """A supervisor, and all that happens around it."""

    @initialize(workers=st.sampled_from((1, 2, 4)))
    def begin(self, workers: int) -> None:
        self.queue = Queue(workers=workers)

    # What agents and people do to branches --------------------------------------------------------

    @rule(branch=branches)
    def agent_commits(self, branch: str) -> None:
        self.queue.world.commit(branch)

    @rule(branch=branches, land=lands)
    def submit(self, branch: str, land: Land) -> None:
        """A branch is put into the queue, or its next revision."""
        self._submit(branch, land)

    @rule(first=branches, second=branches, land=lands, bad=st.booleans())
    def two_are_submitted(self, first: str, second: str, *, land: Land, bad: bool) -> None:
        """Two revisions at once, of which the first one may be bad."""
        for branch in (first, second):
            self.queue.world.commit(branch)
        if bad:
            self.queue.world.breaks.add(frozenset({self.queue.world.branches[first]}))
        for branch in (first, second):
            self._submit(branch, land)

    @rule(first=branches, second=branches, land=lands)
    def two_that_do_not_merge(self, first: str, second: str, land: Land) -> None:
        if first != second:
            self.queue.world.clash(first, second)
            self._submit(first, land)
            self._submit(second, land)

    @rule(first=branches, second=branches, land=lands)
    def two_that_fail_together(self, first: str, second: str, land: Land) -> None:
        one, two = (self.queue.world.commit(branch) for branch in (first, second))
        if first != second:
            self.queue.world.breaks.add(frozenset({one, two}))
        self._submit(first, land)
        self._submit(second, land)

    @rule(parent=branches, child=branches, land=lands)
    def one_builds_on_another(self, parent: str, child: str, land: Land) -> None:
        """A stack of two: the second one is cut from the first, and makes no sense without it."""
        if parent == child or parent not in self.queue.fleet.tasks:
            return
        name = TaskId(f"{child}-on-{parent}")
        if name in self.queue.fleet.tasks:
            return
        self.queue.world.commit(f"fleet/{name}")
        spec = h.spec(agent=None, land=land, after=(TaskId(parent),))
        self.queue.record(h.added(name, spec))

    @rule(parent=st.sampled_from((*BRANCHES, *STACKED)), child=stacked, land=lands)
    def one_stands_on_another(self, parent: str, child: str, land: Land) -> None:
        """A change on another that is under review; or on its newest revision, if it is there."""
        below, name = self.queue.fleet.tasks.get(TaskId(parent)), TaskId(child)
        if below is None or below.change is None:
            return
        known = self.queue.fleet.tasks.get(name)
        if known is not None and parent not in known.spec.after:
            return
        self.queue.world.stand(child, on=below.change.sealed)
        self._submit(child, land, after=parent)

    @rule(child=stacked, land=lands)
    def what_is_below_changes(self, child: str, land: Land) -> None:
        """Both are approved, and the lower one has a new revision just before they land."""
        task = self.queue.fleet.tasks.get(TaskId(child))
        if task is None or not task.spec.after:
            return
        parent = task.spec.after[0]
        self.queue.submit(c.Approve(task=child))
        self.queue.world.commit(parent)
        self._submit(parent, land)
        self.work(steps=2, longest=True)
        self.queue.submit(c.Approve(task=parent))
        self.work(steps=8, longest=True)

    @rule(parent=branches, child=stacked, number=st.sampled_from((0, 3, 4)), changes=st.booleans())
    def a_stack_lands(self, parent: str, child: str, number: int, *, changes: bool) -> None:
        """By merge, squash or rebase; perhaps with another revision below than it was made on."""
        self.somebody_edits_the_rules(number)
        self.queue.world.commit(parent)
        self._submit(parent, "review")
        self.work(steps=12, longest=True)
        self.one_stands_on_another(parent, child, "review")
        self.work(steps=12, longest=True)
        if changes:
            self.queue.world.commit(parent)
            self._submit(parent, "review")
            self.work(steps=12, longest=True)
        self.approve_all()
        self.work(steps=12, longest=True)

    @rule(child=stacked)
    def one_goes_on_alone(self, child: str) -> None:
        self.queue.submit(c.Edit(task=child, alone=True))

    @rule(branch=branches, priority=st.sampled_from(("urgent", "normal", "low")))
    def somebody_is_in_a_hurry(self, branch: str, priority: Priority) -> None:
        self.queue.submit(c.Edit(task=branch, priority=priority))

    @rule(branch=branches, land=lands)
    def an_agent_goes_on(self, branch: str, land: Land) -> None:
        """An agent commits after its work was sealed, and before that lands."""
        self.clear_the_way()
        self.queue.world.commit(branch)
        self._submit(branch, land)
        self.work(steps=1, longest=False)
        self.queue.world.commit(branch)
        self.queue.submit(c.Approve(task=branch))
        self.work(steps=8, longest=True)

    @rule(branch=branches)
    def breaks_alone(self, branch: str) -> None:
        if branch in self.queue.world.branches:
            self.queue.world.breaks.add(frozenset({self.queue.world.commit(branch)}))

    @rule(branch=branches, land=lands)
    def nothing_is_left_to_check(self, branch: str, land: Land) -> None:
        """A change with which checks end well, and have run nothing."""
        self.queue.world.empties.add(self.queue.world.commit(branch))
        self._submit(branch, land)

    # What it takes several of the steps above to come to ------------------------------------------

    @rule(parent=branches, child=branches, land=lands, bad=st.booleans())
    def a_stack_is_submitted(self, parent: str, child: str, *, land: Land, bad: bool) -> None:
        self.queue.world.commit(parent)
        if bad:
            self.queue.world.breaks.add(frozenset({self.queue.world.branches[parent]}))
        self._submit(parent, land)
        self.one_builds_on_another(parent, child, "auto")
        self.work(steps=4, longest=False)

    @rule(first=branches, parent=branches, child=branches)
    def a_stack_clashes_with_what_is_in_front(self, first: str, parent: str, child: str) -> None:
        self.clear_the_way()
        self.two_that_do_not_merge(first, parent, "auto")
        self.one_builds_on_another(parent, child, "auto")
        self.work(steps=8, longest=True)

    @rule(branch=branches, before=policies, after=policies)
    def the_rules_change_meanwhile(self, branch: str, before: int, after: int) -> None:
        self.somebody_edits_the_rules(before)
        self.queue.world.commit(branch)
        self._submit(branch, "auto")
        self.work(steps=3, longest=True)
        self.somebody_edits_the_rules(after)
        self.work(steps=8, longest=True)

    @rule(branch=branches, moved=st.booleans())
    def it_dies_while_landing(self, branch: str, *, moved: bool) -> None:
        self.clear_the_way()
        self.queue.world.commit(branch)
        self._submit(branch, "auto")
        for _ in range(16):
            if self.queue.is_landing() or not self.queue.lanes:
                break
            self.queue.finish(self.queue.oldest())
        self.queue.crash_landing(moved=moved)
        self.work(steps=4, longest=True)

    @rule(first=branches, second=branches)
    def they_land_under_edits(self, first: str, second: str) -> None:
        """What lands touches, or does not touch, what a person has edited in a checkout."""
        self.clear_the_way()
        self.queue.world.person_edits(dirty=True)
        self.queue.world.clash(first, second)
        self._submit(first, "auto")
        self.queue.world.commit(second)
        self._submit(second, "auto")
        self.work(steps=8, longest=True)

    # What people say ------------------------------------------------------------------------------

    @rule(branch=branches, actor=st.sampled_from(("person", "ann")))
    def approve(self, branch: str, actor: str) -> None:
        self.queue.submit(c.Approve(task=branch), actor)

    @rule(branch=branches)
    def an_author_approves(self, branch: str) -> None:
        self.queue.submit(c.Approve(task=branch, by=branch))

    @rule(branch=branches, newest=st.booleans())
    def approve_what_was_read(self, branch: str, *, newest: bool) -> None:
        """Somebody approves a commit that he read before, or a new one comes just after."""
        head = self.queue.world.branches.get(branch)
        if head is None:
            return
        if not newest:
            self.queue.world.commit(branch)
        self.queue.submit(c.Approve(task=branch, head=head))

    @rule()
    def approve_all(self) -> None:
        for task in tuple(self.queue.fleet.tasks):
            self.queue.submit(c.Approve(task=task))

    @rule(branch=branches)
    def send_back(self, branch: str) -> None:
        self.queue.submit(c.Return(task=branch, note="not yet"))

    @rule(branch=branches)
    def withdraw(self, branch: str) -> None:
        self.queue.submit(c.Withdraw(task=branch))

    @rule(number=policies)
    def somebody_edits_the_rules(self, number: int) -> None:
        self.queue.govern(POLICIES[number])
        self.queue.reconcile()

    # What happens to the target -------------------------------------------------------------------

    @rule(look=st.booleans())
    def a_person_commits(self, *, look: bool) -> None:
        """The target moves without us, perhaps between our reading it and our moving it."""
        self.queue.world.person_commits()
        if look:
            self.queue.look()

    @rule()
    def a_person_takes_back(self) -> None:
        self.queue.world.person_takes_back()

    @rule()
    def look(self) -> None:
        self.queue.look()

    @rule()
    def thaw(self) -> None:
        self.queue.look()
        self.queue.submit(c.Thaw(cwd="/srv/shop"))

    @rule()
    def clear_the_way(self) -> None:
        """Whatever kept the queue from going on is over."""
        self.a_person_edits_files(dirty=False)
        self.somebody_edits_the_rules(0)
        self.thaw()

    @rule(dirty=st.booleans())
    def a_person_edits_files(self, *, dirty: bool) -> None:
        self.queue.world.person_edits(dirty=dirty)
        if not dirty:
            self.queue.unblock()

    # What the supervisor does ---------------------------------------------------------------------

    @rule(number=which)
    def something_ends(self, number: int) -> None:
        if lanes := sorted(self.queue.lanes):
            self.queue.finish(lanes[number % len(lanes)])

    @rule(number=which)
    def something_ends_after_a_flake(self, number: int) -> None:
        self.queue.flakes = 1
        self.something_ends(number)

    @rule(steps=st.integers(1, 12), longest=st.booleans())
    def work(self, steps: int, *, longest: bool) -> None:
        """Let what is under way end, the newest or the oldest first, and what follows from it."""
        for _ in range(steps):
            if not self.queue.lanes:
                return
            self.queue.finish(self.queue.oldest() if longest else self.queue.newest())

    @rule(moved=st.booleans())
    def crash(self, *, moved: bool) -> None:
        """The supervisor dies; where it was landing, before or after the target has moved."""
        self.queue.crash_landing(moved=moved)

    # What holds -----------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "queue"):
            for state in inv.STATES:
                state(self.queue)

    def teardown(self) -> None:
        if hasattr(self, "queue"):
            self.queue.drain()
            for end in inv.ENDS:
                end(self.queue)

    def _submit(self, branch: str, land: Land, *, after: str | None = None) -> None:
        if branch not in self.queue.world.branches:
            self.queue.world.commit(branch)
        asked = c.Submit(cwd="/srv/shop", branch=branch, environment={}, name=branch, land=land)
        if after is not None:
            asked = replace(asked, after=(after,), stacked=True)
        self.queue.submit(asked)


class EvidenceMachine(QueueMachine):
    """What may happen to evidence beside: it is refuted, cannot be had, or grows old."""

    @rule(branch=branches, land=lands, doubtful=st.booleans())
    def code_and_tests_are_submitted(self, branch: str, land: Land, *, doubtful: bool) -> None:
        """Their proofs are to be tried; where it is doubtful, that refutes them."""
        sealed = self.queue.world.commit(branch)
        self.queue.world.tested.add(sealed)
        if doubtful:
            self.queue.world.doubtful.add(sealed)
        self._submit(branch, land)

    @rule()
    def a_month_passes(self) -> None:
        self.queue.pass_days(31)

    @rule(branch=branches)
    def somebody_approves_after_a_month(self, branch: str) -> None:
        """What was checked and then lay about lands on no evidence of then."""
        self.queue.world.commit(branch)
        self._submit(branch, "review")
        self.work(steps=8, longest=True)
        self.queue.pass_days(31)
        self.queue.submit(c.Approve(task=branch))
        self.work(steps=8, longest=True)
