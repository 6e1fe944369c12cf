"""Answering what a live agent asks: only what is asked now, and only in a way that fits it."""

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.asking import asked, takes
from fleet.core.decide.decision import Decision
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.rows import Ask
from fleet.errors import RefusedError, UsageError

LONGEST = 8_000  # characters, so that whatever they are packed into goes through a pipe at once


def answer(fleet: Fleet, command: c.Answer, facts: None, actor: str) -> Decision:
    """Take a person's answer; what becomes of it is settled once the agent was told."""
    task = find(fleet, command.task)
    ask = _asked(task, command)
    _fits(task, ask, command)
    run = task.run
    if run is None or ask.id is None:
        raise RefusedError(
            f"what {task.id} asks can be answered in its pane only",
            hint=f"fleet attach {task.id}",
        )
    if run.answer is not None:
        raise RefusedError(f"{task.id} is being answered already", hint=f"fleet why {task.id}")
    given = e.AnswerGiven(
        task=task.id,
        attempt=run.attempt,
        ask=ask.id,
        verdict=command.verdict,
        text=command.text,
        by=actor,
    )
    return Decision((given,), {"task": task.id, "ask": ask.id})


def _asked(task: Task, command: c.Answer) -> Ask:
    ask = asked(task.run)
    if ask is None:
        raise RefusedError(f"{task.id} asks nothing now", hint=f"fleet why {task.id}")
    if command.ask is not None and command.ask != ask.id:
        raise RefusedError(
            f"{task.id} asks something else by now", hint=f"read it first: fleet why {task.id}"
        )
    return ask


def _fits(task: Task, ask: Ask, command: c.Answer) -> None:
    if command.verdict == "text" and not command.text.strip():
        raise UsageError("the answer is empty", hint=f"fleet answer {task.id} 'some text'")
    if len(command.text) > LONGEST:
        raise UsageError(f"an answer has at most {LONGEST} characters", hint="say it shorter")
    allowed = takes(ask)
    if command.verdict not in allowed:
        words = " or ".join("TEXT" if word == "text" else word for word in allowed)
        raise RefusedError(
            f"{task.id} asks for {_called(ask)}, which {command.verdict} does not answer",
            hint=f"fleet answer {task.id} {words}",
        )


def _called(ask: Ask) -> str:
    return {"permission": "a permission", "plan": "a verdict on a plan"}.get(ask.kind, "an answer")
