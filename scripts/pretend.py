"""A supervisor that makes everything up: for looking at the dashboard, and for measuring it.

`python scripts/pretend.py HOME` serves the home until it is told to end. Pictures and frames are
what a busy fleet would send: so many tasks, of which some change and some print at every beat.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from fleet import __version__
from fleet.core.rows import Ask, Frame, LiveRow, Picture, QueueCheck, TaskRow
from fleet.paths import Home
from fleet.protocol import LINE_LIMIT, encode

BEAT_S = 0.25
VIEW_S = 0.1  # between two lines that the pane in view prints
NOUNS = [
    "parser",
    "importer",
    "schema",
    "login",
    "cache",
    "menu",
    "export",
    "docs",
    "theme",
    "queue",
    "mailer",
    "search",
]
VERBS = [
    "split",
    "rewrite",
    "speed-up",
    "fix",
    "port",
    "test",
    "simplify",
    "document",
    "harden",
    "type",
]
DOING = (
    "editing src/{0}.py",
    "running the tests of {0}",
    "reading src/{0}/__init__.py and what it imports",
    "searching for callers of {0}",
    "writing tests/test_{0}.py",
)
ASKS = (
    Ask(id="a1", tool="Shell", text="rm -rf build dist && make -j8 all\nmake install PREFIX=$HOME"),
    Ask(
        id="a2",
        kind="question",
        text="The old parser also accepts tabs. What should the new one do with them?",
        choices=("accept them, as before", "refuse them, and say where", "convert them"),
    ),
    Ask(tool="Edit", text=".github/workflows/release.yml"),
)
NOT_LIVE = dict.fromkeys(("attach", "send", "stop", "pause", "answer"), "it has no agent at work")
PASSED = QueueCheck(name="pytest", state="passed", seconds=41.0, log="")
FAILED = QueueCheck(name="ruff", state="failed", seconds=2.0, log="")
WORDS = [
    "the",
    "parser",
    "reads",
    "a",
    "line",
    "and",
    "returns",
    "what",
    "it",
    "found",
    "or",
    "the",
    "reason",
    "why",
    "it",
    "could",
    "not",
]


@dataclass
class Pretence:
    """The tasks as they are made up; `beat` changes some of them."""

    tasks: int
    changing: int
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    lives: dict[str, LiveRow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in range(self.tasks):
            live = self._made(number)
            self.lives[live.row.task] = live

    def _made(self, number: int) -> LiveRow:
        noun = NOUNS[number % len(NOUNS)]
        name = f"{VERBS[number // len(NOUNS) % len(VERBS)]}-{noun}"
        name += f"-{number // 120}" if number >= 120 else ""
        now = datetime.now(UTC)
        row = TaskRow(
            task=name,
            repo="shop",
            title=f"{name.replace('-', ' ')} of the shop",
            agent="shell",
            status="working",
            needs=None,
            attempt=1 + number % 3 // 2,
            branch=f"fleet/{name}",
            base="1f0c2a9",
            head=None,
            target="main",
            worktree=f"/w/{name}",
            pane=f"%{number}",
            pid=1000 + number,
            added=self.dice.randrange(200),
            removed=self.dice.randrange(60),
            cost_usd=self.dice.random() * 3,
            tokens=self.dice.randrange(400_000),
            started_at=now,
            updated_at=now,
            after=(),
        )
        ago = timedelta(seconds=self.dice.randrange(9000))
        live = LiveRow(row=row, section="working", since=now - ago, context=self.dice.random())
        return self._placed(live, number, noun)

    def _placed(self, live: LiveRow, number: int, noun: str) -> LiveRow:
        """Give each section its share."""
        sort = number % 20
        if sort in (3, 11):
            ask = replace(ASKS[number % 3], id=ASKS[number % 3].id and f"ask-{number}")
            need = "asks a question" if ask.kind == "question" else f"wants to run {ask.tool}"
            return _with(live, "needs", "waiting", need, kind=ask.kind, ask=ask)
        if sort == 7:
            need = "review: 4 files, +182 -40"
            checks = (PASSED, replace(PASSED, name="ruff"))
            return _with(live, "needs", "review", need, checks=checks, refusals=NOT_LIVE)
        if sort == 13:
            need = "gate ruff failed with exit code 1"
            return _with(live, "needs", "failed", need, checks=(PASSED, FAILED), refusals=NOT_LIVE)
        if sort in (5, 15):
            return _with(live, "queue", "checking", None, position=1 + number // 20)
        if sort in (9, 19):
            return _with(live, "ended", "landed", None, refusals=NOT_LIVE)
        return replace(live, doing=self.dice.choice(DOING).format(noun))

    def whole(self) -> Picture:
        lives = tuple(self.lives.values())
        return Picture(seq=1, at=datetime.now(UTC), tasks=lives, order=self.order(), queue=(),
                       slots_used=12, slots_all=16, cost_usd=41.7)  # fmt: skip

    def order(self) -> tuple[str, ...]:
        return tuple(self.lives)

    def beat(self) -> Picture:
        working = [name for name, live in self.lives.items() if live.section == "working"]
        changed = []
        for name in self.dice.sample(working, min(self.changing, len(working))):
            live = self.lives[name]
            row = replace(live.row, added=live.row.added + 1, cost_usd=live.row.cost_usd + 0.01)
            doing = self.dice.choice(DOING).format(self.dice.choice(NOUNS))
            live = self.lives[name] = replace(live, row=row, doing=doing)
            changed.append(live)
        return Picture(seq=1, at=datetime.now(UTC), tasks=tuple(changed), order=self.order(),
                       slots_used=12, slots_all=16, cost_usd=41.7)  # fmt: skip


def _with(live: LiveRow, section: str, status: str, needs: str | None, **said: Any) -> LiveRow:
    row = replace(live.row, status=status, needs=needs)
    return replace(live, row=row, section=section, **said)


def printed(dice: random.Random, number: int) -> str:
    """A line of a pane, with colours as programs use them."""
    words = " ".join(dice.choices(WORDS, k=9))
    colour = 31 + number % 6
    return f"\x1b[2m{number:6}\x1b[0m \x1b[{colour}m●\x1b[0m \x1b[1m{words[:12]}\x1b[m{words[12:]}"


class Server:
    """Answers as a supervisor would; every command is done as soon as it is asked."""

    def __init__(self, pretence: Pretence) -> None:
        self.pretence = pretence
        self._streams: dict[tuple[int, str], asyncio.Task[None]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                request = json.loads(line)
                await self._answer(request["id"], request["ask"], writer)
        for (owner, _), task in list(self._streams.items()):
            if owner == id(writer):
                task.cancel()

    async def _answer(self, number: int, ask: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        call = ask["call"]
        streams = {"watch": self._watch, "view": self._view}
        if call in streams:
            old = self._streams.pop((id(writer), call), None)
            if old is not None:
                old.cancel()
            made = asyncio.create_task(streams[call](number, ask, writer))
            self._streams[(id(writer), call)] = made
            return
        print(json.dumps(ask), file=sys.stderr, flush=True)
        result: Any = {"task": ask.get("task")}
        if call == "hello":
            result = {"version": __version__, "pid": 1, "home": "h"}
        elif call == "send":
            result = {"sent": [{"task": ask["task"], "outcome": "delivered", "reason": None}]}
        elif call == "attach":
            argv = ["sh", "-c", "echo this is the pane of an agent; read -r _"]
            result = {"argv": argv, "way_back": "ctrl+b d", "opened": False}
        await _send(writer, {"kind": "result", "id": number, "result": result})

    async def _watch(self, number: int, _: Any, writer: asyncio.StreamWriter) -> None:
        picture = self.pretence.whole()
        while True:
            await _send(writer, {"kind": "item", "id": number, "item": picture})
            await asyncio.sleep(BEAT_S)
            picture = self.pretence.beat()

    async def _view(self, number: int, ask: Any, writer: asyncio.StreamWriter) -> None:
        dice = random.Random(ask["task"])
        history, height, width = ask.get("history", 0), 50, 100
        lines = [printed(dice, line) for line in range(history + height)]
        frame = Frame(
            task=ask["task"],
            live=True,
            width=width,
            height=len(lines),
            history=history,
            lines=dict(enumerate(lines)),
            cursor=(3, len(lines) - 1),
        )
        for beat in count(len(lines)):
            await _send(writer, {"kind": "item", "id": number, "item": frame})
            await asyncio.sleep(VIEW_S)
            lines = [*lines[1:], printed(dice, beat)]
            frame = replace(frame, lines=dict(enumerate(lines)))


async def _send(writer: asyncio.StreamWriter, reply: dict[str, Any]) -> None:
    with suppress(ConnectionError):
        writer.write(encode(reply) + b"\n")
        await writer.drain()


async def serve(home: Home, pretence: Pretence) -> None:
    """Serve until told to end."""
    path, server = home.socket(), Server(pretence)
    path.unlink(missing_ok=True)
    listening = await asyncio.start_unix_server(server.serve, str(path), limit=LINE_LIMIT)
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    await ended.wait()
    listening.close()
    path.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--tasks", type=int, default=30)
    parser.add_argument("--changing", type=int, default=4, help="tasks that change at each beat")
    options = parser.parse_args()
    asyncio.run(serve(Home(options.home), Pretence(options.tasks, options.changing)))


if __name__ == "__main__":
    main()
