"""Steering tasks and their runs: stop, pause, resume, retry, done, send."""

from typing import Any

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.comments import unanswered
from fleet.core.decide.decision import Decision
from fleet.core.model import Fleet, Task
from fleet.core.names import find, present
from fleet.core.status import (
    Ending,
    Failed,
    Held,
    Outcome,
    Paused,
    Queued,
    Running,
    Starting,
    Stopped,
    Submitted,
    ToPause,
    ToRequeue,
    ToSeal,
    ToStop,
    Withdrawn,
)
from fleet.errors import RefusedError, UsageError


def refuse_landing(task: Task) -> None:
    """Refuse to touch what is just being landed: its intent is on record."""
    if task.landing:
        raise RefusedError(f"{task.id} is being landed", hint=f"fleet wait {task.id}")


def _ended(task: Task) -> RefusedError:
    return RefusedError(f"{task.id} has ended already", hint=f"fleet show {task.id}")


def _end(task: Task, outcome: Outcome, why: str) -> e.EndingBegan:
    return e.EndingBegan(task=task.id, attempt=task.attempt, outcome=outcome, why=why)


def _at_work(task: Task) -> bool:
    return task.run is not None or isinstance(task.status, Starting | Ending)


def stop(fleet: Fleet, command: c.Stop, facts: None, actor: str) -> Decision:
    """End run and task; the work stays where it is."""
    task = find(fleet, command.task)
    if task.ended:
        raise _ended(task)
    refuse_landing(task)
    return Decision((_stop(task, actor),), {"task": task.id})


def _stop(task: Task, actor: str) -> e.AnyEvent:
    if _at_work(task):
        return _end(task, ToStop(actor), f"stopped by {actor}")
    return e.TaskStopped(task=task.id, by=actor)


def stop_all(fleet: Fleet, command: c.StopAll, facts: None, actor: str) -> Decision:
    """Stop whatever has not ended; what waits in the merge queue stays there."""
    tasks = [
        task
        for task in fleet.tasks.values()
        if not task.ended and not isinstance(task.status, Submitted)
    ]
    return Decision(tuple(_stop(task, actor) for task in tasks), {"tasks": [t.id for t in tasks]})


def pause(fleet: Fleet, command: c.Pause, facts: None, actor: str) -> Decision:
    """Put a task aside; a running agent is ended and its slot is free."""
    task = find(fleet, command.task)
    if isinstance(task.status, Queued):
        return Decision((e.TaskPaused(task=task.id, by=actor),), {"task": task.id})
    if isinstance(task.status, Running | Starting):
        return Decision((_end(task, ToPause(actor), f"paused by {actor}"),), {"task": task.id})
    raise RefusedError(f"{task.id} neither waits for a slot nor runs", hint=f"fleet show {task.id}")


def resume(fleet: Fleet, command: c.Resume, facts: None, actor: str) -> Decision:
    """Take up again what was paused or stopped, and a conversation that broke off."""
    task = present(fleet, command.task)
    broke_off = isinstance(task.status, Failed) and task.conversation is not None
    if not broke_off and not isinstance(task.status, Paused | Stopped):
        raise RefusedError(f"{task.id} is not paused", hint=f"fleet show {task.id}")
    _needs_agent(task)
    return Decision((e.TaskResumed(task=task.id, by=actor),), {"task": task.id})


def retry(fleet: Fleet, command: c.Retry, facts: None, actor: str) -> Decision:
    """Begin again with a fresh context and all attempts anew; the work so far stays."""
    task = present(fleet, command.task)
    if not isinstance(task.status, Failed | Stopped | Withdrawn | Held | Paused):
        raise RefusedError(
            f"{task.id} has not ended and waits for nobody", hint=f"fleet stop {task.id} first"
        )
    _needs_agent(task)
    resumed = e.TaskResumed(task=task.id, by=actor, fresh=True)
    if task.run is not None:
        return Decision((resumed, _end(task, ToRequeue(), "retry")), {"task": task.id})
    return Decision((resumed,), {"task": task.id})


def _needs_agent(task: Task) -> None:
    if task.spec.agent is None:
        raise RefusedError(
            f"{task.id} is a branch made by hand and has no agent",
            hint=f"commit to it, then type: fleet submit {task.branch}",
        )


def done(fleet: Fleet, command: c.DeclareDone, facts: None, actor: str) -> Decision:
    """Take the work as it stands: sealed, checked, put up for review."""
    task = find(fleet, command.task)
    by_hand = isinstance(task.status, Held) and task.slot is not None  # a person may have mended it
    if not by_hand and (not isinstance(task.status, Running) or task.run is None):
        raise RefusedError(f"{task.id} has no agent at work", hint=f"fleet show {task.id}")
    if (
        task.run is not None and not task.spec.converses
    ):  # nothing could be said to it later, so its process ends here
        return Decision((_end(task, ToSeal(), f"done, says {actor}"),), _answer(task))
    declared = e.DoneDeclared(task=task.id, attempt=task.attempt, by=actor)
    return Decision((declared,), _answer(task))


def _answer(task: Task) -> dict[str, Any]:
    """Name the task, and the comments that nobody has answered."""
    missing = [it.id for it in unanswered(task.comments)]
    return {"task": task.id, "unanswered": missing} if missing else {"task": task.id}


def send(fleet: Fleet, command: c.Send, facts: None, actor: str) -> Decision:
    """Tell a live agent something, or all of them; the answer names the messages."""
    if not command.text.strip():
        raise UsageError("there is nothing to send", hint="fleet send TASK 'some text'")
    tasks = [find(fleet, command.task)] if command.task else _listeners(fleet)
    for task in tasks:
        _must_listen(task)
    events = [e.MessageQueued(task=task.id, text=command.text, by=actor) for task in tasks]
    sent = [{"task": task.id, "message": task.next_message} for task in tasks]
    return Decision(tuple(events), {"sent": sent})


def _listeners(fleet: Fleet) -> list[Task]:
    return [task for task in fleet.tasks.values() if _alive(task) and task.spec.converses]


def _alive(task: Task) -> bool:
    return task.run is not None and task.run.leaving is None


def _must_listen(task: Task) -> None:
    if not _alive(task):
        raise RefusedError(f"{task.id} has no agent at work", hint=f"fleet show {task.id}")
    if not task.spec.converses:
        raise RefusedError(
            f"the agent of {task.id} ({task.spec.agent}) reads no messages",
            hint=f"type into its pane: fleet attach {task.id}",
        )
