"""What each live agent does: the signs of its run, and the one place that records what they mean.

Signs are kept in memory. After a restart the ledger has the last verdict, and the sources say the
rest again.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct

from fleet.core import events as e
from fleet.core.activity import Activity, Idle, Run, Stalled, Unknown, Waiting, Working
from fleet.core.ids import TaskId
from fleet.core.lives import LONGEST_S
from fleet.core.model import Task
from fleet.core.signals import (
    HOOK,
    OWN,
    PROCESS,
    SOURCES,
    Judged,
    Life,
    Sign,
    Signs,
    began,
    heard,
    judge,
    silenced,
)
from fleet.core.status import Running
from fleet.supervisor.loop import FLEET as BY_FLEET
from fleet.supervisor.loop import Supervisor


class Pulse(Protocol):
    """Where the signs of life are kept."""

    last_output: dict[TaskId, datetime]
    last_drawn: dict[TaskId, datetime]
    last_moved: dict[TaskId, datetime]
    last_told: dict[TaskId, datetime]


class _Known(Struct):
    """The signs of one run; `since` is when the record had its activity change last."""

    attempt: int
    signs: Signs
    since: datetime
    look_at: datetime | None = None
    went_on: datetime | None = None  # when it said last that it waits for nobody


class Judge:
    """Hears signs and records each verdict that is news."""

    def __init__(self, supervisor: Supervisor, pulse: Pulse) -> None:
        self._supervisor, self._pulse = supervisor, pulse
        self._known: dict[TaskId, _Known] = {}

    def hear(self, task: TaskId, sign: Sign, moment: datetime, *, actor: str = BY_FLEET) -> None:
        """Take in what a source says of the task's present run, and judge anew."""
        known = self._of(task)
        if known is None:
            return
        known.signs = heard(known.signs, sign)
        if sign.source in OWN and not isinstance(sign.says, Waiting):
            known.went_on = max(known.went_on or sign.at, sign.at)
        # A turn that ends twice is two turns.
        ended = sign.says == Idle() and known.signs.newest.get(HOOK) is sign
        self._judge(task, known, moment, actor=actor, ended=ended)

    def silence(self, task: TaskId, source: str, moment: datetime) -> None:
        """Forget what a source said: it says nothing any more."""
        known = self._of(task)
        if known is not None and source in known.signs.newest:
            known.signs = silenced(known.signs, source)
            self._judge(task, known, moment)

    def look(self, moment: datetime, *, every: bool = False) -> None:
        """Judge again where it is time, or `every` run, as their signs of life have changed."""
        tasks = self._supervisor.fleet.tasks
        gone = [it for it in self._known if it not in tasks or tasks[it].run is None]
        for name in gone:
            del self._known[name]
        live = [task.id for task in tasks.values() if task.run is not None] if every else ()
        for name in live or tuple(self._known):
            known = self._of(name)
            due = known is not None and known.look_at is not None and known.look_at <= moment
            if known is not None and (every or due):
                self._judge(name, known, moment)

    def waits_since(self, task: TaskId, moment: datetime) -> bool:
        """Return whether nothing says that the agent went on after `moment`."""
        known = self._of(task)
        return known is not None and (known.went_on is None or known.went_on < moment)

    def says(self, task: TaskId, source: str) -> Activity | None:
        """Return what a source says of the task's present run, if anything."""
        known = self._of(task)
        sign = None if known is None else known.signs.newest.get(source)
        return None if sign is None else sign.says

    def judged(self, task: TaskId, moment: datetime) -> Judged | None:
        """Return how the present signs of a live agent are judged; None where there is none."""
        known = self._of(task)
        return None if known is None else judge(known.signs, moment, self._life(task))

    def _of(self, name: TaskId) -> _Known | None:
        """Return the signs of a task's present run, in step with what is on record."""
        task = self._supervisor.fleet.tasks.get(name)
        if task is None or task.run is None:
            return None
        run, known = task.run, self._known.get(name)
        if known is None or known.attempt != run.attempt:
            signs = _recorded(began(run.started_at), run)
            known = self._known[name] = _Known(run.attempt, signs, run.activity_since)
        elif known.since != run.activity_since:
            known.since = run.activity_since
            known.signs = _recorded(known.signs, run)
        return known

    def _life(self, name: TaskId) -> Life:
        task = self._supervisor.fleet.tasks[name]
        limit = task.spec.limits.silence_s if isinstance(task.status, Running) else None
        return Life(
            printed=self._pulse.last_output.get(name),
            drawn=self._pulse.last_drawn.get(name),
            moved=self._pulse.last_moved.get(name),
            told=self._pulse.last_told.get(name),
            silence=None if limit is None else timedelta(seconds=min(limit, LONGEST_S)),
        )

    def _judge(
        self,
        name: TaskId,
        known: _Known,
        moment: datetime,
        *,
        actor: str = BY_FLEET,
        ended: bool = False,
    ) -> None:
        task = self._supervisor.fleet.tasks[name]
        judged = judge(known.signs, moment, self._life(name))
        known.look_at = judged.look_at
        news = task.run is not None and judged.activity != task.run.activity
        again = ended and judged.wins is known.signs.newest.get(HOOK)
        if task.run is not None and task.run.leaving is None and (news or again):
            self._supervisor.record([_changed(task, task.run, judged)], actor=actor)
            self._of(name)  # which is in step with the record from here on


def _recorded(signs: Signs, run: Run) -> Signs:
    """Add what the record has of a run, where nobody knows its signs, or fleet spoke to it."""
    if run.source not in SOURCES or run.source == PROCESS:
        return signs
    says: Activity = run.activity
    if isinstance(says, Stalled | Unknown):
        says = Working()  # as its own word was, which has grown old
    return heard(signs, Sign(run.source, says, run.said_at or run.activity_since))


def _changed(task: Task, run: Run, judged: Judged) -> e.ActivityChanged:
    return e.ActivityChanged(
        task=task.id,
        attempt=run.attempt,
        activity=judged.activity,
        source=judged.wins.source,
        said_at=judged.wins.at.astimezone(UTC),
    )
