"""What fleet.yaml asks for is found in every workspace, once a person has trusted the file."""

import socket
from contextlib import ExitStack

import pytest
from place import Place
from waiting import until

pytestmark = pytest.mark.slow

SETTINGS = """\
copy: [.env]
link: [cache]
setup: ['echo "set up for $FLEET_TASK" >built/log.txt']
keep: [built]
ports: 5
checks: [{name: gate, run: 'test -s a.txt'}]
land: auto
"""


def configured(place: Place, settings: str = SETTINGS) -> None:
    (place.repo / "fleet.yaml").write_text(settings)
    (place.repo / ".gitignore").write_text(".env\ncache\nbuilt\n")
    (place.repo / ".env").write_text("SECRET=1\n")
    (place.repo / "cache").mkdir()
    (place.repo / "cache" / "thing").write_text("cached\n")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "settings")


def test_a_file_that_nobody_trusts_runs_nothing(place: Place) -> None:
    configured(place)

    refused = place.fleet("spawn", "-p", "true", ok=(1,))

    assert "fleet trust" in refused.err
    assert place.fleet("ls", "--all", "--json").json == []
    place.fleet("trust")
    place.spawn("one", "mkdir -p built; cat .env >a.txt")
    settings = SETTINGS.replace("-s a.txt", "-s b.txt")
    (place.repo / "fleet.yaml").write_text(settings)
    place.git("commit", "-q", "-a", "-m", "other commands")
    assert "fleet trust" in place.fleet("spawn", "-p", "true", ok=(1,)).err


def test_workspaces_are_set_up(place: Place) -> None:
    configured(place, SETTINGS.replace("'echo", "'mkdir -p built; echo"))
    place.fleet("trust")

    place.spawn("one", "cat .env cache/thing built/log.txt >a.txt; echo $FLEET_PORT >>a.txt")
    place.wait("one")

    *lines, port = (place.file("a.txt") or "").splitlines()
    assert lines == ["SECRET=1", "cached", "set up for one"]
    assert int(port) >= 20000
    assert place.git("ls-tree", "-r", "--name-only", "main").splitlines() == [
        *(".gitignore", "a.txt", "fleet.yaml", "readme.txt"),
    ]
    assert (place.repo / "cache" / "thing").read_text() == "cached\n"


def test_what_is_kept_outlives_a_task_and_nothing_else_does(place: Place) -> None:
    configured(place, "keep: [built]\nland: auto\nchecks: ['test -s a.txt']\n")
    place.configure("pool: 0\n")
    place.fleet("trust")
    place.spawn("one", "mkdir built; echo warm >built/x; echo x >.env; echo one >a.txt")
    place.wait("one")

    until(lambda: place.show("one")["row"]["worktree"] is None, what="its workspace is free")
    place.spawn("two", "cat built/x >a.txt; ls -A >>a.txt")
    place.wait("two")

    first, *names = (place.file("a.txt") or "").splitlines()
    assert first == "warm"
    assert ".env" not in names


def test_a_setup_that_fails_says_so(place: Place) -> None:
    configured(place, "setup: ['echo no such thing; exit 3']\n")
    place.fleet("trust")

    place.spawn("one", "echo hi >a.txt")
    row = place.becomes("one", "failed")

    assert "setting up its workspace failed: echo no such thing; exit 3" in row["needs"]
    assert place.fleet("log", "one", "--check", "setup-1").out == "no such thing\n"


def test_ports_are_free_and_no_others(place: Place) -> None:
    with ExitStack() as taken:
        busy = taken.enter_context(socket.socket())
        busy.bind(("127.0.0.1", 0))
        if busy.getsockname()[1] > 59_000:  # where no block may begin
            busy = taken.enter_context(socket.socket())
            busy.bind(("127.0.0.1", 28_571))
        first = busy.getsockname()[1]
        place.configure(f"first_port: {first}\n")
        ports = {_port(place, name) for name in ("one", "two")}

    assert len(ports) == 2
    assert first not in {port + n for port in ports for n in range(10)}


def _port(place: Place, name: str) -> int:
    file = place.root / name
    place.spawn(name, f"echo $FLEET_PORT >{file}; sleep 100")
    until(lambda: file.exists() and file.read_text())
    return int(file.read_text())
