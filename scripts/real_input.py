"""Ten agents at once on Django's own source: what passes its tests lands, and nothing else changes.

Needs PyPI the first time; later runs take the archive from $XDG_CACHE_HOME/fleet-tests. Without
a registry in reach there is nothing to try, and the program says so and ends with 0. It works in
memory (/dev/shm) where there is room, else in $TMPDIR.
"""

import argparse
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apart import FLEET, Place, temporary
from real_jobs import BROKEN, DATES, JOBS, SDIST, UnreachableError, fetch, gate

PATIENCE = "300s"
ROOM = 2_500_000_000  # bytes; thirteen worktrees and what the tests leave in them


@dataclass
class Report:
    """What was expected and whether it held, printed as it becomes known."""

    began: float = field(default_factory=time.monotonic)
    wrong: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)

    def expect(self, what: str, *, holds: bool, found: object = "") -> None:
        self.say(f"{'ok    ' if holds else 'WRONG '} {what}")
        if not holds:
            self.wrong.append(what)
            print(f"{'':11}found: {found}", flush=True)


def make_repo(place: Place, archive: Path, check: str) -> None:
    """Unpack the archive as a repository whose gate is `check`."""
    with tarfile.open(archive) as packed:
        packed.extractall(place.work, filter="data")
    (place.work / SDIST.removesuffix(".tar.gz")).rename(place.repo)
    (place.repo / ".gitignore").write_text("__pycache__/\n*.pyc\n")
    settings = {"target": "main", "checks": [{"name": "django", "run": check, "timeout": "5m"}]}
    (place.repo / "fleet.yaml").write_text(json.dumps(settings, indent=2) + "\n")  # JSON is YAML
    user = Path(place.env["XDG_CONFIG_HOME"]) / "fleet"
    user.mkdir()
    (user / "config.yaml").write_text(f"slots: {len(JOBS)}\n")
    place.git("init", "-q", "-b", "main")
    place.git("add", "-f", "-A")
    place.git("commit", "-q", "-m", "Django as published")


# --- the person's own checkout --------------------------------------------------------------


EDITED = ("AUTHORS", "INSTALL", "README.rst")
GONE, MODE, LINK = "Gruntfile.js", "package.json", "notes/link"
NEW = ("extras/mine.txt", "notes/plan.txt", "notes/ignored.pyc")
MINE = (*EDITED, GONE, MODE, LINK, *NEW)


def edit_by_hand(place: Place) -> None:
    """Leave edits of every kind: staged, staged and edited again, not staged, new, untracked."""
    (place.repo / "notes").mkdir()
    for name in NEW:
        (place.repo / name).write_text(f"{name} is mine\n")
    for name in EDITED:
        _append(place.repo / name, "an edit of mine\n")
    place.git("add", "AUTHORS", "INSTALL", "extras/mine.txt")
    _append(place.repo / "INSTALL", "and one more, not staged\n")
    (place.repo / GONE).unlink()
    (place.repo / MODE).chmod(0o755)
    (place.repo / LINK).symlink_to("nowhere")


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def mine(place: Place) -> dict[str, str]:
    """Everything about the person's unfinished work that must stay as it is."""
    return {name: _as_it_is(place.repo / name) for name in MINE} | {
        "unstaged diff": place.git("diff", "--binary"),
        "staged diff": place.git("diff", "--cached", "--binary"),
        "index entries": place.git("ls-files", "--stage", "--", *MINE),
        "status": place.git("status", "--porcelain=v2", "--untracked-files=all", "--ignored"),
    }


def _as_it_is(file: Path) -> str:
    if file.is_symlink():
        return f"-> {file.readlink()}"
    if not file.exists():
        return "gone"
    status = file.stat()
    return f"{status.st_mtime_ns} {status.st_mode:o} {file.read_bytes()!r}"


# --- the story ------------------------------------------------------------------------------


