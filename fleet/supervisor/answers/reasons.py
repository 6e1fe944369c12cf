"""Why a task stands where it stands: the reasons, who says so, and what comes next."""

from datetime import datetime

from fleet import protocol as p
from fleet.core import merge_queue, verdicts
from fleet.core.activity import Waiting
from fleet.core.asking import asked, takes
from fleet.core.causes import ChecksRed, GateRed
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.phrases import note, pair, reason, told_at_length
from fleet.core.rows import SignalRow, WhyView
from fleet.core.schedule import occupied, waits_for
from fleet.core.stacks import expected, lower, stack
from fleet.core.status import Failed, Held, Landed, Queued, Submitted
from fleet.core.views import activity_phrase, needs, needs_since, status_word
from fleet.supervisor.answers.rows import (
    passing,
)
from fleet.supervisor.host import Host, now


async def why(host: Host, query: p.Why) -> WhyView:
    """Say why a task stands where it stands, and what comes next."""
    fleet, given = host.supervisor.fleet, host.circumstances()
    task = find(fleet, query.task)
    return WhyView(
        task=task.id,
        status=status_word(fleet, task),
        needs=needs(fleet, task, given.target(task.repo, task.target)),
        since=needs_since(task),
        because=tuple(_because(host, fleet, task)),
        signals=tuple(_signals(host, task)),
        next=_next_step(fleet, task),
        ask=asked(task.run),
    )


def _because(host: Host, fleet: Fleet, task: Task) -> list[str]:
    said = [*_reasons(host, fleet, task), *_stack(fleet, task)]
    if task.last_cause is not None and not isinstance(task.status, Held | Failed):
        said.append(f"last time: {reason(task.last_cause)}")
        said.extend(pair(task.last_cause))
    said.extend([task.trouble] if task.trouble else [])
    return [*said, *(f"fleet log {task.id} --check {name}" for name in _red(task))]


def _stack(fleet: Fleet, task: Task) -> list[str]:
    """Say where it stands in its stack, and whether that has gone on below it."""
    line = stack(fleet, task)
    told = [f"its stack lands in this order: {', '.join(line)}"] if line else []
    parent = next(lower(fleet, task), None)
    upon = task.change.upon if task.change is not None else task.upon
    if parent is None or upon is None or upon.task != parent.id:
        return told
    if upon.revision != parent.revision:
        was = f"revision {upon.revision} of {parent.id}, which is at revision {parent.revision} now"
        told.append(f"it was made on {was}")
    return told


def _red(task: Task) -> list[str]:
    """Return the checks whose output says why the task did not get through."""
    match task.last_cause:
        case ChecksRed(results=results) | GateRed(results=results) if not isinstance(
            task.status, Landed
        ):
            return [result.name for result in results if not result.green]
        case _:
            return []


def _reasons(host: Host, fleet: Fleet, task: Task) -> list[str]:
    match task.status:
        case Queued(not_before=later):
            names = waits_for(fleet, task)
            waiting = [f"it waits for {expected(fleet, task, name)}" for name in names]
            if later is not None and later > now():
                waiting.append(f"it may start again at {later:%H:%M:%S} UTC")
            held = passing(fleet, task)
            waiting.extend([held] if held else [])
            return waiting or [_no_room(host, fleet)]
        case Submitted():
            policy = host.circumstances().target(task.repo, task.target)
            waits = merge_queue.waits_for(fleet, task, policy)
            said = verdicts.reasons(task, task.change, policy) if waits and task.change else ()
            return [f"its change waits for {waits}" if waits else "it is being landed", *said]
        case Held(cause=cause):
            return [note(cause, target=task.target) if told_at_length(cause) else reason(cause)]
        case Failed(reason=why_failed):
            return [why_failed]
        case _ if task.run is not None and isinstance(task.run.activity, Waiting):
            passes = passing(fleet, task)
            return [passes] if passes else _waits(task.run.activity)
        case _:
            return []


def _waits(activity: Waiting) -> list[str]:
    """Say what it waits for, and all of what it wants to do: nobody should allow half of that."""
    ask = activity.ask
    if ask is None or ask.text in ("", activity.need):
        return [activity.need]
    told = f"{ask.tool}: {ask.text}" if ask.tool else ask.text
    return [activity.need, told, *(f"- {choice}" for choice in ask.choices)]


def _no_room(host: Host, fleet: Fleet) -> str:
    slots = host.tools.policies.fleet.slots
    if occupied(fleet) >= slots:
        return f"all {slots} slots are in use"
    return "it waits for a clean workspace"


def _signals(host: Host, task: Task) -> list[SignalRow]:
    """Return who is believed, who is not, and when it printed last."""
    moment = now()
    judged = host.judge.judged(task.id, moment)
    if judged is None:
        return []
    said = [(judged.wins, True), *((sign, False) for sign in judged.losers)]
    rows = [
        _signal(_SOURCES[it.source], activity_phrase(it.says), it.at, moment, wins=wins)
        for it, wins in said
    ]
    printed = host.vitals.printed(task.id)
    if printed is not None:
        rows.append(_signal("activity", "last output", printed, moment, wins=False))
    return rows


_SOURCES = {
    "hook": "agent's report",
    "report": "status report",
    "presence": "presence file",
    "fleet": "fleet",
    "title": "pane title",
    "retry": "failed request",
    "screen": "screen",
    "process": "process",
}


def _signal(source: str, says: str, at: datetime, moment: datetime, *, wins: bool) -> SignalRow:
    age = max(round((moment - at).total_seconds(), 1), 0.0)
    return SignalRow(source=source, says=says, age_s=age, wins=wins)


def _next_step(fleet: Fleet, task: Task) -> str | None:
    match status_word(fleet, task):
        case "review":
            return f"fleet diff {task.id}, then fleet approve {task.id} or fleet return {task.id}"
        case "conflict" | "returned":
            return f"fleet retry {task.id}, or fleet withdraw {task.id}"
        case "failed" if task.conversation is not None:
            return f"fleet resume {task.id} to take its conversation up, or fleet retry {task.id}"
        case "failed" | "stopped":
            return f"fleet retry {task.id}, or fleet rm {task.id}"
        case "paused":
            return f"fleet resume {task.id}"
        case "waiting" if task.run is None:
            return f"fleet done {task.id} once it is mended, or fleet retry {task.id}"
        case "waiting":
            return None if passing(fleet, task) else _way_to_answer(task)
        case _:
            return None


def _way_to_answer(task: Task) -> str:
    ask = asked(task.run)
    if ask is not None and ask.id is not None:
        words = "|".join("TEXT" if word == "text" else word for word in takes(ask))
        return f"fleet answer {task.id} {words}"
    waits = task.run.activity if task.run else None
    way = _WAYS.get(waits.kind) if isinstance(waits, Waiting) else None
    return (way or "fleet attach {}").format(task.id)


# What gives a live agent what it waits for; what passes by itself needs nothing.
_GO_ON = 'fleet send {} "go on"'
_WAYS = {
    "trust": "fleet attach {}; fleet trust --agents, so that none asks again",
    "login": f"log in with its program, then {_GO_ON}; others of its account follow",
    "budget": f"raise it where you pay for it, then {_GO_ON}; others of its account follow",
    "context": "fleet attach {} and shorten its conversation; or fleet pause and fleet retry it",
    "error": _GO_ON,
    "overloaded": _GO_ON,
}
