"""How each state reads: one word, one phrase, one row."""

from dataclasses import dataclass

import histories as h
import pytest
from histories import NOON, REPO, A, B, history
from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.activity import Idle, Stalled, Unknown, Waiting, Working
from fleet.core.causes import (
    Cause,
    CheckResult,
    ChecksRed,
    Conflict,
    Died,
    Exhausted,
    GateRed,
    NoChange,
    SentBack,
    Unsealable,
)
from fleet.core.change import Conflicted, GateFailed
from fleet.core.model import Spec
from fleet.core.phrases import files_phrase, note, outcome, reason
from fleet.core.policy import RepoPolicy
from fleet.core.queue_rows import change_word, queue_rows
from fleet.core.status import ToSeal, ToStop
from fleet.core.views import needs, status_word

CONFLICT = Conflict(("x.py",), h.BASE, ("prices: new taxes",))
STUCK = (*h.running(A), h.done(), h.ended())


def does(activity: object, spec: Spec | None = None) -> h.Events:
    changed = e.ActivityChanged(task=A, attempt=1, activity=Working(), source="hook")
    return (*h.running(A, spec), replace(changed, activity=activity))


def held(cause: Cause) -> h.Events:
    return (*STUCK, e.SealFailed(task=A, cause=cause), e.TaskHeld(task=A))


def ending(outcome: ToSeal | ToStop) -> h.Events:
    return (*h.running(A), e.EndingBegan(task=A, attempt=1, outcome=outcome, why="x"))


def by_hand(*events: e.AnyEvent, **spec: str) -> h.Events:
    return (*h.by_hand(A, **spec), *events)


@dataclass(frozen=True)
class Case:
    word: str
    needs: str | None
    events: h.Events
    policy: RepoPolicy = h.CHECKED


AFTER_B = h.added(A, h.spec(after=(B,)))
UNCHECKED = h.gated(results=(), checks=())
CASES = (
    Case("queued", None, (h.added(A),)),
    Case("blocked", None, (h.added(B), AFTER_B)),
    Case(
        *("blocked", "waits for b, which will not land"),
        (h.added(B), AFTER_B, e.TaskFailed(task=B, reason="x")),
    ),
    Case("blocked", "waits for b, which will not land", (AFTER_B,)),
    Case("starting", None, h.starting(A)),
    Case("working", None, h.running(A)),
    Case("waiting", "asks: which one?", does(Waiting("asks: which one?"))),
    Case("stalled", "gives no sign of life", does(Stalled(NOON))),
    Case("unknown", None, does(Unknown())),
    Case("idle", "its turn has ended", does(Idle(), h.spec(done="manual"))),
    Case("idle", "its turn has ended", does(Idle(), h.spec(done="exit"))),
    Case("idle", None, does(Idle(), h.spec(done="turn"))),
    Case("checking", None, ending(ToSeal())),
    Case("stopping", None, ending(ToStop("person"))),
    Case("checking", None, STUCK),
    Case("checking", None, h.checking(A)),
    Case("checking", None, (*STUCK, e.SealFailed(task=A, cause=NoChange()))),
    Case("checking", None, by_hand()),
    Case("review", "review", by_hand(h.gated())),
    Case("review", None, by_hand(h.gated(), land="auto")),
    Case("review", "review: it has no checks", by_hand(UNCHECKED), RepoPolicy()),
    Case("review", "review: it has no checks", by_hand(UNCHECKED, land="auto"), RepoPolicy()),
    Case("review", None, by_hand(UNCHECKED, land="auto")),  # there are checks now
    Case("approved", None, by_hand(h.gated(), h.approved())),
    Case("approved", None, by_hand(h.approved())),
    Case("landing", None, by_hand(h.gated(), h.approved(), h.landing())),
    Case("landed", None, by_hand(h.gated(), h.approved(), h.landing(), h.landed())),
    Case(
        *("approved", "main has local edits"),
        by_hand(
            *(h.gated(), h.approved()),
            e.ChangeBlocked(task=A, revision=1, reason="main has local edits", onto=h.BASE),
        ),
    ),
    Case(
        *("checking", "the queue of main is frozen: it was rewound (fleet thaw)"),
        by_hand(e.QueueFrozen(repo=REPO, target="main", reason="it was rewound")),
    ),
    Case(
        *("checking", "the branch main is gone"),
        by_hand(e.TargetSeen(repo=REPO, target="main", tip=None)),
    ),
    Case(
        *("checking", "fleet.yaml has commands that nobody trusted: fleet trust"),
        by_hand(),
        RepoPolicy(checks=(h.CHECK,), digest="d2"),
    ),
    Case("conflict", "conflicts with its target in x.py", held(CONFLICT)),
    Case("returned", "returned by ann: say more", held(SentBack("say more\nplease", "ann"))),
    Case("returned", "gate test failed with exit code 1", held(GateRed((h.RED,), h.BASE))),
    Case(
        "returned",
        "gate test failed with exit code 1, together with b, and passes without",
        held(GateRed((h.RED,), h.BASE, (h.B,))),
    ),
    Case("returned", "check test failed with exit code 1", held(ChecksRed((h.RED,)))),
    Case("waiting", "ended without a change", held(NoChange())),
    Case("waiting", "a merge is half done", held(Unsealable("a merge is half done"))),
    Case("paused", None, (h.added(A), e.TaskPaused(task=A, by="person"))),
    Case(
        "failed",
        "no attempt is left",
        (h.added(A), e.TaskFailed(task=A, reason="no attempt is left")),
    ),
    Case("stopped", None, (h.added(A), e.TaskStopped(task=A, by="person"))),
    Case("withdrawn", None, by_hand(e.ChangeWithdrawn(task=A, by="person"))),
    Case(
        *("stopped", "no room for it"),
        (
            h.added(A),
            e.TaskStopped(task=A, by="person"),
            e.RestoreFailed(task=A, reason="no room for it"),
        ),
    ),
    Case(
        *("failed", None),
        (h.added(A), e.TaskFailed(task=A, reason="x"), e.TaskRemoved(task=A, by="person")),
    ),
)


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{number}-{case.word}" for number, case in enumerate(CASES)]
)
def test_how_a_task_reads(case: Case) -> None:
    fleet = history(*case.events)
    task = fleet.tasks[A]

    assert (status_word(fleet, task), needs(fleet, task, case.policy)) == (case.word, case.needs)


