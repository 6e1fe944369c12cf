"""Giving a live agent the answer to what it asks, by the hook that waits for it."""

import contextlib
import threading

import msgspec

from fleet.agents.adapter import SaysWaiting
from fleet.core import events as e
from fleet.core.effects import PassAnswer
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.errors import FleetError, ToolError
from fleet.supervisor.perform.surroundings import write_private
from fleet.supervisor.perform.tools import Tools
from fleet.tools.pipes import give, waits

_GONE = "it was answered in its pane"


class Kept(msgspec.Struct, frozen=True):
    """An open question: what the agent's hook came with, and what that was understood as."""

    payload: bytes
    said: SaysWaiting


def keep(tools: Tools, task: TaskId, attempt: int, ask: str, kept: Kept) -> None:
    """Keep what a question came with, in a file that only the user reads, until it is over."""
    folder = tools.home.run(task, attempt).asks
    for old in folder.iterdir() if folder.is_dir() else ():
        if not waits(tools.home.asks / old.name):
            old.unlink(missing_ok=True)
    write_private(folder / ask, msgspec.json.encode(kept))


def others(tools: Tools, task: TaskId, attempt: int) -> list[tuple[str, SaysWaiting]]:
    """Return the questions of a run whose hooks still wait, oldest first."""
    folder = tools.home.run(task, attempt).asks
    names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    found = ((name, _kept(tools, task, attempt, name)) for name in names)
    return [(name, kept.said) for name, kept in found if kept and waits(tools.home.asks / name)]


def dismiss(tools: Tools, task: TaskId, attempt: int) -> None:
    """Have all hooks of a run that still wait end, and say nothing."""
    folder = tools.home.run(task, attempt).asks
    for file in folder.iterdir() if folder.is_dir() else ():
        pipe = tools.home.asks / file.name
        with contextlib.suppress(ToolError):  # it waits, and takes nothing: its agent ends it
            if not give(pipe, ""):
                pipe.unlink(missing_ok=True)  # its hook was killed


def leave_to_pane(tools: Tools, task: TaskId, attempt: int) -> None:
    """Have hooks decide nothing that keep a person in the pane from a dialog of its own there."""
    for name, said in others(tools, task, attempt):
        if said.hides:
            with contextlib.suppress(ToolError):
                give(tools.home.asks / name, "")


def pass_answer(
    tools: Tools, effect: PassAnswer, fleet: Fleet, stop: threading.Event
) -> list[e.AnyEvent]:
    """Write the answer where the agent's hook waits; where none waits, somebody was first."""
    task = fleet.tasks[effect.task]
    given = task.run.answer if task.run else None
    kept = _kept(tools, task.id, effect.attempt, effect.ask)
    if given is None or kept is None:
        return [_settled(effect, "refused", "nothing is known of what it asked", over=True)]
    try:
        text = tools.adapter(task).answer(kept.payload, given.verdict, given.text)
        if text is None:
            return [_settled(effect, "refused", "its agent takes no such answer")]
        return [_give(tools, effect, text)]
    except FleetError as error:
        return [_settled(effect, "refused", error.message)]


def _give(tools: Tools, effect: PassAnswer, text: str) -> e.AnswerSettled:
    pipe, folder = tools.home.asks / effect.ask, tools.home.run(effect.task, effect.attempt).asks
    written = folder / f".{effect.ask}.given"
    # What a supervisor wrote before it was killed is not told to have come too late.
    before = written.exists()
    if waits(pipe):
        write_private(written, b"")
    if give(pipe, text) or before:
        return _settled(effect, "delivered")
    return _settled(effect, "refused", _GONE, over=True)


def _kept(tools: Tools, task: TaskId, attempt: int, ask: str) -> Kept | None:
    file = tools.home.run(task, attempt).asks / ask
    if ask.startswith(".") or "/" in ask:
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        tools.note_garbage(f"{file}: {error}")
        return None


def _settled(
    effect: PassAnswer, outcome: str, reason: str = "", *, over: bool = False
) -> e.AnswerSettled:
    return e.AnswerSettled(
        task=effect.task,
        attempt=effect.attempt,
        ask=effect.ask,
        outcome=outcome,
        reason=reason,
        over=over,
    )
