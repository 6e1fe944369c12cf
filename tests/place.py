"""A repository, a fleet home and a command line, all in one short throw-away directory."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from waiting import until

from fleet import protocol as p
from fleet.cli.entry import main
from fleet.client import Client
from fleet.core.commands import Command
from fleet.errors import FleetError
from fleet.paths import Home

_PATIENCE_S = 40.0
_LATER = 2**62  # than any entry of a ledger
FLEET = (sys.executable, "-P", "-m", "fleet")
# What starts, ends or replaces processes, or asks for a terminal.
PROGRAMS = ("up", "down", "attach", "demo", "status", "wait")
TALKER = """\
#!/bin/sh
# Works on each line that is typed into its terminal: one turn each, the first one on its prompt.
hook() { "$FLEET_HOME/bin/fleet-hook" "$@"; }
turn() {
  echo '{}' | hook working
  case "$1" in "Read /"*) said=${1#Read }; set -- "$(tr '\\n' ' ' <"${said%% and *}")" ;; esac
  printf '%s\\n' "$1" >>heard.txt
  case "$1" in *plan*) echo '{"need":"a verdict on its plan","kind":"plan"}' | hook waiting ;; esac
  echo "$FLEET_RUN" >>"$FLEET_HOME/turns.$FLEET_TASK"
  git add -A && git commit -qm "turn: heard $(wc -l <heard.txt)"
  case "$1" in *plan*) ;; *) echo '{}' | hook idle ;; esac
}
echo "{\\"id\\": \\"talk-$FLEET_TASK\\"}" | hook conversation
turn "$1"
while read -r line; do turn "$line"; done
"""


@dataclass(frozen=True)
class Ran:
    """A program that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Place:
    """Everything a person has: a home, an environment, repositories and `fleet`."""

    root: Path
    env: dict[str, str]
    repo: Path = field(init=False)

    def __post_init__(self) -> None:
        self.repo = self.root / "repo"

    @property
    def home(self) -> Home:
        return Home(Path(self.env["FLEET_HOME"]))

    def run(
        self,
        *argv: str | Path,
        ok: Sequence[int] | None = (0,),
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Ran:
        """Run a program to its end; a code that is not `ok` fails the test, None accepts any."""
        ended = subprocess.run(
            argv,
            cwd=cwd or self.repo,
            env=self.env | dict(env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"{argv}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        assert ok is None or ended.returncode in ok, said
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def fleet(
        self,
        *words: str,
        ok: Sequence[int] | None = (0,),
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        """Type a command of fleet: as a program if it is one of `PROGRAMS`, else in this process.

        To start a Python takes longer than most commands, and there are hundreds here.
        """
        if words[0] in PROGRAMS:
            return self.run(*FLEET, *words, ok=ok, cwd=cwd, env=env)
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with (
            patch.dict(os.environ, self.env | dict(env or {}), clear=True),
            chdir(cwd or self.repo),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = main(words)
        ran = Ran(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))
        assert ok is None or code in ok, f"fleet {words}: {ran}"
        return ran

    def git(self, *words: str, cwd: Path | None = None) -> str:
        return self.run("git", *words, cwd=cwd).out.strip()

    def make_repo(self, name: str = "repo", files: Mapping[str, str] | None = None) -> Path:
        """Make a repository whose branch main holds `files`."""
        repo = self.root / name
        repo.mkdir()
        self.git("init", "-q", "-b", "main", cwd=repo)
        for path, text in ({"readme.txt": "begin\n"} | dict(files or {})).items():
            (repo / path).parent.mkdir(parents=True, exist_ok=True)
            (repo / path).write_text(text)
        self.git("add", "-A", cwd=repo)
        self.git("commit", "-q", "-m", "begin", cwd=repo)
        return repo

    def configure(self, text: str) -> None:
        """Write the user's own configuration."""
        file = Path(self.env["XDG_CONFIG_HOME"]) / "fleet" / "config.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def talker(self, *more: str) -> None:
        """Configure an agent `talker` that keeps a conversation."""
        script = self.root / "talker.sh"
        script.write_text(TALKER)
        words = f'[sh, {script}, "{{prompt}}"]'
        lines = ("agents:", "  talker:", f"    command: {words}", f"    resume: {words}")
        self.configure("\n".join((*lines, "    converses: true", "    done: turn", *more, "")))

    def spawn(self, name: str, command: str, *options: str, cwd: Path | None = None) -> str:
        self.fleet("spawn", "--name", name, "-p", command, *options, cwd=cwd)
        return name

    def ask(self, request: Command) -> Any:
        """Return the supervisor's answer, in the form in which the command line prints it."""
        with Client.connect(self.home, start=True) as client:
            return client.ask(request)

    def wait(self, *tasks: str, state: str = "landed") -> None:
        for one in self.ask(p.Wait(tasks=tasks, state=state, timeout_s=_PATIENCE_S)):
            assert one["reached"], one

    def show(self, task: str) -> Any:
        return self.ask(p.Show(task=task))

    def events(self, *kinds: str, task: str | None = None) -> list[dict[str, Any]]:
        with Client.connect(self.home, start=True) as client:
            found: list[dict[str, Any]] = list(client.stream(p.Events(task=task)))
        return [it for it in found if not kinds or it["type"] in kinds]

    def becomes(self, task: str, *words: str) -> dict[str, Any]:
        """Wait until the status of `task` is one of `words`, and return its row."""
        seen: list[str] = []
        deadline = time.monotonic() + _PATIENCE_S

        def there() -> dict[str, Any] | None:
            try:
                with Client.connect(self.home, start=True) as client:
                    for row in _rows(client, task, deadline):
                        seen.append(f"{row['status']} ({row['needs']})")
                        if row["status"] in words:
                            return row
            except FleetError as error:  # the supervisor is just beginning anew
                seen.append(error.message)
            return None

        try:
            return until(there, timeout=_PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"{task} is not {words}: {seen[-3:]}") from None

    def file(self, path: str, *, branch: str = "main", cwd: Path | None = None) -> str | None:
        """Return what a branch has at `path`, or None."""
        asked = self.run("git", "show", f"{branch}:{path}", ok=None, cwd=cwd)
        return asked.out if asked.code == 0 else None

    def supervisor(self) -> int:
        return int(self.ask(p.Status())["pid"])

    def clear(self) -> None:
        """End everything, whatever state it is in."""
        if not self.home.root.exists():
            return
        for _ in range(3):  # one that is just dying, or coming up, takes no orders
            environment = patch.dict(os.environ, self.env, clear=True)
            with suppress(FleetError), environment:
                with Client.connect(self.home, start=False) as client:
                    client.ask(p.Shutdown(stop_agents=True))
                return
            if not marked([str(self.root)]):
                return
            self.run(*FLEET, "stop", "--all", ok=None, cwd=self.root)


def _rows(client: Client, task: str, deadline: float) -> Iterator[dict[str, Any]]:
    """Give the row of `task` as it is, and again after each event or, for its clock, a moment."""
    changes = client.stream(p.Events(follow=True, since_seq=_LATER))
    while time.monotonic() < deadline:
        row: dict[str, Any] = client.ask(p.Show(task=task))["row"]
        yield row
        changes.wait(0.25)


def marked(places: Iterable[str]) -> list[str]:
    """Return the living processes that name one of `places` in command line or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            texts = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            said = b"\0".join(texts)
            if state not in "ZX" and any(os.fsencode(place) in said for place in places):
                found.append(f"{process.name} {os.fsdecode(texts[0])!r}")
    return found


def sockets(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_socket()]