# Rows ------------------------------------------------------------------------------------------


def test_the_queue_is_shown_in_landing_order_and_conflicts_come_last() -> None:
    conflict = e.ConflictFound(task=A, revision=1, cause=CONFLICT)
    stuck = history(*h.by_hand(A), conflict, e.TaskHeld(task=A))
    fleet = h.fold(stuck, [*h.by_hand(B), h.gated(B), h.approved(B)])
    first, last = queue_rows(fleet, h.GIVEN)

    assert (first.task, first.position, first.state) == (B, 1, "ready")
    assert (first.approved_by, first.waits_for) == ("person", "its gates")
    assert [check.name for check in first.checks] == ["test"]
    assert (last.task, last.position, last.state) == (A, 2, "conflict")
    assert last.conflicts == ("x.py",)
    assert last.waits_for == "conflicts with its target in x.py"


@pytest.mark.parametrize(
    ("events", "word", "checks"),
    [
        (h.by_hand(A), "gating", 0),
        ((*h.by_hand(A), h.gated()), "ready", 1),
        ((*h.by_hand(A), h.gated(), h.approved(), h.landing()), "landing", 1),
    ],
)
def test_a_change_in_the_queue(events: h.Events, word: str, checks: int) -> None:
    (row,) = queue_rows(history(*events), h.GIVEN)

    assert (row.state, len(row.checks)) == (word, checks)


def test_a_change_whose_gate_failed_shows_by_what() -> None:
    red = e.GateRejected(task=A, revision=1, cause=GateRed((h.RED,), h.BASE))
    (row,) = queue_rows(history(*h.by_hand(A), red, e.TaskHeld(task=A)), h.GIVEN)

    assert (row.state, [check.state for check in row.checks]) == ("gate-failed", ["failed"])


def test_words_of_changes() -> None:
    change = history(*h.by_hand(A)).tasks[A].change
    assert change is not None

    assert change_word(replace(change, state=GateFailed(GateRed((), h.BASE)))) == "gate-failed"
    assert change_word(replace(change, state=Conflicted(CONFLICT))) == "conflict"


# Phrases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "code", "phrase"),
    [
        ("failed", 3, "failed with exit code 3"),
        ("killed", 9, "was killed by signal 9"),
        ("timeout", None, "took longer than its 60 s"),
        ("unstartable", None, "could not be started"),
        ("passed", 0, "passed"),
    ],
)
def test_how_a_check_ended(state: str, code: int | None, phrase: str) -> None:
    assert outcome(CheckResult("test", state, 60.2, "/log", code)) == phrase


@pytest.mark.parametrize(
    ("cause", "phrase"),
    [
        (ChecksRed((h.GREEN, h.RED, h.RED)), "check test failed with exit code 1 (and 1 more)"),
        (ChecksRed(()), "check gave no verdict"),
        (SentBack("", "ann"), "returned by ann: no note"),
        (Exhausted("its budget is spent"), "its budget is spent"),
        (Died("the agent ended with exit code 1"), "the agent ended with exit code 1"),
    ],
)
def test_why_work_did_not_get_through(cause: Cause, phrase: str) -> None:
    assert reason(cause) == phrase


def test_a_few_files_and_how_many_more() -> None:
    assert files_phrase(("a", "b")) == "a, b"
    assert files_phrase(tuple("abcdefg")) == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(
    ("cause", "parts"),
    [
        (ChecksRed((h.GREEN, h.RED)), ["in your workspace", "- test: failed", "/log/test"]),
        (GateRed((h.RED,), h.BASE), ["merged with main", "- test: failed"]),
        (CONFLICT, ["- x.py", "git merge main", "- prices: new taxes"]),
        (Conflict(("x.py",), h.BASE), ["- x.py", "git merge main"]),
        (SentBack("say more", "ann"), ["say more"]),
        (NoChange(), ["ended without a change"]),
    ],
)
def test_what_an_agent_is_told(cause: Cause, parts: list[str]) -> None:
    told = note(cause, target="main")

    assert [part for part in parts if part not in told] == []
