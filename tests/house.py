"""A supervisor with all of its real tools, in this process: on a home, a repository and a tmux
server of its own.
"""

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from fleet import paths
from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import RepoId, TaskId
from fleet.core.model import Fleet, Repo, Task
from fleet.core.policy import RepoPolicy
from fleet.core.views import status_word
from fleet.home import open_home
from fleet.ledger import Ledger
from fleet.supervisor import running
from fleet.supervisor.asking import facts_for
from fleet.supervisor.host import Host, Vitals, circumstances, now
from fleet.supervisor.loop import Supervisor
from fleet.supervisor.perform import _PERFORMERS, RealWorld, surroundings
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.policies import Policies
from fleet.tools.tmux.input import Keyboard
from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.server import Server as TmuxServer

SOON_S = 20.0
COMMIT = "git add -A && git commit -qm work"


def git(cwd: Path, *args: str) -> str:
    """Run git as its user types it, and return what it prints."""
    done = subprocess.run(["git", "-C", cwd, *args], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout.strip()


class House:
    """The supervisor, and short ways to ask it for what tests ask for."""

    def __init__(self, root: Path, repo: Path) -> None:
        self.home, self.repo = paths.Home(root), repo
        identity = open_home(self.home)
        self.ledger = Ledger.open(self.home.ledger)
        socket, conf = self.home.tmux_socket(), self.home.root / "tmux.conf"
        panes = Panes(TmuxServer(socket, conf=conf, env=dict(os.environ)))
        vitals, policies = Vitals(), Policies()
        self._policies = policies
        self.configure()
        self.tools = tools = Tools(
            home=self.home,
            home_id=identity.id,
            panes=panes,
            keyboard=Keyboard(panes),
            policies=policies,
            note_garbage=vitals.note_garbage,
        )
        self.world = RealWorld(tools)
        self.supervisor = Supervisor(
            self.ledger, self.world, now=now, given=lambda: circumstances(tools, vitals)
        )
        self.host = Host(self.home, tools, vitals, self.supervisor, now(), version="1.2.3")

    def configure(self, text: str = "") -> None:
        """Write the user's own configuration, and read it."""
        file = paths.user_config()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"pool: 0\n{text}")
        self._policies.read_user()

    def govern(self, target: str = "main", **said: Any) -> None:
        """Put a file of the target in force that says so, and that a person has trusted."""
        digest = f"file {len(self.the_repo.trusted) + 1}"
        self.tools.policies.keep(self.repo_id, target, RepoPolicy(digest=digest, **said))
        self.record(e.PolicyTrusted(repo=self.repo_id, digest=digest))

    @property
    def fleet(self) -> Fleet:
        return self.supervisor.fleet

    @property
    def the_repo(self) -> Repo:
        return next(iter(self.fleet.repos.values()))

    @property
    def repo_id(self) -> RepoId:
        return self.the_repo.id

    @property
    def degraded(self) -> list[str]:
        return self.host.vitals.garbage

    def task(self, name: str) -> Task:
        return self.fleet.tasks[TaskId(name)]

    def word(self, name: str) -> str:
        return status_word(self.fleet, self.task(name))

    def submit(self, command: c.AnyCommand, *, actor: str = "person") -> dict[str, Any]:
        facts = facts_for(self.tools, command, self.fleet)
        return self.supervisor.submit(command, facts, actor=actor)

    def spawn(self, prompt: str, name: str = "a", **options: Any) -> TaskId:
        """Add a task, as a client would."""
        given = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        git_names = {key: os.environ[key] for key in os.environ if key.startswith("GIT_")}
        environment = given | git_names | options.pop("environment", {})
        where = str(options.pop("cwd", self.repo))
        self.submit(
            c.Spawn(cwd=where, prompt=prompt, name=name, environment=environment, **options)
        )
        surroundings.store_environment(self.tools, TaskId(name), environment)
        return TaskId(name)

    def record(self, *facts: e.AnyEvent) -> None:
        self.supervisor.record(facts)

    def events(self, kind: type[e.Event]) -> list[Any]:
        return [entry.event for entry in self.supervisor.entries(0) if type(entry.event) is kind]

    def perform(self, effect: f.AnyEffect) -> Sequence[e.AnyEvent]:
        """Carry out one effect now, on the present state, and record nothing."""
        return _PERFORMERS[type(effect)](self.tools, effect, self.fleet, threading.Event())

    async def settled(self) -> None:
        async with asyncio.timeout(SOON_S):
            await self.supervisor.settled()
        assert self.supervisor.crashed is None, self.supervisor.crashed

    async def until(self, condition: Callable[[Fleet], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            await self.supervisor.until(condition)
        assert self.supervisor.crashed is None, self.supervisor.crashed

    async def until_word(self, name: str, *words: str) -> Task:
        """Wait until the task reads as one of `words`, and return it."""
        try:
            await self.until(lambda _: self.word(name) in words)
        except TimeoutError:
            raise AssertionError(f"{name} is {self.word(name)}, not {words}") from None
        return self.task(name)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Notice the end of runs and the words of agents meanwhile."""
        with running._watching(self.host):
            yield

    def quiet(self) -> None:
        """Begin nothing by itself from here on: the test says what is carried out."""
        self.supervisor.closing = True

    def begin(self, prompt: str, name: str = "a", **options: Any) -> Task:
        """Bring a task to where its first run is to be started, with nothing begun by itself."""
        self.quiet()
        self.spawn(prompt, name, **options)
        slot = len(self.the_repo.slots) + 1
        self.record(e.SlotPlanned(repo=self.repo_id, slot=slot))
        self.record(*self.perform(f.MakeSlot(self.repo_id, slot)))
        self.record(e.WorkspaceAssigned(task=TaskId(name), slot=slot))
        self.attempt(name)
        return self.task(name)

    def attempt(self, name: str = "a") -> int:
        """Let the next attempt begin."""
        task = self.task(name)
        number = task.attempt + 1
        self.record(e.AttemptBegan(task=task.id, attempt=number, base=task.base))
        return number

    def start(self, name: str = "a") -> e.AnyEvent:
        """Carry out the start of the present attempt; what comes of it is not recorded."""
        task = self.task(name)
        [event] = self.perform(f.StartRun(task.id, task.attempt))
        return event

    async def close(self) -> None:
        await self.supervisor.close()
        self.host.radar.close()
        self.world.close()
        self.tools.panes.server.disconnect()
        self.ledger.close()
