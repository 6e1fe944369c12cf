"""What must hold of a merge queue, whatever happens: a function each, by its number.

`EVENTS` look at what is about to be recorded, `SWAPS` at a move of the target that we have just
made, `STATES` at what is after each step, and `ENDS` at what is left when nothing more happens.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import histories as h

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.change import BY_POLICY, Evidence, Landing
from fleet.core.gating import gates, rules
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Task
from fleet.core.proof import KINDS
from fleet.core.reducer import reduce, replay
from fleet.core.stacks import below
from fleet.core.status import Checking, Landed, Submitted
from fleet.core.trains import builds_on
from fleet.core.views import needs

if TYPE_CHECKING:
    from queue_sim import Queue


class Swap(NamedTuple):
    """The target went from `old`, where it really was, to `new`, for these changes."""

    old: Commit
    new: Commit
    tasks: tuple[TaskId, ...]


# About to be recorded -----------------------------------------------------------------------------


def blamed_on_what_landed(queue: "Queue", event: e.AnyEvent) -> None:
    """I6: what is thrown out fails, or conflicts, with landed commits and nothing else."""
    if not isinstance(event, e.GateRejected | e.ConflictFound):
        return
    world, sealed = queue.world, _sealed(queue, event.task)
    basis = event.cause.basis
    assert basis in world.values, f"I6: {event.task} was judged on what never landed"
    if isinstance(event, e.ConflictFound):
        assert not world.merges(basis, sealed), f"I6: {event.task} merges with what landed"
    else:
        assert world.red(world.edits(basis) | {sealed}), f"I6: {event.task} passes on what landed"
        for name in () if queue.flaked else event.cause.beside:
            without = world.edits(basis) - {_sealed(queue, name)} | {sealed}
            assert not world.red(without), f"I6: {event.task} fails without {name}, too"


def lands_once(queue: "Queue", event: e.AnyEvent) -> None:
    """I7: a change lands at most once."""
    if isinstance(event, e.ChangeLanded):
        landed = isinstance(queue.fleet.tasks[event.task].status, Landed)
        assert not landed, f"I7: {event.task} landed twice"


def judged_by_the_rules_in_force(queue: "Queue", event: e.AnyEvent) -> None:
    """I14: what lands has passed the checks that the target now asks for."""
    if isinstance(event, e.LandingBegan):
        task = queue.fleet.tasks[event.task]
        wanted = h.in_force(task, queue.given.target(h.REPO, "main"))
        assert event.evidence.rules == wanted, f"I14: {task.id} passed other checks"
        missing = _never_passed(queue, task, event.evidence)
        assert not missing, f"I14: {task.id} is to land, and never passed {missing}"


def no_evidence_is_old(queue: "Queue", event: e.AnyEvent) -> None:
    """I18: what lands was checked not longer ago than the policy takes for a proof."""
    if isinstance(event, e.LandingBegan) and event.evidence.results:
        checked = queue.fleet.repos[h.REPO].lines["main"].ages()[event.evidence.tree]
        lasts = timedelta(seconds=queue.given.target(h.REPO, "main").evidence_s)
        assert queue.now - checked < lasts, f"I18: {event.task} lands on what was checked long ago"


def nothing_vacuous_passes(queue: "Queue", event: e.AnyEvent) -> None:
    """I17: what ran no check counts as green for nobody but a person who saw that."""
    if isinstance(event, e.Approved) and event.by == BY_POLICY:
        checks = h.in_force(queue.fleet.tasks[event.task], queue.given.target(h.REPO, "main"))
        assert checks != rules(()), f"I17: {event.task} was approved without a check"
    if isinstance(event, e.GatePassed):
        assert all(result.green for result in event.evidence.results), "I17: red is no pass"
        missing = _never_passed(queue, queue.fleet.tasks[event.task], event.evidence)
        assert not missing, f"I17: {event.task} is said to have passed {missing}"


def nothing_lands_unapproved(queue: "Queue", event: e.AnyEvent) -> None:
    """I16: without the word of a person, or of the policy where it may, nothing lands.

    The policy may only where all is known, and nothing speaks against it.
    """
    if isinstance(event, e.LandingBegan):
        task = queue.fleet.tasks[event.task]
        by_person = (task.id, _sealed(queue, task.id)) in queue.approvals
        by_policy = task.spec.land == "auto" and bool(event.evidence.results)
        assert by_person or by_policy, f"I16: nobody let {task.id} land"
        assert by_person or _is_known(queue, task), f"I16: nobody knows what {task.id} does"
    if isinstance(event, e.ChangeLanded):
        intents = {(it.task, it.evidence.commit) for it in queue.recorded(e.LandingBegan)}
        was_there = _sealed(queue, event.task) in queue.world.edits(event.commit)
        by_us = (event.task, event.commit) in intents
        assert by_us or was_there, f"I16: {event.task} landed by itself"


def nobody_is_blamed_for_a_parent(queue: "Queue", event: e.AnyEvent) -> None:
    """I9: what builds on another change is not judged before that one has landed."""
    if isinstance(event, e.GateRejected | e.ConflictFound):
        waits = builds_on(queue.fleet, queue.fleet.tasks[event.task])
        assert not waits, f"I9: {event.task} is blamed, and {waits} have not landed"


def no_author_approves(queue: "Queue", event: e.AnyEvent) -> None:
    """I4: nobody approves what is their own."""
    if isinstance(event, e.Approved):
        task = queue.fleet.tasks[event.task]
        assert event.by not in {task.id, task.spec.agent}, f"I4: {event.by} approved themselves"


def _is_known(queue: "Queue", task: Task) -> bool:
    """Whether all is known of a change that landing by itself takes, and nothing speaks against."""
    change, policy = queue.change(task.id), queue.given.target(h.REPO, "main")
    measured = change.assessment is not None and not change.assessment.unknown
    tried = {proof.kind for proof in change.proofs if proof.state in {"proven", "nothing-to-prove"}}
    needless = not any(path.startswith("tests/") for path in change.files) or not policy.proofs
    return measured and (needless or tried == {*KINDS})


# The target was just moved ------------------------------------------------------------------------


def what_lands_has_passed(queue: "Queue", swap: Swap) -> None:
    """I1: the tree that we give the target has passed, or a person let it land unchecked."""
    tree = queue.world.tree(swap.new)
    for task in (queue.fleet.tasks[name] for name in swap.tasks):
        proof = intent(task)
        assert proof.tree == tree, f"I1: what {task.id} passed on is not what lands"
        # What the rules asked for when it began to land was looked at then.
        unchecked = proof.rules == rules(()) and not proof.results
        passed = any(passed == tree for passed, _ in queue.world.passed)
        assert passed or unchecked, f"I1: {swap.new[:8]} never passed"


def what_lands_is_what_was_merged(queue: "Queue", swap: Swap) -> None:
    """I2: what lands is an object that was made to be tested, and nothing made at landing."""
    trains = [event.train for event in queue.recorded(e.TrainMerged)]
    made = {commit for train in trains for commit in train.commits}
    assert swap.new in made, f"I2: {swap.new[:8]} was never up to be tested"


def nobody_loses_work(queue: "Queue", swap: Swap) -> None:
    """I3: we only ever move the target forward from where it is."""
    assert swap.old in queue.world.behind(swap.new), "I3: what was there would be lost"


def what_lands_was_approved(queue: "Queue", swap: Swap) -> None:
    """I4: the revision that lands is the one that was approved."""
    new = queue.world.edits(swap.new) - queue.world.edits(swap.old)
    for task in swap.tasks:
        approval = queue.change(task).approval
        assert approval is not None, f"I4: nobody approved {task}"
        assert approval.sealed in new, f"I4: another revision of {task} was approved"


def nothing_else_lands(queue: "Queue", swap: Swap) -> None:
    """I5: what lands is what was sealed, and nothing beside it."""
    new = queue.world.edits(swap.new) - queue.world.edits(swap.old)
    wanted = {_sealed(queue, task) for task in swap.tasks}
    assert new == wanted, f"I5: {len(new)} edits land, for {len(wanted)} changes"


def the_intent_is_on_record(queue: "Queue", swap: Swap) -> None:
    """I13: each move is on record before it is made, for each change that it brings."""
    proofs = [intent(queue.fleet.tasks[name]) for name in swap.tasks]
    ends = [(proofs[0].basis, proofs[-1].commit), (swap.old, swap.new)]
    assert ends[0] == ends[1], "I13: the target moves, and no intent says so"
    assert all(one.commit == two.basis for one, two in pairwise(proofs)), "I13: a gap between two"


def what_is_below_lands_first(queue: "Queue", swap: Swap) -> None:
    """I9: a change lands behind all that is below it in its stack, as that was when approved."""
    gone = {(it.task, it.revision) for it in queue.recorded(e.ChangeLanded)}
    for name in swap.tasks:
        change = queue.change(name)
        under = [*below(queue.fleet, queue.fleet.tasks[name])]
        under += [it for approval in change.approvals for it in approval.parents]
        for it in under:
            assert (it.task, it.revision) in gone, f"I9: {name} lands before {it.task}"
        gone.add((name, change.revision))


# After each step ----------------------------------------------------------------------------------


def no_dirty_checkout_is_touched(queue: "Queue") -> None:
    """I8: while a person's files would be overwritten, the target stays where it is."""
    assert not queue.world.overwritten, "I8: edits of a person were overwritten"


