"""Writing down how a run is started: what its adapter is told, and what comes of that.

The user's own files are read for adapters that ask for it, and are written in one case alone: where
a person agreed, and the file still holds what the adapter was shown.
"""

import os
import secrets
import uuid
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fleet.agents.adapter import AgentAdapter, Launch, Request, Seed
from fleet.core.model import Repo, Task
from fleet.core.policy import RepoPolicy
from fleet.errors import ToolError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.outputs import with_outputs
from fleet.supervisor.perform.tools import Tools

GRACE_S = 5.0
_LARGEST_CONFIG = 4 * 1024 * 1024  # bytes


class Asked(Struct, frozen=True):
    """Which run is wanted, and where."""

    task: Task
    attempt: int
    worktree: Path
    repo: Repo


def write_launch(tools: Tools, asked: Asked, policy: RepoPolicy) -> str:
    """Write down how the run is started, and return its token.

    Raises:
        FleetError: the agent is not known any more, or the disk refuses.
    """
    task, run_dir = asked.task, tools.home.run(asked.task.id, asked.attempt)
    adapter = tools.adapter(task, policy)
    token = tools.token(task.id, asked.attempt, secrets.token_hex(8))
    for message in task.messages:
        heading = f"Before attempt {asked.attempt}"
        surroundings.add_note(tools, task.id, heading, with_outputs(message.text, task))
    environment = surroundings.agent_environment(tools, task, policy)
    for name in adapter.scrub:
        environment.pop(name, None)
    launch = _launch(tools, adapter, _request(tools, adapter, asked, policy, environment))
    for name in launch.unset:
        environment.pop(name, None)
    for name, text in launch.files.items():
        surroundings.write_private(run_dir.root / name, text.encode())
    written = {
        "token": token,
        "argv": launch.argv,
        "cwd": str(asked.worktree),
        "env": environment | launch.env | {"FLEET_RUN": token},
        "grace_s": GRACE_S,
        "title": task.spec.title,
        "reports": adapter.reports,
    }
    surroundings.write_private(run_dir.launch, msgspec.json.encode(written))
    return token


def _request(
    tools: Tools,
    adapter: AgentAdapter,
    asked: Asked,
    policy: RepoPolicy,
    environment: dict[str, str],
) -> Request:
    home, task = tools.home, asked.task
    options = tools.policies.options(policy, adapter.name)
    argv, worktree = adapter.version_argv(), str(asked.worktree)
    return Request(
        task=task.id,
        prompt=task.spec.prompt,
        worktree=worktree,
        run_dir=str(home.run(task.id, asked.attempt).root),
        home=str(home.root),
        notes=str(home.notes(task.id)),
        model=task.spec.model or options.model,
        effort=task.spec.effort or options.effort,
        conversation=task.conversation,
        attempt=asked.attempt,
        messages=tuple(message.text for message in task.messages),
        fresh=str(uuid.uuid4()),
        repo=asked.repo.root,
        version=tools.versions.of(argv, environment=environment, cwd=worktree) if argv else None,
        permission=options.permission,
        allow=options.allow,
        environment=dict(environment),
        consents=asked.repo.consents,
    )


def _launch(tools: Tools, adapter: AgentAdapter, request: Request) -> Launch:
    """Ask the adapter, with the user's files that it wants to see, and seed those it may."""
    with tools.seeding:  # runs that start together would each write what it has read alone
        shown = {path: _text(Path(path)) for path in adapter.config_files(request)}
        known = {path: text for path, (readable, text) in shown.items() if readable}
        launch = adapter.launch(replace(request, config=known))
        for seed in launch.seeds:
            if seed.path in known and _text(Path(seed.path)) == (True, known[seed.path]):
                _plant(seed)
    return launch


def _text(path: Path) -> tuple[bool, str | None]:
    """Return whether it is known what a file holds, and that: None where there is no file."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_CONFIG + 1)
        return len(content) <= _LARGEST_CONFIG, content.decode()
    except FileNotFoundError:
        return True, None
    except (OSError, UnicodeDecodeError):
        return False, None


def _plant(seed: Seed) -> None:
    """Replace a file whole, where it really is, and leave its mode."""
    file = Path(os.path.realpath(seed.path))
    new = file.with_name(f".{file.name}.fleet-{secrets.token_hex(4)}")
    try:
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            os.fchmod(handle, mode)
            stream.write(seed.text)
        new.replace(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ToolError(f"cannot write {file}: {error.strerror}") from error
