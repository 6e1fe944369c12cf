"""The place of the demonstration: a repository and a fleet home that leave nothing behind."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from fleet.client import Client
from fleet.client.environment import without_tmux
from fleet.client.programs import fleet_module, program
from fleet.client.starting import ended
from fleet.errors import FleetError
from fleet.paths import Home
from fleet.protocol import Shutdown

_Handler = Callable[[int, FrameType | None], None] | signal.Handlers
_GONE_S = 20.0
# A person's own settings (signatures, hooks, another name) have no part in the play.
_SETTINGS = {
    "user.name": "fleet demo",
    "user.email": "demo@fleet.invalid",
    "commit.gpgSign": "false",
    "core.hooksPath": os.devnull,
}


@dataclass(frozen=True)
class Stage:
    """A repository, and a home of its own for the supervisor that works on it."""

    root: Path

    @property
    def repository(self) -> Path:
        return self.root / "repo"

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    @property
    def config(self) -> Path:
        return self.root / "config"

    def git(self, *arguments: str) -> str:
        """Run git in the repository, and return what it prints."""
        argv = ("git", "-C", str(self.repository), *arguments)
        return program(*argv, cwd=self.root, environment=_git_environment())


@contextmanager
def stage(*, keep: bool) -> Iterator[Stage]:
    """Set up a stage, and clear it away whatever happens, unless it is to be kept."""
    place = Stage(Path(tempfile.mkdtemp(prefix="fleet-demo-")))
    with _handling(_interrupt, signal.SIGTERM, signal.SIGHUP), _settings_apart(place):
        try:
            _make_repository(place)
            yield place
        finally:
            if not keep:
                with _handling(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    strike(place)  # whoever types Ctrl-C twice, too, is left with nothing


def strike(place: Stage) -> None:
    """End the stage's supervisor with all its agents, then remove everything."""
    _end(place.home)
    for path in (place.home.socket(), place.home.tmux_socket()):
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()  # other fleets may be there
    shutil.rmtree(place.root, ignore_errors=True)


def _end(home: Home) -> None:
    if not home.root.exists():
        return
    with suppress(FleetError):
        # One that we were interrupted in starting hears nothing yet: starting it waits for it.
        with Client.connect(home, start=True) as client:
            client.ask(Shutdown(stop_agents=True))
        if ended(home, within=_GONE_S):
            return
    with suppress(FleetError):
        fleet_module("fleet.supervisor.sweep", str(home.root), home=home)


def _make_repository(place: Stage) -> None:
    place.repository.mkdir()
    place.git("init", "-q", "-b", "main")
    for name, value in _SETTINGS.items():
        place.git("config", name, value)
    (place.repository / "README.md").write_text("# a repository for fleet demo\n")
    (place.repository / "motto.txt").write_text("no motto yet\n")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "begin")


def _git_environment() -> dict[str, str]:
    ours = without_tmux()
    return {name: value for name, value in ours.items() if not name.startswith("GIT_")}


@contextmanager
def _settings_apart(place: Stage) -> Iterator[None]:
    """Keep the person's own fleet configuration, and the task we may be in, out of the play."""
    mine = {"XDG_CONFIG_HOME": str(place.config)}
    before = dict(os.environ)
    os.environ.pop("FLEET_TASK", None)
    os.environ.update(mine)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    """End us as Ctrl-C does: by way of all that must be cleared away."""
    raise KeyboardInterrupt


@contextmanager
def _handling(handler: _Handler, *signals: signal.Signals) -> Iterator[None]:
    before = {it: signal.signal(it, handler) for it in signals}
    try:
        yield
    finally:
        for it, earlier in before.items():
            signal.signal(it, earlier)
