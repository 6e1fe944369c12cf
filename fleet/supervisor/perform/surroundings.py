"""What an agent and its checks find around them: environment, ports, copied files, notes."""

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy
from fleet.errors import ToolError
from fleet.supervisor.perform.tools import Tools

_FALLBACK = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG")
_LAST_PORT = 60_000
T = TypeVar("T")


class Prepared(msgspec.Struct, frozen=True):
    """What was made ready once for a task's workspace: fleet's own files in it."""

    slot: int
    files: tuple[str, ...] = ()


class Usage(msgspec.Struct, frozen=True):
    """What a run has used, as far as its agent tells: the sum of its meters, where it has any."""

    cost_usd: float | None = None
    tokens: int | None = None
    meters: dict[str, "Usage"] = {}


def store_environment(tools: Tools, task: TaskId, environment: dict[str, str]) -> None:
    """Keep what the client sent for the task's agents, in a file that only the user can read."""
    write_private(tools.home.environment(task), msgspec.json.encode(environment))


def base_environment(tools: Tools, task: TaskId) -> dict[str, str]:
    """Return what the client sent; a bare minimum of our own where that is gone.

    Raises:
        ToolError: somebody spoiled the file: an agent of theirs would lack what it needs.
    """
    stored = _stored(tools.home.environment(task), dict[str, str])
    if stored is not None:
        return stored
    return {name: os.environ[name] for name in _FALLBACK if name in os.environ}


def agent_environment(tools: Tools, task: Task, policy: RepoPolicy) -> dict[str, str]:
    """Return the environment of a task's agent and checks, without what names one run.

    Last on its PATH is the home's own `fleet`: where a person has none, an agent has.
    """
    base = base_environment(tools, task.id)
    return base | {
        "PATH": f"{base.get('PATH') or os.defpath}:{tools.home.command.parent}",
        "FLEET_HOME": str(tools.home.root),
        "FLEET_TASK": task.id,
        "FLEET_NOTES": str(tools.home.notes(task.id)),
        "FLEET_PORT": str(port_block(tools, task.id, size=policy.ports)),
    }


def port_block(tools: Tools, task: TaskId, *, size: int) -> int:
    """Return the first of `size` ports that no other task has, the same for all of its runs.

    Raises:
        ToolError: so many ports are not free together.
    """
    own = tools.home.task(task) / "port"
    with tools.ports:
        if known := _block(own):
            return known.start
        taken = {port for file in own.parent.parent.glob("*/port") for port in _block(file)}
        span, first = max(size, 1), tools.policies.fleet.first_port
        for start in range(first, _LAST_PORT - span + 1, span):
            block = range(start, start + span)
            if taken.isdisjoint(block) and _all_free(block):
                write_private(own, f"{start} {span}".encode())
                return start
    raise ToolError(
        f"no {span} ports are free from {first} on", hint="remove tasks, or set first_port"
    )


def _block(file: Path) -> range:
    """Return the ports that a task was given: none where it was not, or nobody can tell."""
    try:
        start, span = map(int, file.read_bytes().split())
    except (OSError, ValueError):
        return range(0)
    return range(start, start + span)


def _all_free(ports: range) -> bool:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def forget(tools: Tools, task: TaskId) -> None:
    """Delete what only living tasks need: their secrets, wherever they are, and their ports."""
    folder = tools.home.task(task)
    launches = folder.glob("runs/*/launch.json*")
    for file in (tools.home.environment(task), folder / "port", *launches):
        _delete(file)


def prepared(tools: Tools, task: Task) -> Prepared | None:
    """Return what was made ready in the workspace that the task has now, if it was."""
    found = _noted(_prepared_note(tools, task), Prepared)
    return found if found and found.slot == task.slot else None


def note_prepared(tools: Tools, task: Task, value: Prepared) -> None:
    write_private(_prepared_note(tools, task), msgspec.json.encode(value))


def forget_prepared(tools: Tools, task: Task) -> None:
    _delete(_prepared_note(tools, task))


def _prepared_note(tools: Tools, task: Task) -> Path:
    return tools.home.task(task.id) / "prepared.json"


def _noted(file: Path, kind: type[T]) -> T | None:
    """Return what we noted; where somebody spoiled it, it is done again."""
    try:
        return _stored(file, kind)
    except ToolError:
        return None


def _stored(file: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise ToolError(f"cannot read {file}: {error}") from error


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise ToolError(f"cannot delete {file}: {error.strerror}") from error


def add_note(tools: Tools, task: TaskId, heading: str, text: str) -> None:
    """Add to the notes that every attempt finds, and may add to itself."""
    notes = tools.home.notes(task)
    notes.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with notes.open("a", encoding="utf-8") as file:
        file.write(f"## {heading}\n\n{text.rstrip()}\n\n")


def add_usage(tools: Tools, task: TaskId, attempt: int, used: Usage, *, meter: str = "") -> Usage:
    """Note what a meter of one run shows, and return what all runs of its task have used."""
    own = tools.home.run(task, attempt).root / "usage.json"
    known = _noted(own, Usage) or Usage()
    meters = known.meters or {"": replace(known, meters={})}
    before = meters.get(meter, Usage())
    now = Usage(
        cost_usd=before.cost_usd if used.cost_usd is None else used.cost_usd,
        tokens=before.tokens if used.tokens is None else used.tokens,
    )
    meters = meters | {meter: now}
    write_private(own, msgspec.json.encode(replace(_sum(meters.values()), meters=meters)))
    return _sum(_noted(file, Usage) or Usage() for file in own.parent.parent.glob("*/usage.json"))


def _sum(usages: Iterable[Usage]) -> Usage:
    every = list(usages)
    return Usage(
        cost_usd=sum(one.cost_usd or 0.0 for one in every),
        tokens=sum(one.tokens or 0 for one in every),
    )


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only the user can read, whole or not at all.

    Raises:
        ToolError: the disk is full, or something is in the way.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = file.with_name(f"{file.name}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        new.replace(file)
    except OSError as error:
        raise ToolError(f"cannot write {file}: {error.strerror}") from error
