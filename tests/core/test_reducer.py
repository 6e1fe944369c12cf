"""Every fact has its fold, and a late word about what is over changes nothing."""

from datetime import timedelta

import histories as h
import kept_ledger
import pytest
from histories import NOON, REPO, A, B, history

from fleet.core import events as e
from fleet.core.activity import Idle, Waiting, Working
from fleet.core.causes import Conflict, Died, GateRed, NoChange
from fleet.core.change import BY_POLICY, Change, Gating, Landing, Ready
from fleet.core.events import EVENT_TYPES
from fleet.core.model import Fleet, Slot, Task
from fleet.core.reducer import reduce, replay
from fleet.core.reducer.table import FLEET, TASK
from fleet.core.status import (
    Checking,
    Ending,
    Held,
    Landed,
    Outcome,
    Paused,
    Queued,
    Rejected,
    Running,
    Sealing,
    Starting,
    Stopped,
    Submitted,
    ToPause,
    ToReject,
    ToRequeue,
    ToSeal,
    ToStop,
)

CONFLICT = Conflict(("x.py",), h.BASE)


def task(*events: e.AnyEvent) -> Task:
    return history(*events).tasks[A]


def change(*events: e.AnyEvent) -> Change:
    found = task(*events).change
    assert found is not None
    return found


def test_every_event_has_a_fold() -> None:
    assert set(TASK) | set(FLEET) == set(EVENT_TYPES)


def test_a_replayed_ledger_gives_the_state_it_was_written_from() -> None:
    entries = kept_ledger.history()
    fleet = Fleet()
    for number, entry in enumerate(entries, 1):
        fleet = reduce(fleet, entry)
        assert replay(entries[:number]) == fleet
    assert fleet.seq == len(entries)


def test_an_entry_reads_as_one_flat_object() -> None:
    entry = e.Entry(7, NOON, "person", e.TaskStopped(task=A, by="person"))
    frozen = e.Entry(8, NOON, "fleet", e.QueueThawed(repo=REPO, target="main"))

    assert entry.flat() == {
        "seq": 7,
        "at": NOON,
        "actor": "person",
        "type": "task.stopped",
        "task": A,
        "by": "person",
    }
    assert frozen.flat()["task"] is None


# A late word ---------------------------------------------------------------------------------

EVIDENCE = h.evidence(A)
SECOND_RUN = (
    *(*h.running(A), e.RunLost(task=A, attempt=1, reason="x"), h.ended(A)),
    *(e.AttemptBegan(task=A, attempt=2, base=h.BASE), h.started(A, 2)),
)
SECOND_REVISION = (*h.submitted(A), h.done(A), h.sealed(A, 2), h.passed(A, 2), h.gated(A, 2))
STOPPED = (*h.submitted(A), h.ended(A), e.TaskStopped(task=A, by="person"))


