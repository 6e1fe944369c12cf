"""Rows of a screen: what each says, where it stands, and in which order they are listed."""

from datetime import timedelta

import histories as h
import pytest
from histories import NOON, A, B, C, fold, history

from fleet.core import events as e
from fleet.core import live
from fleet.core.activity import Waiting
from fleet.core.causes import CheckResult, Conflict
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances
from fleet.core.queue_rows import queue_rows
from fleet.core.rows import LiveRow, QueueCheck, TaskRow
from fleet.core.views import need, status_word

D = type(A)("d")


def plain(fleet: Fleet, name: str) -> TaskRow:
    task = fleet.tasks[type(A)(name)]
    return TaskRow(
        task=task.id,
        repo="/srv/shop",
        title=task.spec.title,
        agent=task.spec.agent,
        status=status_word(fleet, task),
        needs=None,
        attempt=task.attempt,
        branch=task.branch,
        base=task.base,
        head=task.head,
        target=task.target,
        worktree=None,
        pane=None,
        pid=None,
        added=0,
        removed=0,
        cost_usd=0.0,
        tokens=0,
        started_at=None,
        updated_at=task.updated_at,
        after=(),
    )


def row(fleet: Fleet, name: str = "a", given: Circumstances = h.GIVEN) -> LiveRow:
    task = fleet.tasks[type(A)(name)]
    wanted = need(fleet, task, given.target(task.repo, task.target))
    return live.live_row(fleet, task, plain(fleet, name), wanted)


def waits(task: str = "a") -> e.ActivityChanged:
    asks = Waiting("which one?", kind="question")
    return e.ActivityChanged(task=type(A)(task), attempt=1, activity=asks, source="hook")


@pytest.mark.parametrize(
    ("events", "section", "kind"),
    [
        ((h.added(),), "working", None),
        (h.running(), "working", None),
        ((*h.running(), waits()), "needs", "question"),
        (h.by_hand(), "queue", None),
        ((*h.by_hand(), h.gated()), "needs", "review"),
        ((*h.by_hand(), h.gated(), h.approved()), "queue", None),
        ((h.added(), e.TaskPaused(task=A, by="x")), "working", None),
        ((h.added(), e.TaskFailed(task=A, reason="x")), "ended", "failed"),
        ((h.added(), e.TaskStopped(task=A, by="x")), "ended", None),
    ],
)
def test_where_it_stands_and_why_a_person_is_wanted(
    events: h.Events, section: str, kind: str | None
) -> None:
    shown = row(history(*events))
    assert (shown.section, shown.kind) == (section, kind)


def test_the_newest_result_of_each_check_counts() -> None:
    twice = CheckResult("test", "passed", 9.0, "/log/gate", 0)
    own = CheckResult("check-1", "passed", 2.0, "/log/own", 0)
    acceptance = e.ChecksPassed(task=A, revision=1, results=(h.GREEN, own))
    fleet = history(h.added(A, h.spec(agent=None)), h.sealed(), acceptance)
    assert [check.log for check in row(fleet).checks] == ["/log/test", "/log/own"]

    fleet = fold(fleet, [h.gated(results=(twice,))])
    assert row(fleet).checks == (
        QueueCheck(name="test", state="passed", seconds=9.0, log="/log/gate"),
        QueueCheck(name="check-1", state="passed", seconds=2.0, log="/log/own"),
    )


def test_red_checks_conflicts_and_verdicts_are_told() -> None:
    red = (*h.checking(), e.ChecksFailed(task=A, revision=1, results=(h.RED,)))
    assert [check.state for check in row(history(*red)).checks] == ["failed"]
    hit = e.ConflictFound(task=A, revision=1, cause=Conflict(("x.py",), h.BASE))
    assert row(history(*h.by_hand(), hit)).conflicts == ("x.py",)
    assert row(history(*h.by_hand(), h.approved(by="ann"))).approved_by == "ann"


def test_its_age_is_that_of_what_its_agent_does() -> None:
    later = NOON + timedelta(minutes=5)
    fleet = fold(history(*h.running()), [waits()], later)
    assert row(fleet).since == later
    assert row(history(*h.by_hand())).since == NOON


def test_vitals_and_place_are_added() -> None:
    fleet = history(*h.by_hand(A), *h.by_hand(B), h.approved(B))
    entries = {it.task: it for it in queue_rows(fleet, h.GIVEN)}
    assert live.placed(row(fleet), entries["a"]).position == 2
    assert live.placed(row(fleet), None).position is None
    signs = live.Signs(attached=True, last_output=NOON, doing="run\x1b[2J\ntests", context=0.5)
    shown = live.signed(row(fleet), signs)
    assert (shown.attached, shown.last_output, shown.context) == (True, NOON, 0.5)
    assert shown.doing == "run tests"


def test_the_order() -> None:
    """Needs by their age, then work, then the queue as it lands, then the newest end first."""
    names = [type(A)(f"t{number}") for number in range(10)]
    fleet = history()
    facts: list[h.Events] = [
        (h.added(names[0]),),  # queued
        (*h.running(names[1]), waits(names[1])),
        (*h.running(names[2]), waits(names[2])),
        h.running(names[3]),
        (h.added(names[4]), e.TaskPaused(task=names[4], by="x")),
        h.by_hand(names[5]),
        (*h.by_hand(names[6]), h.approved(names[6])),
        (h.added(names[7]), e.TaskStopped(task=names[7], by="x")),
        (h.added(names[8]), e.TaskFailed(task=names[8], reason="x")),
        (h.added(names[9]), e.TaskStopped(task=names[9], by="x")),
    ]
    for number, events in enumerate(facts):
        at = NOON + timedelta(minutes=60 - number if number < 5 else number)
        fleet = fold(fleet, events, at)
    shown = live.shown(fleet.tasks.values(), ended=2)
    sections = {task.id: row(fleet, task.id).section for task in shown}
    queue = queue_rows(fleet, h.GIVEN)
    order = live.order(shown, {str(name): it for name, it in sections.items()}, queue)
    assert order == ["t2", "t1", "t3", "t0", "t4", "t6", "t5", "t9", "t8"]


def test_what_is_removed_is_not_shown() -> None:
    gone = (h.added(B), e.TaskStopped(task=B, by="x"), e.TaskRemoved(task=B, by="x"))
    fleet = history(h.added(A), *gone, h.added(C), e.TaskStopped(task=C, by="x"))
    assert [it.id for it in live.shown(fleet.tasks.values(), ended=5)] == [A, C]
    assert [it.id for it in live.shown(fleet.tasks.values(), ended=0)] == [A]
