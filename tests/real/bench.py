"""What a test does with real agents: start them, see what fleet shows, press keys, answer."""

import itertools
import json
import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import yaml
from place import Place
from real.api import Api, Asked
from real.clis import Cli
from waiting import until

from fleet import protocol as p
from fleet.agents import registry
from fleet.agents.adapter import AgentAdapter
from fleet.client import Client
from fleet.errors import FleetError

PATIENCE_S = 300.0  # where several programs start at once: one of them takes 15 s of CPU
_BETWEEN_KEYS_S = "0.2"
_NUMBERS = itertools.count()


def prepare(place: Place, cli: Cli, program: Path, url: str) -> None:
    """Make of a place the machine of someone who has used an agent before, in a repository."""
    programs = place.root / "bin"
    programs.mkdir(mode=0o700)
    (programs / cli.name).symlink_to(program)
    place.env["PATH"] = f"{programs}:{place.env['PATH']}"
    cli.prepare(place, url)
    configure(place, cli)
    place.make_repo()
    place.fleet("trust", "--agents")


def configure(place: Place, cli: Cli, **options: str) -> None:
    """Configure fleet: the agents that start from now on have these options."""
    options = cli.options | options
    content = {"slots": 20, "env": list(cli.env)}
    place.configure(yaml.safe_dump(content | {"agent_options": {cli.name: options}}))


