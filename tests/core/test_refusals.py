"""What is refused on a screen is what the judge of commands would refuse, in the same words."""

import histories as h
import pytest
from histories import A, history

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide import decide
from fleet.core.refusals import VERBS, refusals
from fleet.errors import RefusedError

TALK = h.talker()
CASES: dict[str, tuple[h.Events, set[str]]] = {
    "queued": ((h.added(A),), {"priority", "stop", "pause", "edit", "rm"}),
    "starting": (h.starting(A), {"priority", "stop", "pause", "diff"}),
    "running": (h.running(A), {"priority", "stop", "pause", "done", "attach", "diff"}),
    "talking": (
        h.running(A, TALK),
        {"priority", "stop", "pause", "done", "attach", "diff", "send"},
    ),
    "review": (
        h.by_hand(A),
        {"priority", "approve", "return", "withdraw", "stop", "diff", "rm"},
    ),
    "landing": (
        (*h.by_hand(A), h.gated(), h.approved(), h.landing()),
        {"diff"},
    ),
    "failed": (
        (h.added(A), e.TaskFailed(task=A, reason="x")),
        {"retry", "rm"},
    ),
    "stopped": ((h.added(A), e.TaskStopped(task=A, by="x")), {"retry", "resume", "rm"}),
    "paused": (
        (h.added(A), e.TaskPaused(task=A, by="x")),
        {"priority", "retry", "resume", "stop", "rm"},
    ),
    "removed": (
        (h.added(A), e.TaskStopped(task=A, by="x"), e.TaskRemoved(task=A, by="x")),
        {"restore"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_may_be_done(name: str) -> None:
    events, allowed = CASES[name]
    fleet = history(*events)
    assert set(VERBS) - refusals(fleet, fleet.tasks[A]).keys() == allowed


def test_the_words_are_those_of_the_refused_command() -> None:
    fleet = history(*h.running(A))
    with pytest.raises(RefusedError) as refused:
        decide(fleet, c.Approve(task=A))
    assert refusals(fleet, fleet.tasks[A])["approve"] == refused.value.message


def test_a_newer_revision_on_the_screen_may_be_approved() -> None:
    """The command line is refused what it has not shown; a screen approves what it shows."""
    events = (*h.by_hand(A), e.ChangeShown(task=A, revision=1, by="person"))
    fleet = history(*events, e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2))
    with pytest.raises(RefusedError, match="newer revision"):
        decide(fleet, c.Approve(task=A))
    assert "approve" not in refusals(fleet, fleet.tasks[A])


def test_a_pane_that_is_being_made_is_not_said_to_be_gone() -> None:
    fleet = history(*h.starting(A))

    assert "is just being started" in refusals(fleet, fleet.tasks[A])["attach"]