def parents_land_first(queue: "Queue") -> None:
    """I9: what builds on another change lands after it, and is not blamed for its absence."""
    landed = [event.task for event in queue.recorded(e.ChangeLanded)]
    for place, name in enumerate(landed):
        for parent in queue.fleet.tasks[name].spec.after:
            assert parent in landed[:place], f"I9: {name} landed before {parent}"


def no_approval_outlives_what_is_below(queue: "Queue") -> None:
    """I18: what people approved upon one revision counts for nothing upon another."""
    for task in queue.fleet.tasks.values():
        if task.change is None or task.landing or not isinstance(task.status, Submitted | Checking):
            continue
        now = below(queue.fleet, task)
        for approval in task.change.approvals:
            same = approval.by == BY_POLICY or approval.parents == now
            assert same, f"I18: {task.id} was approved upon something else"


def few_checks_run(queue: "Queue") -> None:
    """I11: no more checks run at a time than there is room for; what is told to stop makes room."""
    gates = [work for work in queue.lanes.values() if isinstance(work.effect, f.Gate)]
    running = [work for work in gates if not work.stopped]
    assert len(running) <= queue.workers, f"I11: {len(running)} checks at a time"


def the_same_state_asks_for_the_same(queue: "Queue") -> None:
    """I12: what is planned follows from the state alone."""
    one, two = ({effect.work for effect in it.effects} for it in (queue.plan(), queue.planned))
    assert one == two, "I12: another plan for the same state"


