"""Merge queues that are wrong, each as a real one has been: the machine has to notice all of them.

Each puts something wrong in the place of a real function, for as long as it lasts.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace as replace_mark
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from fleet.core import approving, going_on, plan, trains, voiding
from fleet.core import events as e
from fleet.core.causes import CheckResult, GateRed
from fleet.core.change import Member, Ready
from fleet.core.decide import approval
from fleet.core.gating import gates_of
from fleet.core.line import Car
from fleet.core.merge_queue import merge_queues
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances, Plan
from fleet.core.reducer import table
from fleet.core.status import Failed, Held, Rejected, Withdrawn
from fleet.core.trains import Entry, Place, Trial, candidates, couple, room, walk
from fleet.supervisor.perform import landing as perform_landing
from fleet.supervisor.perform import moves, queue
from fleet.tools.git import landing, run
from fleet.tools.git.building import Built, build, commit_tree
from fleet.tools.git.intent import Intent, NotLanded, mark_landed
from fleet.tools.git.intent import Landed as Moved
from fleet.tools.git.merging import Conflicted
from fleet.tools.git.repository import branch_tip
from fleet.tools.git.run import git

Wrong = AbstractContextManager[Any]


@contextmanager
def stale_approval() -> Iterator[None]:
    """What was approved once stays approved, and is said of whatever is sealed after it."""

    def keeping(kind: type[e.Event]) -> Any:
        real = table.TASK[kind]

        def fold(task: Task, event: Any, at: datetime) -> Task:
            after = real(task, event, at)
            old = task.change.approval if task.change else None
            if after.change is None or old is None:
                return after
            kept = replace(old, sealed=after.change.sealed)
            return replace(after, change=replace(after.change, approval=kept))

        return patch.dict(table.TASK, {kind: fold})

    with keeping(e.Sealed), keeping(e.Resubmitted):
        yield


def _instead(front: Any) -> Any:
    """Let `front` decide what becomes of those in front, and the real one where it does not."""
    real = going_on._front

    def decide(place: Place, entries: Sequence[Entry], draft: Any) -> None:
        if (fact := front(place, entries)) is not None:
            draft.facts.append(fact)
        else:
            real(place, entries, draft)

    return patch.object(going_on, "_front", decide)


def _evicted(place: Place, car: Car, trial: Trial) -> e.AnyEvent:
    cause = GateRed(results=trial.results, basis=place.tip)
    return e.GateRejected(task=car.task, revision=car.revision, cause=cause)


@contextmanager
def blame_while_speculating() -> Iterator[None]:
    """What fails behind others that have not landed is thrown out there and then."""

    def front(place: Place, entries: Sequence[Entry]) -> e.AnyEvent | None:
        cars = candidates(place, entries, frozenset(), room(place, len(entries)))
        chain = couple(place, cars)
        found = walk(place, chain, [False] * len(chain.cars), len(entries), ())
        if not found.red:
            return None
        trial = chain.trial(place, found.red + 1)
        return _evicted(place, chain.cars[found.red], trial)

    with _instead(front):
        yield


@contextmanager
def evicted_on_a_doomed_basis() -> Iterator[None]:
    """What failed behind a change that was thrown out since is not tried without that one."""

    def front(place: Place, entries: Sequence[Entry]) -> e.AnyEvent | None:
        for car in (entry.car for entry in entries[:1]):
            for train in place.line.trains:
                number = train.cars.index(car) + 1 if car in train.cars else 0
                if not any(_thrown_out(place, it) for it in train.cars[: max(number - 1, 0)]):
                    continue
                trial = place.along(train, number)
                if trial.red:
                    return _evicted(place, car, trial)
        return None

    with _instead(front):
        yield


def _thrown_out(place: Place, car: Car) -> bool:
    status = place.fleet.tasks[car.task].status
    return isinstance(status, Rejected | Held | Withdrawn | Failed)


@contextmanager
def approval_outlives_its_parent() -> Iterator[None]:
    """Nobody notices that what is below a change has another revision."""

    def then(fleet: Fleet, task: Task) -> tuple[Member, ...]:
        return task.change.below if task.change is not None else ()

    with patch.object(voiding, "below", then):
        yield


@contextmanager
def merged_by_history() -> Iterator[None]:
    """What stands on another change is merged by what history has in common with the target."""
    with (
        patch.object(queue, "own_base", lambda change: None),
        patch.object(queue, "_strays", lambda case, commit: ()),
    ):
        yield


@contextmanager
def blind_update() -> Iterator[None]:
    """The target is moved to what was tested, wherever it is."""

    def land(intent: Intent) -> Moved:
        checked_out = vars(landing)["checkouts"]  # what is patched there counts
        checked_out(intent.place)
        git(intent.place.git_dir, "update-ref", "-m", intent.title, intent.branch, intent.commit)
        return Moved(intent.commit)

    with patch.object(landing, "land", land):
        yield


@contextmanager
def landing_by_branch_name() -> Iterator[None]:
    """What lands is what the branch is at, and not what was sealed."""

    def merge(case: Any) -> Built | Conflicted:
        tip = branch_tip(case.place, case.task.branch) or case.car.sealed
        when = int(case.change.since.timestamp())
        named: dict[str, Any] = {"method": case.method, "message": "merge", "when": when}
        return build(case.place, target=case.onto, sealed=tip, **named)

    with (
        patch.object(queue, "_build", merge),
        patch.object(queue, "_strays", lambda case, commit: ()),
    ):
        yield


# One for each invariant, each as small as can be -----------------------------------------------


def unrun_is_green() -> Wrong:
    """I1, I17: a tree on which a check has not run yet passes."""
    return patch.object(Trial, "green", property(lambda trial: not trial.red))


def landing_what_was_merged_last() -> Wrong:
    """I2: at landing another commit is made, of the same tree and parents."""
    real = landing.land

    def land(intent: Intent) -> Any:
        git_dir = intent.place.git_dir
        parents = git(git_dir, "rev-parse", f"{intent.commit}^@").lines
        options = [word for parent in parents for word in ("-p", parent)]
        made = git(git_dir, "commit-tree", f"{intent.commit}^{{tree}}", *options, stdin=b"again")
        last = replace_mark(intent.marks[-1], commit=made.text)
        return real(replace_mark(intent, marks=(*intent.marks[:-1], last)))

    return patch.object(landing, "land", land)


def authors_approve() -> Wrong:
    """I4: whoever wrote a change may approve it."""
    return patch.object(approval, "_must_be_a_person", lambda task, by: None)


@contextmanager
def squashed_on_a_wrong_base() -> Iterator[None]:
    """I5: what lands is the tree of the branch, which takes back what landed since."""

    def merge(case: Any) -> Built | Conflicted:
        tree = git(case.place.git_dir, "rev-parse", f"{case.car.sealed}^{{tree}}").text
        parents = [case.onto, case.car.sealed]
        when = int(case.change.since.timestamp())
        return Built(commit_tree(case.place, tree, parents, message="squash", when=when), tree)

    with (
        patch.object(queue, "_build", merge),
        patch.object(queue, "_strays", lambda case, commit: ()),
    ):
        yield


@contextmanager
def landed_and_landed_again() -> Iterator[None]:
    """I7: nobody looks whether the target has a change already."""
    with (
        patch.object(queue, "_found_on", lambda case, onto: None),
        patch.object(landing, "landed", lambda intent: ()),
        patch.object(moves, "landed", lambda intent: ()),
        patch.object(moves, "is_ancestor", lambda place, commit, tip: False),
        patch.object(perform_landing, "recover", lambda intent: NotLanded()),
    ):
        yield


def checkouts_forgotten() -> Wrong:
    """I8: the target is moved under a checkout of it, which then shows it all as taken back."""
    return patch.object(landing, "checkouts", lambda place: {})


@contextmanager
def checkouts_overwritten() -> Iterator[None]:
    """I8: a checkout of the target is made to hold what has landed."""

    def forward(intent: Intent, checkout: Path) -> Moved:
        word = {"GIT_REFLOG_ACTION": intent.title}
        git(checkout, "reset", "--hard", intent.commit, env=word)
        mark_landed(intent, intent.marks)
        return Moved(intent.commit)

    with patch.object(landing, "_fast_forward", forward):
        yield


@contextmanager
def stacks_forgotten() -> Iterator[None]:
    """I9: what builds on another change is taken like any other."""
    with (
        patch.object(trains, "builds_on", lambda fleet, task: []),
        patch.object(going_on, "builds_on", lambda fleet, task: []),
    ):
        yield


def nothing_goes_on() -> Wrong:
    """I10: what may land waits, and nothing is done for it."""
    return patch.object(going_on, "_go_on_with", lambda place, chain, found, draft: None)


def too_many_checks() -> Wrong:
    """I11: there is always room for two more checks."""
    real = merge_queues

    def crowded(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
        more = replace(given.policy, workers=(given.policy.workers or 1) + 2)
        return real(fleet, replace(given, policy=more), now)

    return patch.object(plan, "merge_queues", crowded)


@contextmanager
def merging_by_anybodys_settings() -> Iterator[None]:
    """I12: the configuration of whoever runs fleet counts in merges."""
    with patch.object(run, "_HERMETIC", {}), patch.object(run, "_HERMETIC_SETTINGS", ()):
        yield


def merging_by_the_clock() -> Wrong:
    """I12: a commit has the time at which it was made."""
    clock = count(1_700_000_000)

    def merge(*words: Any, when: int, **others: Any) -> Built | Conflicted:
        return build(*words, when=next(clock), **others)

    return patch.object(queue, "build", merge)


def mislabelled() -> Wrong:
    """I13: what the target tells of a landing is not what is on record."""

    def merge(*words: Any, trailers: dict[str, str], **others: Any) -> Built | Conflicted:
        wrong = trailers | {"Fleet-Sealed": others["target"]}
        return build(*words, trailers=wrong, **others)

    return patch.object(queue, "build", merge)


def unmarked() -> Wrong:
    """I13: of those that land together only the last one has a reference that says so."""
    real = moves.intent

    def intent(move: Any) -> Intent:
        found = real(move)
        return replace_mark(found, marks=found.marks[-1:])

    return patch.object(perform_landing, "intent", intent)


def half_of_an_intent() -> Wrong:
    """I13: the target goes only as far as the first of those whose landing is on record."""
    real = landing.land

    def land(intent: Intent) -> Any:
        outcome = real(replace_mark(intent, marks=intent.marks[:1]))
        return Moved(intent.commit) if isinstance(outcome, Moved) else outcome

    return patch.object(landing, "land", land)


def judged_by_the_first_check() -> Wrong:
    """I14: checks that the rules have by now do not count, only those that were there before."""
    return patch.object(trains, "gates_of", lambda specs, policy: gates_of(specs, policy)[:1])


def proven_for_ever() -> Wrong:
    """I14: what passed once on a commit counts there, whatever the rules ask for since."""
    real = going_on._evidence

    def evidence(place: Place, entry: Entry, onto: Any, commit: Any, trial: Trial) -> Any:
        fresh, state = real(place, entry, onto, commit, trial), entry.change.state
        known = isinstance(state, Ready) and state.evidence.commit == commit
        return state.evidence if isinstance(state, Ready) and known else fresh

    return patch.object(going_on, "_evidence", evidence)


def never_proven() -> Wrong:
    """I15: what is on record is told again."""
    return patch.object(going_on, "_is_proven", lambda change, proof: False)


def nobody_asked() -> Wrong:
    """I16: green checks are enough, whoever was to be asked."""
    return patch.object(going_on, "lacks", lambda task, change, policy: None)


def nothing_ran_is_green() -> Wrong:
    """I17: a check that found nothing to run has passed."""
    states = {"passed", "flaky", "empty"}
    return patch.object(CheckResult, "green", property(lambda result: result.state in states))


def no_checks_are_enough() -> Wrong:
    """I17: what has no check at all lands by policy."""
    return patch.object(approving, "unchecked", lambda task, change, policy: False)
