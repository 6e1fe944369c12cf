"""Folding what happens to what a live agent asks, and to turns of it that broke off."""

from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.activity import RATE_LIMIT, Activity, Given, Waiting, Working
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.reducer.runs import alive, does
from fleet.core.reducer.tasks import tell


@table.task(e.AnswerGiven)
def _given(task: Task, event: e.AnswerGiven, at: datetime) -> Task:
    if (run := alive(task, event.attempt)) is None:
        return task
    given = Given(ask=event.ask, verdict=event.verdict, text=event.text, by=event.by)
    return replace(task, run=replace(run, answer=given))


@table.task(e.AnswerSettled)
def _settled(task: Task, event: e.AnswerSettled, at: datetime) -> Task:
    run = alive(task, event.attempt)
    if run is None or run.answer is None or run.answer.ask != event.ask:
        return task
    run = replace(run, answer=None)
    activity = run.activity
    if not isinstance(activity, Waiting) or activity.ask is None or activity.ask.id != event.ask:
        return replace(task, run=run)  # it went on by itself meanwhile
    if event.outcome == "delivered":
        return replace(task, run=does(run, Working(), at))
    return replace(task, run=does(run, _without_id(activity), at) if event.over else run)


def _without_id(waiting: Waiting) -> Activity:
    """What it asks can be answered in its pane only, if it still asks."""
    return replace(waiting, ask=waiting.ask and replace(waiting.ask, id=None))


@table.task(e.GoOnTold)
def _go_on(task: Task, event: e.GoOnTold, at: datetime) -> Task:
    if (run := alive(task, event.attempt)) is None:
        return task
    failed = isinstance(run.activity, Waiting) and run.activity.kind != RATE_LIMIT
    run = replace(does(run, Working(), at), nudges=run.nudges + failed)
    return tell(replace(task, run=run), event.text, "fleet")
