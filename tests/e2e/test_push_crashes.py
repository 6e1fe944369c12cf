"""Killed anywhere around a push, a change lands once, on the remote and then here."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest
from place import Place
from processes import alive
from waiting import until

from fleet import protocol as p

pytestmark = pytest.mark.slow

POLICY = "push: true\n"
Victims = Callable[[list[psutil.Process]], list[psutil.Process]]
HOOKS = ("pre-receive", "update", "post-receive")


@dataclass(frozen=True)
class Point:
    """Where a script waits, once, as soon as it is armed: a hook of the remote, or a filter."""

    place: Place
    remote: Path
    hook: str

    @property
    def script(self) -> str:
        root = self.place.root
        once = f"[ -e {root}/armed ] && mkdir {root}/once 2>/dev/null"
        return f"{once} && {{ touch {root}/reached; cat {root}/gate >/dev/null; }}"

    def prepare(self) -> None:
        os.mkfifo(self.place.root / "gate")
        if self.hook == "smudge":
            self.place.git("config", "filter.slow.smudge", f"{self.script}; cat")
            return
        file = self.remote / "hooks" / self.hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{self.script}\nexit 0\n")
        file.chmod(0o755)

    def reach(self) -> None:
        until((self.place.root / "reached").exists, what=f"{self.hook} to run")

    def release(self) -> None:
        """Let it go on, if it still waits."""
        with contextlib.suppress(OSError):  # nobody reads
            os.close(os.open(self.place.root / "gate", os.O_WRONLY | os.O_NONBLOCK))


@pytest.fixture
def remote(place: Place) -> Path:
    files = {"fleet.yaml": POLICY, ".gitattributes": "*.slow filter=slow\n"}
    for name, text in files.items():
        (place.repo / name).write_text(text)
    place.git("add", "-A")
    place.git("commit", "-qm", "policy")
    bare = place.root / "remote.git"
    place.git("clone", "-q", "--bare", ".", str(bare))
    place.git("remote", "add", "origin", str(bare))
    place.fleet("trust")
    return bare


def everything(children: list[psutil.Process]) -> list[psutil.Process]:
    return children


def nothing_more(children: list[psutil.Process]) -> list[psutil.Process]:
    """What was begun goes on by itself."""
    return []


def our_side(children: list[psutil.Process]) -> list[psutil.Process]:
    """What the remote began goes on; nobody hears what comes of it."""
    ours = []
    for process in children:
        words = process.cmdline()
        if "push" in words or "send-pack" in words:
            ours.append(process)
    assert ours
    return ours


CASES = [
    *((hook, victims) for hook in HOOKS for victims in (nothing_more, our_side, everything)),
    ("smudge", nothing_more),
    ("smudge", everything),
]


def kill(place: Place, victims: Victims) -> None:
    supervisor = psutil.Process(place.supervisor())
    dying = [supervisor, *victims(supervisor.children(recursive=True))]
    for process in dying:
        process.kill()
    until(lambda: not any(alive(it.pid) for it in dying))


@pytest.mark.parametrize(("hook", "victims"), CASES)
def test_a_change_lands_once(
    hook: str,
    victims: Victims,
    place: Place,
    remote: Path,
) -> None:
    point = Point(place, remote, hook)
    point.prepare()
    place.spawn("one", "echo hello > new.slow")
    place.becomes("one", "review")
    before = place.git("rev-parse", "main")
    (place.root / "armed").touch()
    place.fleet("approve", "one")
    point.reach()

    kill(place, victims)
    assert place.git("rev-parse", "main") == before  # nothing moves here before it is there
    taken = hook in {"post-receive", "smudge"}
    assert (place.git("rev-parse", "main", cwd=remote) != before) is taken
    point.release()
    place.wait("one")

    for _ in range(2):  # a second start finds nothing more to do
        assert_once(place, remote, before)
        os.kill(place.supervisor(), 9)
        place.fleet("up")
    place.spawn("two", "echo more > more.slow", "--land", "review")
    place.becomes("two", "review")
    place.fleet("approve", "two")
    place.wait("two")
    assert place.file("more.slow", cwd=remote) == "more\n"
    assert place.git("rev-parse", "main") == place.git("rev-parse", "main", cwd=remote)


def is_unlocked(repository: Path) -> bool:
    return not [*repository.rglob("*.lock")]


def assert_once(place: Place, remote: Path, before: str) -> None:
    place.ask(p.Settled())  # while it tidies up, git's own check misses what was made meanwhile
    tip = place.git("rev-parse", "main")
    assert place.git("rev-parse", "main", cwd=remote) == tip
    new = place.git("log", "--format=%(trailers:key=Fleet-Task,valueonly)", f"{before}..main")
    assert new.split() == ["one"]
    assert (place.repo / "new.slow").read_text() == "hello\n"
    assert place.git("status", "--porcelain") == ""
    assert len(place.events("change.landed")) == 1
    for repository in (place.repo / ".git", remote):
        until(partial(is_unlocked, repository), what="no lock to be left")
        place.git("fsck", "--strict", "--no-dangling", cwd=repository)
