"""Nothing of an agent outlives `down --stop-agents`, and nothing of anyone else is touched."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from place import Place
from processes import alive
from waiting import until

# Each child writes its own number, then sleeps; the names are what tells them apart here.
CHILD = """\
import os, signal, sys, time

pytestmark = pytest.mark.slow
name, numbers = sys.argv[1:3]
if name == "deaf":
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)
if name == "daemon":
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 256)
with open(f"{numbers}/{name}.new", "w") as file:
    file.write(str(os.getpid()))
os.rename(f"{numbers}/{name}.new", f"{numbers}/{name}")
while True:
    time.sleep(1000)
"""
AGENT = """\
[ -e {numbers}/setsid ] && exec sleep 1000
setsid {python} {child} setsid {numbers} &
nohup {python} {child} nohup {numbers} >/dev/null 2>&1 &
env -i {python} {child} bare {numbers} &
setsid env -i {python} {child} stray {numbers} </dev/null >/dev/null 2>&1 &
{python} {child} daemon {numbers}
{last}
wait
"""
DEAF = "{python} {child} deaf {numbers} & trap '' TERM HUP"  # they take all the grace there is
NAMES = {"setsid", "nohup", "bare", "stray", "daemon"}


def children(place: Place, *, last: str = "") -> dict[str, int]:
    """Start an agent with children of every kind, and return their numbers by name."""
    numbers, child = place.root / "numbers", place.root / "child.py"
    numbers.mkdir()
    child.write_text(CHILD)
    named = {"python": sys.executable, "child": child, "numbers": numbers}
    place.spawn("one", AGENT.format(**named, last=last.format(**named)))
    wanted = NAMES | ({"deaf"} if last else set())

    def found() -> dict[str, int] | None:
        whole = [path for path in numbers.iterdir() if not path.suffix]
        all_of_them = {path.name: int(path.read_text()) for path in whole}
        return all_of_them if all_of_them.keys() >= wanted else None

    return until(found)


def tmux_server(place: Place) -> int:
    socket = place.fleet("status", "--json").json["tmux_socket"]
    asked = place.run("tmux", "-N", "-S", socket, "display-message", "-p", "#{pid}")
    return int(asked.out)


def kill_pane(place: Place, server: int) -> None:
    """Kill tmux and the pane's own processes at once, so that nobody ends what is below them."""
    started = json.loads((place.home.root / "tasks/one/runs/1/started.json").read_text())
    guard, agent = started["pid"], started["agent"]
    keeper = int(Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[1])
    for pid in (server, guard, keeper):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def decoys(place: Place) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of someone else that look like ours."""
    (place.root / "sleep.py").write_text("import time; time.sleep(1000)")
    home = "0123456789abcdef"
    looks: list[dict[str, str]] = [
        {},
        {"FLEET_RUN": f"{home}:one:1:0123456789abcdef", "FLEET_HOME": "/nowhere"},
        {"FLEET_RUN": "no token at all"},
    ]
    found = [
        subprocess.Popen(
            [sys.executable, place.root / "sleep.py", "fleet-pane", "claude", "-m", "fleet.pane"],
            env={"PATH": os.environ["PATH"]} | look,
            cwd=place.repo,
            start_new_session=True,
        )
        for look in looks
    ]
    yield found
    for decoy in found:
        decoy.kill()
        decoy.wait()


def test_nothing_outlives_down(place: Place, decoys: list[subprocess.Popen[bytes]]) -> None:
    ours = children(place, last=DEAF)

    place.fleet("down", "--stop-agents")

    assert {name for name, pid in ours.items() if alive(pid)} == set()
    assert [decoy.poll() for decoy in decoys] == [None, None, None]


def test_nothing_outlives_stop_without_a_supervisor(
    place: Place, decoys: list[subprocess.Popen[bytes]]
) -> None:
    ours = children(place)
    supervisor, server = place.supervisor(), tmux_server(place)
    for keeper in Path("/proc").glob("[0-9]*"):
        if f"fleet.supervisor.keeper\0{place.home.root}".encode() in _cmdline(keeper):
            os.kill(int(keeper.name), signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: not alive(supervisor))
    kill_pane(place, server)

    place.fleet("stop", "--all")

    assert {name for name, pid in ours.items() if alive(pid)} == set()
    assert [decoy.poll() for decoy in decoys] == [None, None, None]
    assert place.fleet("status", ok=None).code == 3
    place.fleet("up")
    place.becomes("one", "stopped")


def test_nothing_of_an_earlier_attempt_meets_the_next(place: Place) -> None:
    """The pane's processes are killed at once: what is left has our token or our file."""
    ours = children(place)

    kill_pane(place, tmux_server(place))
    until(lambda: len(place.events("run.started")) == 2)

    assert {name for name, pid in ours.items() if alive(pid)} == set()


def test_nothing_outlives_a_check(place: Place) -> None:
    (place.root / "child.py").write_text(CHILD)
    check = f"{sys.executable} {place.root}/child.py daemon {place.root}; sleep 0.3; echo seen"

    place.spawn("one", "echo hi >a.txt", "--check", check)
    place.becomes("one", "review")

    assert not alive(int((place.root / "daemon").read_text()))


def _cmdline(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