def spawn_all(place: Place) -> None:
    """Start every agent at once, each by a `fleet` of its own."""
    options = ("spawn", "--agent", "shell", "--attempts", "1", "--name")
    spawning = [
        subprocess.Popen(
            [FLEET, *options, job.name, "-p", job.command],
            cwd=place.repo,
            env=place.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        for job in JOBS
    ]
    if codes := [process.wait() for process in spawning if process.wait()]:
        sys.exit(f"real-input: {len(codes)} of {len(JOBS)} spawns failed: {codes}")


def wait(place: Place, names: Sequence[str], state: str) -> set[str]:
    """Wait until each of `names` is in `state` or cannot get there, and return those that are."""
    words = ("wait", *names, "--for", state, "--timeout", PATIENCE, "--json")
    rows = json.loads(place.fleet(*words, ok=(0, 1)).stdout)
    return {row["task"] for row in rows if row["reached"]}


def rows(place: Place, *words: str) -> dict[str, dict[str, Any]]:
    return {row["task"]: row for row in json.loads(place.fleet(*words, "--json").stdout)}


def check_fates(place: Place, report: Report, landed: set[str]) -> None:
    """What broke and what overlapped stays out, and is said to be so."""
    tasks = rows(place, "ls", "--all")
    for job in JOBS:
        row = tasks[job.name]
        if job.fate == "lands":
            report.expect(f"{job.name} landed", holds=row["status"] == "landed", found=row)
        elif job.fate == "breaks":
            report.expect(
                f"{job.name} did not land: {row['needs']}",
                holds=row["status"] == "failed" and BROKEN in gate_log(place, job.name),
                found=row,
            )
    pair = {job.name for job in JOBS if job.fate == "overlaps"}
    report.expect("of two that overlap one landed", holds=len(pair & landed) == 1, found=landed)
    for name in pair - landed:
        row = tasks[name]
        told = row["status"] == "conflict" and DATES in row["needs"]
        report.expect(f"{name} did not land: {row['needs']}", holds=told, found=row)


def gate_log(place: Place, task: str) -> str:
    """What the check printed on the merged tree that failed."""
    lines = place.fleet("events", "--json").stdout.splitlines()
    events = [event for event in map(json.loads, lines) if event["task"] == task]
    failed = [event for event in events if event["type"] == "gate.failed"]
    return "".join(Path(event["cause"]["results"][0]["log"]).read_text() for event in failed)


def check_content(place: Place, report: Report, landed: set[str]) -> None:
    """Ask main itself, not fleet, what is in it."""
    for job in JOBS:
        has = job.text in place.run("git", "show", f"main:{job.file}", ok=(0, 128)).stdout
        is_there = "is" if job.name in landed else "is not"
        report.expect(
            f"{job.name} {is_there} in main", holds=has == (job.name in landed), found=has
        )
    left = place.run("git", "grep", "-lw", "mark_safe", "main", "--", "*.py", ok=(0, 1)).stdout
    report.expect("no mark_safe is left in main", holds=not left, found=left)


def check_main(place: Place, report: Report, before: str, landed: set[str]) -> None:
    """The branch and its checkout moved forward, with each change once, and its tests pass."""
    head = place.git("rev-parse", "HEAD").strip()
    trailers = "--format=%(trailers:key=Fleet-Task,valueonly,separator=)"
    merged = place.git("log", "--first-parent", trailers, f"{before}..main").split()
    once = sorted(merged) == sorted(landed)
    report.expect("main has each change once", holds=once, found=merged)
    on_main = place.git("symbolic-ref", "HEAD").strip() == "refs/heads/main"
    ahead = place.run("git", "merge-base", "--is-ancestor", before, head, ok=(0, 1)).returncode == 0
    report.expect("HEAD moved forward on main", holds=on_main and ahead and head != before)
    copy = place.work / "copy"
    place.git("clone", "-q", "--shared", str(place.repo), str(copy))
    check = json.loads((copy / "fleet.yaml").read_text())["checks"][0]["run"]
    ran = place.run("/bin/sh", "-c", check, cwd=copy, ok=range(256))
    report.expect(
        "Django's tests pass on main", holds=ran.returncode == 0, found=ran.stderr[-2000:]
    )


def check_end(place: Place, report: Report) -> None:
    """Look for what is left once `fleet down --stop-agents` has answered."""
    place.fleet("down", "--stop-agents")
    running = [f"{pid} {words}" for pid, words in place.processes()]
    report.expect("nothing is left running", holds=not running, found=running)
    sockets = [str(path) for path in place.work.rglob("*") if path.is_socket()]
    report.expect("no socket is left", holds=not sockets, found=sockets)
    # While fleet still archives, fsck calls missing what came after its first look at the objects.
    fsck = place.run("git", "fsck", "--no-dangling", "--no-progress", ok=range(256))
    report.expect("git fsck finds no fault", holds=fsck.returncode == 0, found=fsck)
    locks = [str(path) for path in (place.repo / ".git").rglob("*.lock")]
    report.expect("git has no lock left", holds=not locks, found=locks)


def story(place: Place, report: Report) -> None:
    """Spawn, wait, approve, land; then look at everything with our own eyes."""
    names = [job.name for job in JOBS]
    before, untouched = place.git("rev-parse", "HEAD").strip(), mine(place)
    place.fleet("up")
    place.fleet("trust")
    spawn_all(place)
    report.say(f"{len(names)} agents started")
    ready = wait(place, names, "review")
    report.say(f"{len(ready)} wait for review")
    for job in JOBS:
        if job.name in ready:  # of two that overlap, one may be in conflict by now
            place.fleet("approve", job.name, ok=(0, 1) if job.fate == "overlaps" else (0,))
    landed = wait(place, sorted(ready), "landed")
    report.say(f"{len(landed)} landed")
    check_fates(place, report, landed)
    check_content(place, report, landed)
    check_main(place, report, before, landed)
    for what, now in mine(place).items():
        report.expect(f"mine, untouched: {what}", holds=now == untouched[what], found=now)
    check_end(place, report)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything there to look at")
    options = parser.parse_args()
    report = Report()
    try:
        archive, needs = fetch()
    except UnreachableError as error:
        print(f"real-input: skipped: the package registry cannot be reached ({error})")
        return 0
    with temporary("real.", keep=options.keep, room=ROOM) as place:
        make_repo(place, archive, gate(needs))
        edit_by_hand(place)
        report.say(f"a repository of {len(place.git('ls-files').splitlines())} files")
        story(place, report)
    report.say(f"{len(report.wrong)} wrong" if report.wrong else "all as expected")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