@pytest.mark.parametrize(
    "late",
    [
        h.started(A, 1),
        e.StartFailed(task=A, attempt=1, reason="no pane"),
        e.ActivityChanged(task=A, attempt=1, activity=Idle(), source="hook"),
        e.ConversationKnown(task=A, attempt=1, conversation="c"),
        h.done(A, 1),
        e.RunExited(task=A, attempt=1, code=1),
        e.RunLost(task=A, attempt=1, reason="tmux died"),
        e.EndingBegan(task=A, attempt=1, outcome=ToStop("person"), why="x"),
        e.LeaveBegan(task=A, attempt=1, why="parked"),
        h.ended(A, 1),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_late_word_about_another_run_changes_nothing(late: e.AnyEvent) -> None:
    fleet = history(*SECOND_RUN)

    assert h.fold(fleet, [late], NOON + h.minutes(1)).tasks == fleet.tasks


OF_FIRST_REVISION: list[e.AnyEvent] = [
    h.sealed(A),
    e.SealFailed(task=A, cause=NoChange()),
    e.SealUnchanged(task=A, revision=1),
    h.passed(A),
    e.ChecksFailed(task=A, revision=1, results=(h.RED,)),
    e.ChangeRefused(task=A, revision=1, cause=Died("x")),
    h.gated(A, onto=h.MOVED),
    e.GateRejected(task=A, revision=1, cause=GateRed((h.RED,), h.BASE)),
    e.ConflictFound(task=A, revision=1, cause=CONFLICT),
    e.StillMerges(task=A, revision=1, onto=h.MOVED),
    e.ChangeBlocked(task=A, revision=1, reason="x", onto=h.BASE),
    e.ChangeUnblocked(task=A, revision=1),
    h.approved(A),
    h.landing(A),
    e.LandingMissed(task=A, revision=1, tip=h.MOVED),
]


@pytest.mark.parametrize("late", OF_FIRST_REVISION, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", [SECOND_REVISION, STOPPED], ids=["newer revision", "stopped"])
def test_a_late_verdict_changes_nothing(state: h.Events, late: e.AnyEvent) -> None:
    fleet = history(*state)

    assert h.fold(fleet, [late], NOON + h.minutes(1)).tasks == fleet.tasks


def test_what_is_sealed_after_a_stop_is_dropped() -> None:
    stopped = (*h.running(A), h.done(), h.ended(A), e.TaskStopped(task=A, by="person"))

    assert task(*stopped, h.sealed(A)).status == Stopped("person")
    assert task(*stopped, h.sealed(A)).change is None


def test_a_branch_submitted_while_it_is_sealed_is_sealed_again() -> None:
    events = (h.added(A, h.spec(agent=None)), e.Resubmitted(task=A))

    assert task(*events).status == Sealing(0, 2)
    assert task(*events, h.sealed(A, 1)).status == Sealing(0, 2)
    assert task(*events, h.sealed(A, 2)).status == Checking(2)


# Runs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (ToSeal(), Sealing(1, 1)),
        (ToReject(NoChange()), Rejected(NoChange())),
        (ToStop("person"), Stopped("person")),
        (ToPause("person"), Paused("person")),
        (ToRequeue(NOON), Queued(NOON, NOON)),
    ],
)
def test_where_a_run_that_has_ended_leads_to(outcome: Outcome, status: object) -> None:
    ending = e.EndingBegan(task=A, attempt=1, outcome=outcome, why="why")
    before = task(*h.running(A), ending)
    after = task(*h.running(A), ending, h.ended(A))

    assert before.run is not None
    assert before.run.leaving == "why"
    assert (after.status, after.run) == (status, None)


@pytest.mark.parametrize(
    ("code", "signal", "error", "outcome"),
    [
        (0, None, None, ToSeal()),
        (3, None, None, ToReject(Died("the agent ended with exit code 3"))),
        (None, 9, None, ToReject(Died("the agent ended with signal 9"))),
        (127, None, "no such program", ToReject(Died("no such program"))),
    ],
)
def test_how_a_process_ended(
    code: int | None, signal: int | None, error: str | None, outcome: Outcome
) -> None:
    exited = e.RunExited(task=A, attempt=1, code=code, signal=signal, error=error)

    assert task(*h.running(A), exited).status == Ending(1, outcome)


def test_an_agent_that_ends_while_its_change_waits_takes_nothing_with_it() -> None:
    waiting = task(*h.submitted(A), e.RunExited(task=A, attempt=1, code=1))

    assert waiting.status == Submitted(1)
    assert waiting.run is not None
    assert waiting.run.leaving == "its process ended"


@pytest.mark.parametrize("events", [h.starting(A), h.running(A)], ids=["starting", "running"])
def test_a_lost_run_starts_again_and_consumes_no_attempt(events: h.Events) -> None:
    lost = task(*events, e.RunLost(task=A, attempt=1, reason="tmux died", not_before=NOON))

    assert lost.status == Ending(1, ToRequeue(NOON))
    assert (lost.spent, lost.losses) == (0, 1)


def test_a_run_that_came_up_after_it_was_told_to_end_is_ended() -> None:
    ending = e.EndingBegan(task=A, attempt=1, outcome=ToStop("person"), why="x")
    late = task(*h.starting(A), ending, h.started(A))

    assert late.status == Ending(1, ToStop("person"))
    assert late.run is not None


def test_a_start_that_failed_for_good_is_a_death_and_else_waits() -> None:
    later = NOON + h.minutes(1)
    fatal = e.StartFailed(task=A, attempt=1, reason="no such program", fatal=True)
    again = e.StartFailed(task=A, attempt=1, reason="no pane", not_before=later)

    assert task(*h.starting(A), fatal).status == Rejected(Died("no such program"))
    assert task(*h.starting(A), again).status == Queued(NOON, later, "no pane")
    assert task(*h.starting(A), again).losses == 1
    assert task(*h.running(A), fatal).status == Running(1)


def test_a_held_agent_that_works_again_is_running_unless_it_is_leaving() -> None:
    held = (*h.running(A), h.done(), e.SealFailed(task=A, cause=NoChange()), e.TaskHeld(task=A))
    works = e.ActivityChanged(task=A, attempt=1, activity=Working(), source="hook")
    leaves = e.LeaveBegan(task=A, attempt=1, why="parked")

    assert task(*held, works).status == Running(1)
    assert task(*held, leaves, works).status == Held(NoChange())


def test_a_message_of_fleets_that_was_refused_needs_a_person() -> None:
    told = (
        *(*h.checking(A, h.talker()), e.ChecksFailed(task=A, revision=1, results=(h.RED,))),
        e.ToldAgain(task=A, text="test failed", by="fleet"),
    )
    refused = e.MessageSettled(task=A, message=1, outcome="refused", reason="a dialog is open")
    run = task(*told, refused).run

    assert run is not None
    assert run.activity == Waiting("could not be told: a dialog is open", "undelivered")
    assert task(*told, refused).messages == ()


def test_a_conversation_outlives_its_run_until_an_attempt_begins_with_a_fresh_context() -> None:
    known = (*h.running(A), e.ConversationKnown(task=A, attempt=1, conversation="c"))

    def after(event: e.AnyEvent) -> str | None:
        return task(*known, h.ended(A), event).conversation

    assert after(e.RetryScheduled(task=A, note="", consumes=False)) == "c"
    assert after(e.RetryScheduled(task=A, note="", consumes=True)) is None
    assert after(e.TaskResumed(task=A, by="person")) == "c"
    assert after(e.TaskResumed(task=A, by="person", fresh=True)) is None


# Changes ---------------------------------------------------------------------------------------


def test_a_new_revision_voids_the_approval() -> None:
    approved = (*h.submitted(A), h.approved(A))

    assert change(*approved).approval is not None
    assert change(*approved, h.done(A), h.sealed(A, 2)).approval is None


@pytest.mark.parametrize(
    "event",
    [
        e.GateRejected(task=A, revision=1, cause=GateRed((h.RED,), h.BASE)),
        e.ConflictFound(task=A, revision=1, cause=CONFLICT),
        e.Returned(task=A, revision=1, note="x", by="person"),
        e.ChangeWithdrawn(task=A, by="person"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_voids_an_approval(event: e.AnyEvent) -> None:
    assert change(*h.submitted(A), h.approved(A), event).approval is None


@pytest.mark.parametrize(
    "events",
    [
        (h.gated(A, onto=h.MOVED),),
        (h.gated(A), e.StillMerges(task=A, revision=1, onto=h.MOVED)),
        (h.gated(A), h.landing(A), e.LandingMissed(task=A, revision=1, tip=h.MOVED)),
        (e.ChangeBlocked(task=A, revision=1, reason="x", onto=h.BASE),),
        (h.done(A), e.SealUnchanged(task=A, revision=1)),
    ],
)
def test_an_approval_stands_when_the_target_moves(events: h.Events) -> None:
    assert change(*h.submitted(A), h.approved(A), *events).approval is not None


def test_a_verdict_of_the_policy_is_about_one_piece_of_evidence() -> None:
    by_policy = (*h.submitted(A), h.gated(A), h.approved(A, by=BY_POLICY))

    assert change(*by_policy).approval is not None
    assert change(*by_policy, h.gated(A, onto=h.MOVED)).approval is None


def test_a_task_taken_up_again_needs_a_new_approval() -> None:
    stopped = (*h.submitted(A), h.approved(A), h.ended(A), e.TaskStopped(task=A, by="person"))

    assert change(*stopped, e.TaskResumed(task=A, by="person")).approval is None
    assert change(*stopped, e.Resubmitted(task=A)).approval is None


def test_landing_that_did_not_happen_leaves_the_change_in_the_queue() -> None:
    begun = (*h.submitted(A), h.gated(A), h.approved(A), h.landing(A))
    blocked = e.ChangeBlocked(task=A, revision=1, reason="main has edits", onto=h.BASE)

    assert change(*begun).state == Landing(EVIDENCE, NOON)
    assert change(*begun, e.LandingMissed(task=A, revision=1, tip=h.MOVED)).state == Gating()
    assert change(*begun, blocked).state == Ready(EVIDENCE, h.BASE)
    assert change(*begun, blocked).blocked == "main has edits"
    assert change(*begun, blocked, e.ChangeUnblocked(task=A, revision=1)).blocked is None


def test_what_is_being_landed_is_not_handed_in_again() -> None:
    begun = (*h.submitted(A), h.gated(A), h.approved(A), h.landing(A))

    assert task(*begun, h.done(A)).status == Submitted(1)


def test_a_landing_moves_the_target() -> None:
    fleet = history(*h.submitted(A), h.gated(A), h.approved(A), h.landing(A), h.landed(A))

    assert fleet.repos[REPO].tips == {"main": EVIDENCE.commit}
    assert fleet.tasks[A].status == Landed(EVIDENCE.commit, NOON)


def test_a_workspace_that_holds_nothing_new_is_judged_again_unless_it_passed() -> None:
    again = (h.done(A), e.SealUnchanged(task=A, revision=1))
    red = e.ChecksFailed(task=A, revision=1, results=(h.RED,))
    told = e.ToldAgain(task=A, text="x", by="fleet")
    nothing = e.SealUnchanged(task=A, revision=1)

    assert task(*h.submitted(A), h.gated(A), *again).status == Submitted(1)
    assert task(*h.checking(A), red, told, *again).status == Checking(1)
    assert task(*h.running(A), h.done(A), nothing).status == Rejected(NoChange())


# Workspaces and lists ------------------------------------------------------------------------


def test_a_workspace_wanted_back_while_it_was_archived_is_restored() -> None:
    removed = (*STOPPED, e.TaskRemoved(task=A, by="person"))
    freed = e.WorkspaceFreed(task=A, ref="refs/x")
    restored = e.TaskRestored(task=A, by="person")

    assert not task(*removed, freed).restoring
    assert task(*removed, freed, restored).restoring
    assert task(*removed, restored, freed).restoring
    assert not task(*removed, freed, restored, e.TaskRemoved(task=A, by="p")).restoring


def test_a_landed_task_that_is_restored_needs_no_workspace() -> None:
    landed = (*h.submitted(A), h.ended(A), h.gated(A), h.approved(A), h.landing(A), h.landed(A))
    freed = e.WorkspaceFreed(task=A, ref="refs/x")
    both = (e.TaskRemoved(task=A, by="person"), e.TaskRestored(task=A, by="person"))

    assert not task(*landed, freed).restoring
    assert not task(*landed, freed, *both).restoring


def test_a_workspace_that_cannot_be_freed_or_restored_says_why() -> None:
    later = NOON + h.minutes(1)
    stuck = task(*STOPPED, e.FreeingFailed(task=A, reason="disk full", not_before=later))

    assert (stuck.trouble, stuck.free_not_before, stuck.slot) == ("disk full", later, 1)
    failed = task(*STOPPED, e.RestoreFailed(task=A, reason="no such ref"))
    assert (failed.trouble, failed.restoring) == ("no such ref", False)
    assert task(*STOPPED, e.WorkspaceRestored(task=A)).trouble is None


def test_a_run_that_cannot_be_ended_says_why_until_it_is() -> None:
    later = NOON + h.minutes(1)
    stuck = e.RunNotEnded(task=A, attempt=1, reason="cannot end process 7", not_before=later)
    leaving = (*h.running(A), e.TaskStopped(task=A, by="p"), stuck)

    assert (task(*leaving).trouble, task(*leaving).end_not_before) == (stuck.reason, later)
    assert task(*leaving).run is not None
    ended = task(*leaving, h.ended(A))
    assert (ended.trouble, ended.end_not_before, ended.run) == (None, None, None)


def test_slots_from_planned_to_dropped() -> None:
    def slots(*events: e.AnyEvent) -> dict[int, Slot]:
        return history(*h.running(A), *events).repos[REPO].slots

    assert slots() == {1: Slot("taken", task=A)}
    assert slots(e.WorkspaceFreed(task=A, ref=None)) == {1: Slot("dirty", last=A)}
    assert slots(e.SlotDropping(repo=REPO, slot=1)) == {1: Slot("dropping")}
    assert slots(e.SlotDropped(repo=REPO, slot=1)) == {}
    broken = e.SlotBroken(repo=REPO, slot=1, reason="x", not_before=NOON)
    assert slots(broken) == {1: Slot("broken", reason="x", not_before=NOON)}


def test_a_repository_found_elsewhere_keeps_what_is_known_of_it() -> None:
    moved = e.RepoRegistered(repo=REPO, root="/new", git_dir="/new/.git")
    repo = history(h.added(A), moved).repos[REPO]

    assert (repo.root, repo.trusted, repo.tips) == ("/new", ("d1",), {"main": h.BASE})


def test_starts_are_remembered_for_an_hour() -> None:
    began = e.AttemptBegan(task=A, attempt=1, base=h.BASE)
    fleet = history(h.added(A), began)

    assert h.fold(fleet, [began], NOON + h.minutes(59)).starts == (NOON, NOON + h.minutes(59))
    assert h.fold(fleet, [began], NOON + h.minutes(60)).starts == (NOON + h.minutes(60),)


@pytest.mark.parametrize(
    "event",
    [
        h.started(A),
        h.passed(A),
        h.gated(A),
        h.sealed(A),
        e.TaskResumed(task=A, by="person"),
        e.Returned(task=A, revision=1, note="x", by="person"),
        e.Resubmitted(task=A),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_got_on_is_no_suspect_any_more(event: e.AnyEvent) -> None:
    crash = e.CrashNoted(task=A, error="KeyError")
    before: dict[type[e.Event], h.Events] = {
        e.ChecksPassed: h.checking(A),
        e.Sealed: (*h.running(A), h.done(A)),
        e.RunStarted: h.starting(A),
    }
    events = before.get(type(event), h.submitted(A))

    assert task(*events, crash).crashes == 1
    assert task(*events, crash, event).crashes == 0


def test_times_of_a_task_are_those_of_what_concerned_it() -> None:
    fleet = history(*h.submitted(A), h.added(B))
    later = NOON + h.minutes(5)
    moved = h.fold(fleet, [e.StillMerges(task=A, revision=1, onto=h.MOVED)], later)
    gated = h.fold(h.fold(fleet, [h.gated(A)], later), [h.done(A)], later + timedelta(hours=1))

    assert moved.tasks[A].updated_at == NOON  # it is not gated: nothing was said about it
    assert gated.tasks[A].updated_at == later + timedelta(hours=1)
    assert gated.tasks[A].status_since == later + timedelta(hours=1)
    assert h.fold(fleet, [h.gated(A)], later).tasks[A].status_since == NOON
    assert isinstance(h.history(*h.starting(A)).tasks[A].status, Starting)


def test_looking_and_tidying_away_leave_the_age_of_a_task() -> None:
    fleet, later = history(*h.by_hand(A), h.landed(A)), NOON + timedelta(hours=1)
    shown = e.ChangeShown(task=A, revision=1, by="person")
    aside = h.fold(fleet, [shown, e.TaskRemoved(task=A, by="person")], later)
    assert aside.tasks[A].removed_at == later
    assert aside.tasks[A].updated_at == NOON