def planning_comes_to_rest(queue: "Queue") -> None:
    """I15: a plan that is carried out comes to rest, and facts told twice change nothing."""
    assert not queue.planned.facts, "I15: facts are left"
    assert replay(queue.entries) == queue.fleet, "I15: the record tells another story"
    twice = queue.fleet
    for entry in queue.entries[-3:]:
        if not isinstance(entry.event, e.TaskAdded):
            twice = reduce(twice, entry)
    assert _landed(twice.tasks.values()) == _landed(queue.fleet.tasks.values()), "I15: told twice"


# When nothing more happens ------------------------------------------------------------------------


def everything_comes_to_an_end(queue: "Queue") -> None:
    """I10: when flakes and edits end, each change lands, is thrown out, or waits for a person."""
    policy = queue.given.target(h.REPO, "main")
    stuck = [
        task.id
        for task in queue.fleet.tasks.values()
        if isinstance(task.status, Submitted)
        and needs(queue.fleet, task, policy) is None
        and not builds_on(queue.fleet, task)  # what that waits for is judged here itself
    ]
    assert not stuck, f"I10: {stuck} wait for nothing"


def history_agrees(queue: "Queue") -> None:
    """I7, I13: the target tells of each change at most once, and tells what is on record."""
    told = queue.world.told()
    assert len(told) == len(set(told)), f"I7: landed more than once: {told}"
    landed = queue.recorded(e.ChangeLanded)
    sealed = {(event.task, _sealed(queue, event.task)) for event in landed}
    assert sealed.issuperset(told), "I13: the target tells of a landing that is not on record"
    ours = {it.evidence.commit for it in queue.recorded(e.LandingBegan)}
    for event in landed:
        if event.commit in ours and not queue.world.taken_back:
            marked = queue.world.marked(event.task, event.revision, event.commit)
            assert marked, f"I13: no reference says that {event.task} has landed"


def nothing_is_lost(queue: "Queue") -> None:
    """I3: what landed is on the target, unless a person took it away."""
    if queue.world.taken_back:
        return
    for event in queue.recorded(e.ChangeLanded):
        assert event.commit in queue.world.behind(queue.world.tip), (
            f"I3: {event.task} landed and is gone"
        )


Event = Callable[["Queue", e.AnyEvent], None]
State = Callable[["Queue"], None]
EVENTS: tuple[Event, ...] = (
    blamed_on_what_landed,
    lands_once,
    judged_by_the_rules_in_force,
    no_evidence_is_old,
    nothing_vacuous_passes,
    nothing_lands_unapproved,
    nobody_is_blamed_for_a_parent,
    no_author_approves,
)
SWAPS: tuple[Callable[["Queue", Swap], None], ...] = (
    what_lands_has_passed,
    what_lands_is_what_was_merged,
    nobody_loses_work,
    what_lands_was_approved,
    nothing_else_lands,
    the_intent_is_on_record,
    what_is_below_lands_first,
)
STATES: tuple[State, ...] = (
    no_dirty_checkout_is_touched,
    parents_land_first,
    no_approval_outlives_what_is_below,
    few_checks_run,
    the_same_state_asks_for_the_same,
    planning_comes_to_rest,
)
ENDS: tuple[State, ...] = (everything_comes_to_an_end, nothing_is_lost, history_agrees)


def _sealed(queue: "Queue", name: TaskId) -> Commit:
    return queue.change(name).sealed


def _never_passed(queue: "Queue", task: Task, proof: Evidence) -> list[str]:
    """Return the checks in force that were never green on the tree of a proof."""
    wanted = gates(task.spec, queue.given.target(h.REPO, "main"))
    return [it.name for it in wanted if (proof.tree, it.run) not in queue.world.passed]


def intent(task: Task) -> Evidence:
    """Return the intent that is on record for a change."""
    assert task.change is not None
    assert isinstance(task.change.state, Landing)
    return task.change.state.evidence


def _landed(tasks: Iterable[Task]) -> set[TaskId]:
    return {task.id for task in tasks if isinstance(task.status, Landed)}