@dataclass
class Bench:
    """The agents of one test."""

    place: Place
    api: Api
    cli: Cli
    tasks: list[str] = field(default_factory=list)

    def spawn(self, prompt: str, *options: str, cwd: Path | None = None) -> str:
        """Start an agent on a prompt, and return its task."""
        return self.start(self.next_name(), prompt, *options, cwd=cwd)

    def next_name(self) -> str:
        return f"agent-{next(_NUMBERS):03}"

    def start(self, task: str, prompt: str, *options: str, cwd: Path | None = None) -> str:
        self.tasks.append(task)
        words = ("--agent", self.cli.name, "--name", task, "-p", f"{prompt} ({task})")
        self.place.fleet("spawn", *words, *options, cwd=cwd)
        return task

    def mode(self, mode: str | None = None) -> None:
        """Have the agents that start from now on begin in one of their modes, else as before."""
        configure(self.place, self.cli, **({"permission": mode} if mode else {}))

    def end(self) -> None:
        for task in self.tasks:
            self.place.fleet("stop", task, ok=None)
            self.place.fleet("rm", task, ok=None)

    # --- what fleet shows -------------------------------------------------------------------------

    def row(self, task: str) -> dict[str, Any]:
        row: dict[str, Any] = self.place.show(task)["row"]
        return row

    def shows(self, task: str, *words: str, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the status is one of `words`, and return the row."""
        seen: list[str] = []

        def there() -> dict[str, Any] | None:
            with suppress(FleetError):
                row = self.row(task)
                seen.append(f"{row['status']} ({row['needs']})")
                return row if row["status"] in words else None
            return None

        try:
            return until(there, timeout=timeout)
        except AssertionError:
            screen = self.screen(task)
            raise AssertionError(f"{task} is not {words}: {seen[-1:]}\n{screen}") from None

    def asks(self, task: str) -> dict[str, Any]:
        """Wait until it asks something that can be answered from outside."""

        def there() -> dict[str, Any] | None:
            ask: dict[str, Any] | None = self.why(task).get("ask")
            return ask if ask and ask["id"] else None

        return until(there, timeout=PATIENCE_S, what=f"a question of {task}")

    def tells_cost(self, task: str) -> float:
        """Wait until it is known what a task has used so far: in USD, else in tokens."""
        return until(lambda: self.used(task), timeout=PATIENCE_S, what=f"what {task} has used")

    def used(self, task: str) -> float:
        row = self.row(task)
        return float(row["cost_usd"] or row["tokens"])

    def why(self, task: str) -> dict[str, Any]:
        why: dict[str, Any] = self.place.ask(p.Why(task=task))
        return why

    def screen(self, task: str) -> str:
        return self.place.fleet("screen", task, ok=None).out

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        until(lambda: bool(condition()), timeout=PATIENCE_S, what=what)

    def conversation(self, task: str) -> str | None:
        found = self.place.events("run.conversation", task=task)
        return str(found[-1]["conversation"]) if found else None

    def waits_for(self, task: str) -> str:
        """Return of which kind it is that it waits for."""
        waits = self.place.events("run.activity", task=task)[-1]["activity"]
        return str(waits.get("kind"))

    def can(self, what: str) -> bool:
        """Whether the agent has something that a test could try."""
        return what not in self.cli.lacks

    def activities(self, task: str, *, since: float = 0.0) -> set[str]:
        """Return all that it was on record to do since then."""
        changes = self.place.events("run.activity", task=task)
        return {str(it["activity"]["type"]) for it in changes if _seconds(it["at"]) >= since}

    # --- what its service was asked ---------------------------------------------------------------

    def requests(self, task: str) -> list[Asked]:
        """Return what the agent sent to go on with its work, oldest first."""
        return [it for it in list(self.api.log) if it.work and task in str(it.body)]

    def first_request(self, task: str) -> Asked:
        until(lambda: self.requests(task), timeout=PATIENCE_S, what=f"a request of {task}")
        return self.requests(task)[0]

    def conversed(self, task: str) -> float:
        """Return when the model was asked last."""
        return self.requests(task)[-1].at

    def heard(self, task: str, text: str) -> Asked:
        """Wait until the model was sent `text` as something new, and return that request."""
        return self._first(task, text, lambda it: it.news)

    def knows(self, task: str, text: str) -> Asked:
        """Wait until the model was sent `text` in whatever place, and return that request."""
        return self._first(task, text, lambda it: str(it.body))

    def _first(self, task: str, text: str, part: Callable[[Asked], str]) -> Asked:
        def there() -> Asked | None:
            return next((it for it in self.requests(task) if text in part(it)), None)

        try:
            return until(there, timeout=PATIENCE_S)
        except AssertionError:
            screen = self.screen(task)
            raise AssertionError(f"{text!r} was not sent by {task}:\n{screen}") from None

    def heard_once(self, task: str, text: str) -> None:
        """See that `text` was said to the model, and in one place only."""
        said = [it for it in self.requests(task)[-1].talk if text in str(it)]
        assert len(said) == 1, said

    # --- what a person does -----------------------------------------------------------------------

    def sees_dialog(self, task: str) -> None:
        """Wait until a dialog is on the screen, so that it hears keys."""
        self.until(lambda: self.cli.dialog in self.screen(task), "a dialog")

    def press(self, task: str, *keys: str) -> float:
        """Press keys in the pane, and return when."""
        self.tmux(task, "send-keys", *keys)
        return time.time()

    def tmux(self, task: str, command: str, *words: str) -> str:
        """Have tmux do something to the pane, and return what it prints."""
        socket = self.place.ask(p.Status())["tmux_socket"]
        pane = self.row(task)["pane"]
        return self.place.run("tmux", "-N", "-S", socket, command, "-t", pane, *words).out

    @property
    def adapter(self) -> AgentAdapter:
        return registry.adapters(()).get(self.cli.name)

    def input_line(self, task: str) -> str:
        return self.adapter.input_line(self.tmux(task, "capture-pane", "-p", "-e")) or ""

    def interrupt(self, task: str) -> float:
        """Interrupt a turn by Escape, pressed twice where it takes two; return when."""
        if not self.cli.escapes_twice:
            return self.press(task, "Escape")
        # Without a moment between them a terminal means another key.
        moment = (";", "run-shell", "-d", _BETWEEN_KEYS_S, ";")
        again = ("send-keys", "-t", self.row(task)["pane"], "Escape")
        self.tmux(task, "send-keys", "Escape", *moment, *again)
        return time.time()

    def leave_limit(self, task: str) -> None:
        """End what stands between an agent that met a limit and what it is told next."""
        if self.cli.limit_key:
            self.sees_dialog(task)
            self.press(task, self.cli.limit_key)
            self.until(lambda: self.cli.dialog not in self.screen(task), "the end of a dialog")

    def agent(self, task: str) -> int:
        """Return the pid of the agent's own process."""
        runs = sorted((self.place.home.root / "tasks" / task / "runs").iterdir())
        started = json.loads((runs[-1] / "started.json").read_text())
        return int(started["agent"])

    def kill(self, task: str) -> float:
        pid = self.agent(task)
        os.kill(pid, 9)
        at = time.time()
        debris = self.cli.debris.format(pid=pid)
        if debris:
            (Path(self.place.env["XDG_RUNTIME_DIR"]) / debris).unlink(missing_ok=True)
        return at


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


class Watch:
    """Looks at what fleet shows of one task all the time, and notes when that changes."""

    def __init__(self, bench: Bench, task: str) -> None:
        self.seen: list[tuple[float, str, str | None]] = []
        self._bench, self._task = bench, task
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def after(self, since: float, status: str) -> float:
        """Return the seconds from `since` until `status` showed, 0 where it did already."""

        def shown() -> tuple[float, str, str | None] | None:
            rows = [*self.seen, (math.inf, "", None)]
            spans = itertools.pairwise(rows)
            return next((row for row, end in spans if row[1] == status and end[0] > since), None)

        try:
            return max(0.0, until(shown, timeout=PATIENCE_S)[0] - since)
        except AssertionError:
            seen = [row[1:] for row in self.seen]
            raise AssertionError(f"{self._task} is not {status}: {seen}") from None

    def own(self, since: float, status: str) -> float:
        """Return the seconds from the agent's report until it was on record; 0 without one."""
        told = [
            (_seconds(it["said_at"]), _seconds(it["at"]))
            for it in self._bench.place.events("run.activity", task=self._task)
            if it["activity"]["type"] == status and it["said_at"]
        ]
        return next((at - said for said, at in told if at > since), 0.0)

    def words(self, since: float = 0.0) -> list[str]:
        """Return the words that showed from `since` on, in their order."""
        return [word for at, word, _ in self.seen if at >= since]

    def _look(self) -> None:
        with Client.connect(self._bench.place.home, start=True) as client:
            while not self._end.wait(0.01):
                try:
                    row = client.ask(p.Show(task=self._task))["row"]
                except FleetError:
                    continue  # it is not there yet
                now = (row["status"], row["needs"])
                if not self.seen or self.seen[-1][1:] != now:
                    self.seen.append((time.time(), *now))
