"""Steering tasks: every command in every state."""

import histories as h
import pytest
from decisions import HELD, STATES, only, refused
from histories import A, B, history

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.commands import Command
from fleet.core.decide import Decision, decide
from fleet.core.status import ToPause, ToRequeue, ToSeal, ToStop
from fleet.errors import UsageError

# Steering ------------------------------------------------------------------------------------

COMMANDS: dict[type[Command], Command] = {
    c.Stop: c.Stop(task="a"),
    c.Pause: c.Pause(task="a"),
    c.Resume: c.Resume(task="a"),
    c.Retry: c.Retry(task="a"),
    c.DeclareDone: c.DeclareDone(task="a"),
    c.Approve: c.Approve(task="a"),
    c.Return: c.Return(task="a", note="say more"),
    c.Withdraw: c.Withdraw(task="a"),
    c.Remove: c.Remove(task="a"),
    c.Restore: c.Restore(task="a"),
    c.Edit: c.Edit(task="a", title="New"),
}
GOES: dict[type[Command], set[str]] = {
    c.Stop: {
        *("queued", "starting", "running", "ending", "sealing", "checking", "submitted"),
        *("with agent", "held", "held live", "paused"),
    },
    c.Pause: {"queued", "starting", "running"},
    c.Resume: {"paused", "stopped"},
    c.Retry: {"failed", "stopped", "withdrawn", "held", "held live", "paused"},
    c.DeclareDone: {"running", "held", "held live"},
    c.Approve: {"checking", "submitted", "with agent"},
    c.Return: {"submitted", "with agent"},
    c.Withdraw: {"submitted", "with agent", "held", "held live", "checking"},
    c.Remove: {
        *("queued", "sealing", "submitted", "held", "paused"),
        *("landed", "failed", "stopped", "withdrawn"),
    },
    c.Restore: {"removed"},
    c.Edit: {"queued"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_each_command_in_each_state(kind: type[Command], state: str) -> None:
    fleet, command = history(*STATES[state]), COMMANDS[kind]

    def call() -> Decision:
        return decide(fleet, command)  # type: ignore[arg-type]  # all of COMMANDS are commands

    if state in GOES[kind]:
        assert call().answer["task"] == A
    else:
        assert "a " in refused(call)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("queued", e.TaskStopped(task=A, by="person")),
        (
            "running",
            e.EndingBegan(task=A, attempt=1, outcome=ToStop("person"), why="stopped by person"),
        ),
        ("sealing", e.TaskStopped(task=A, by="person")),
    ],
)
def test_stop_ends_the_run_where_there_is_one(state: str, event: e.AnyEvent) -> None:
    assert only(decide(history(*STATES[state]), c.Stop(task="a"))) == event


def test_pause_ends_a_run_and_keeps_its_task() -> None:
    paused = only(decide(history(*h.running(A)), c.Pause(task="a")))

    assert isinstance(paused, e.EndingBegan)
    assert paused.outcome == ToPause("person")
    assert only(decide(history(h.added(A)), c.Pause(task="a"))) == e.TaskPaused(task=A, by="person")


def test_retry_of_a_live_agent_ends_its_run_first() -> None:
    resumed, ending = decide(history(*HELD), c.Retry(task="a")).events

    assert resumed == e.TaskResumed(task=A, by="person", fresh=True)
    assert isinstance(ending, e.EndingBegan)
    assert ending.outcome == ToRequeue()


def test_what_failed_is_resumed_where_its_conversation_is_known() -> None:
    failed = (*h.running(A), e.RunEnded(task=A, attempt=1), e.TaskFailed(task=A, reason="killed"))
    spoke = e.ConversationKnown(task=A, attempt=1, conversation="c-1")
    fleet = history(*failed[:-2], spoke, *failed[-2:])
    resumed = only(decide(fleet, c.Resume(task="a")))

    assert resumed == e.TaskResumed(task=A, by="person")
    assert history(*failed[:-2], spoke, *failed[-2:], resumed).tasks[A].conversation == "c-1"
    assert "is not paused" in refused(lambda: decide(history(*failed), c.Resume(task="a")))


def test_a_branch_made_by_hand_has_no_agent_to_start() -> None:
    fleet = history(*h.by_hand(A), e.TaskStopped(task=A, by="person"))

    assert "fleet submit fleet/a" in refused(lambda: decide(fleet, c.Retry(task="a")))
    assert "made by hand" in refused(lambda: decide(fleet, c.Resume(task="a")))


def test_stop_all_spares_the_merge_queue_and_what_has_ended() -> None:
    fleet = history(*h.running(A), *h.by_hand(B), h.added(h.C), e.TaskStopped(task=h.C, by="x"))

    assert decide(fleet, c.StopAll()).answer == {"tasks": [A]}


def test_done_takes_the_work_of_one_that_cannot_be_told_more_by_ending_it() -> None:
    ending = only(decide(history(*h.running(A)), c.DeclareDone(task="a"), actor="a"))
    declared = only(decide(history(*h.running(A, h.talker())), c.DeclareDone(task="a"), actor="a"))

    assert ending == e.EndingBegan(task=A, attempt=1, outcome=ToSeal(), why="done, says a")
    assert declared == e.DoneDeclared(task=A, attempt=1, by="a")


def test_what_a_person_mended_in_the_workspace_can_be_taken_without_an_agent() -> None:
    declared = only(decide(history(*STATES["held"]), c.DeclareDone(task="a")))

    assert declared == e.DoneDeclared(task=A, attempt=1, by="person")


def test_sending() -> None:
    fleet = history(*h.running(A, h.talker()), *h.running(B, slot=2), h.added(h.C))
    all_of_them = decide(fleet, c.Send(task=None, text="hi"))

    assert all_of_them.events == (e.MessageQueued(task=A, text="hi", by="person"),)
    assert all_of_them.answer == {"sent": [{"task": A, "message": 1}]}
    assert "nothing to send" in refused(
        lambda: decide(fleet, c.Send(task="a", text=" ")), UsageError
    )
    assert "fleet attach b" in refused(lambda: decide(fleet, c.Send(task="b", text="hi")))
    assert "no agent at work" in refused(lambda: decide(fleet, c.Send(task="c", text="hi")))
    leaving = h.fold(fleet, [e.LeaveBegan(task=A, attempt=1, why="parked")])
    assert "no agent at work" in refused(lambda: decide(leaving, c.Send(task="a", text="hi")))
    assert decide(leaving, c.Send(task=None, text="hi")).events == ()


def test_edit_changes_what_has_not_begun() -> None:
    fleet = history(h.added(A, h.spec(limits={"attempts": 2})))
    edited = only(decide(fleet, c.Edit(task="a", prompt="better", attempts=5, land="auto")))

    assert isinstance(edited, e.TaskEdited)
    assert (edited.spec.prompt, edited.spec.limits.attempts) == ("better", 5)
    assert (edited.spec.land, edited.spec.title) == ("auto", "Do it")
    assert "prompt is empty" in refused(
        lambda: decide(fleet, c.Edit(task="a", prompt=" ")), UsageError
    )
    unseen = c.Edit(task="a", land="auto")
    assert "may not choose" in refused(lambda: decide(fleet, unseen, actor="a"))
