"""What an agent and its checks find around them: environment, ports, copied files, notes."""

import os
import socket
from pathlib import Path

import msgspec

from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy
from fleet.supervisor.perform.tools import Tools

_FALLBACK = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG")
_LAST_PORT = 60_000


class Prepared(msgspec.Struct, frozen=True):
    """What was made ready once for a task's workspace: fleet's own files in it, and its ports."""

    slot: int
    files: tuple[str, ...] = ()


def store_environment(tools: Tools, task: TaskId, environment: dict[str, str]) -> None:
    """Keep what the client sent for the task's agents, in a file that only the user can read."""
    write_private(tools.home.environment(task), msgspec.json.encode(environment))


def base_environment(tools: Tools, task: TaskId) -> dict[str, str]:
    """Return what the client sent; a bare minimum of our own where that is gone."""
    try:
        stored = tools.home.environment(task).read_bytes()
    except FileNotFoundError:
        return {name: os.environ[name] for name in _FALLBACK if name in os.environ}
    return msgspec.json.decode(stored, type=dict[str, str])


def agent_environment(tools: Tools, task: Task, policy: RepoPolicy) -> dict[str, str]:
    """Return the environment of a task's agent and checks, without what names one run."""
    return base_environment(tools, task.id) | {
        "FLEET_HOME": str(tools.home.root),
        "FLEET_TASK": task.id,
        "FLEET_NOTES": str(tools.home.notes(task.id)),
        "FLEET_PORT": str(port_block(tools, task.id, size=policy.ports)),
    }


def port_block(tools: Tools, task: TaskId, *, size: int) -> int:
    """Return the first of `size` ports that no other task has, the same for all of its runs."""
    own = tools.home.task(task) / "port"
    with tools.ports:
        if own.exists():
            return int(own.read_text())
        taken = _taken_ports(tools)
        first = tools.policies.fleet.first_port
        span = max(size, 1)
        for start in range(first, _LAST_PORT, span):
            block = range(start, start + span)
            if not any(port in taken for port in block) and _all_free(block):
                write_private(own, str(start).encode())
                return start
    return first


def _taken_ports(tools: Tools) -> set[int]:
    taken: set[int] = set()
    for file in (tools.home.root / "tasks").glob("*/port"):
        start = int(file.read_text())
        policy = max((p.ports for p in tools.policies.repos.values()), default=10)
        taken.update(range(start, start + max(policy, 1)))
    return taken


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
    """Delete what only living tasks need: their secrets and their ports."""
    for file in (tools.home.environment(task), tools.home.task(task) / "port"):
        file.unlink(missing_ok=True)


def prepared(tools: Tools, task: Task) -> Prepared | None:
    """Return what was made ready in the workspace that the task has now, if it was."""
    try:
        stored = (tools.home.task(task.id) / "prepared.json").read_bytes()
    except FileNotFoundError:
        return None
    found = msgspec.json.decode(stored, type=Prepared)
    return found if found.slot == task.slot else None


def note_prepared(tools: Tools, task: Task, value: Prepared) -> None:
    write_private(tools.home.task(task.id) / "prepared.json", msgspec.json.encode(value))


def add_note(tools: Tools, task: TaskId, heading: str, text: str) -> None:
    """Add to the notes that every attempt finds, and may add to itself."""
    notes = tools.home.notes(task)
    notes.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with notes.open("a", encoding="utf-8") as file:
        file.write(f"## {heading}\n\n{text.rstrip()}\n\n")


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only the user can read, whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    new.replace(file)
