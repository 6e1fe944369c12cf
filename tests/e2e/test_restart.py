"""Whatever dies, the next supervisor takes up what it finds; only `fleet down` keeps it down."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from place import Place, marked
from processes import alive
from waiting import until

from fleet.protocol import Status

pytestmark = pytest.mark.slow

MANY = 10


def pids(place: Place, module: str) -> list[int]:
    """Return the processes that run `module` for this home."""
    found = [line.split(" ", 1) for line in marked([str(place.home.root)])]
    return [int(pid) for pid, argv in found if f"-m\\x00{module}\\x00" in argv]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))


def hold(place: Place) -> str:
    """Return a command that works until the file `go` is there."""
    return f"touch begun; until [ -e {place.root}/go ]; do sleep 0.05; done; echo hello >new.txt"


def test_an_agent_survives_the_supervisor_and_lands(place: Place) -> None:
    place.spawn("one", hold(place), "--check", "test -s new.txt", "--land", "auto")
    place.becomes("one", "working")

    kill(place.supervisor())
    until(lambda: pids(place, "fleet.supervisor"), what="the keeper starts another")
    (place.root / "go").touch()
    place.wait("one")

    assert [it["attempt"] for it in place.events("run.started")] == [1]
    assert place.show("one")["spent"] == 0
    assert place.file("new.txt") == "hello\n"


def test_an_agent_that_ended_while_nobody_looked_is_noticed(place: Place) -> None:
    place.spawn("one", hold(place), "--check", "test -s new.txt", "--land", "auto")
    shim = place.becomes("one", "working")["pid"]

    place.fleet("down")
    (place.root / "go").touch()
    until(lambda: not alive(shim))
    place.fleet("up")
    place.wait("one")

    assert place.show("one")["row"]["attempt"] == 1


def test_the_death_of_tmux_consumes_no_attempt(place: Place) -> None:
    place.spawn("one", hold(place), "--check", "test -s new.txt", "--land", "auto")
    place.becomes("one", "working")
    socket = place.ask(Status())["tmux_socket"]
    asked = place.run("tmux", "-N", "-S", socket, "display-message", "-p", "#{pid}")

    kill(int(asked.out))
    until(lambda: len(place.events("run.started")) > 1)
    (place.root / "go").touch()
    place.wait("one")

    assert place.show("one")["spent"] == 0
    assert [it["attempt"] for it in place.events("attempt.began")] == [1, 2]


def test_what_supervisors_do_not_survive_again_and_again_can_still_be_brought_up(
    place: Place,
) -> None:
    place.fleet("up")

    for _ in range(6):  # after which the keeper pauses for 3 s
        until(lambda: pids(place, "fleet.supervisor"))
        kill(place.supervisor())
        place.fleet("up")

    assert place.fleet("status").code == 0


def test_a_keeper_that_is_killed_is_replaced(place: Place) -> None:
    place.fleet("up")
    [keeper] = pids(place, "fleet.supervisor.keeper")

    kill(keeper)

    [other] = until(lambda: pids(place, "fleet.supervisor.keeper"))
    assert other != keeper


def test_a_late_keeper_does_not_undo_down(place: Place) -> None:
    place.fleet("up")
    place.fleet("down")

    for module in ("fleet.supervisor.keeper", "fleet.supervisor"):
        place.run(sys.executable, "-m", module, str(place.home.root))

    assert place.fleet("status", ok=None).code == 3


def test_many_clients_start_one_supervisor(place: Place) -> None:
    def up(_: int) -> int:
        return int(place.fleet("up", "--json").json["pid"])

    with ThreadPoolExecutor(MANY) as pool:
        found = set(pool.map(up, range(MANY)))

    assert len(found) == 1
    assert pids(place, "fleet.supervisor") == list(found)


def test_a_newer_client_makes_the_supervisor_begin_anew(place: Place) -> None:
    place.spawn("one", hold(place), "--check", "test -s new.txt", "--land", "auto")
    place.becomes("one", "working")
    before = place.supervisor()
    newer = "import fleet; fleet.__version__ = '99.0.0'; from fleet.cli.main import main; main([])"

    said = place.run(sys.executable, "-c", newer, ok=None)

    # It is started again as what is installed, which here is no newer: the client says so.
    assert "could not become this version" in said.err
    after = until(lambda: [pid for pid in pids(place, "fleet.supervisor") if pid != before])
    assert len(after) == 1
    (place.root / "go").touch()
    place.becomes("one", "landed")
    assert [it["attempt"] for it in place.events("run.started")] == [1]


def test_a_person_at_the_pane_of_an_old_run_meets_no_other(place: Place) -> None:
    """Panes of a new tmux server have the numbers that those of the dead one had."""
    for name in ("one", "two"):
        place.spawn(name, f"touch {place.root}/{name}; {hold(place)}", "--check", "true")
        place.becomes(name, "working")
    socket = place.ask(Status())["tmux_socket"]
    asked = place.run("tmux", "-N", "-S", socket, "display-message", "-p", "#{pid}")
    kill(int(asked.out))
    (place.root / "go").touch()

    for name in ("one", "two"):
        place.becomes(name, "review")

    assert {place.show(name)["spent"] for name in ("one", "two")} == {0}


def test_the_ledger_is_the_same_after_every_restart(place: Place) -> None:
    place.spawn("one", "echo hello >new.txt", "--check", "test -s new.txt", "--land", "auto")
    place.wait("one")
    until(lambda: place.show("one")["archived"] is not None, what="its workspace is free")
    before = place.show("one")

    place.fleet("down")
    place.fleet("up")

    assert place.show("one") == before


def test_down_leaves_agents_and_the_next_up_takes_them_over(place: Place) -> None:
    place.spawn("one", hold(place), "--check", "test -s new.txt", "--land", "auto")
    shim = place.becomes("one", "working")["pid"]

    place.fleet("down")
    assert alive(shim)
    place.fleet("up")

    assert place.becomes("one", "working")["pid"] == shim


def test_down_with_all_agents_keeps_their_work_for_resume(place: Place) -> None:
    place.spawn("one", hold(place), "--check", "test -s new.txt", "--land", "auto")
    shim = place.becomes("one", "working")["pid"]

    place.fleet("down", "--stop-agents")
    assert not alive(shim)
    place.fleet("up")
    assert place.becomes("one", "paused")
    (place.root / "go").touch()
    place.fleet("resume", "one")
    place.wait("one")

    assert "begun" in place.git("ls-tree", "--name-only", "main")


# Python runs this file at every start: sealing is broken as long as `broken` is there.
BREAK = """
import pathlib
if pathlib.Path(__file__).with_name("broken").exists():
    import fleet.tools.git.sealing as it
    def fail(*_, **__):
        raise ZeroDivisionError("a bug")
    it.seal = fail
"""


def test_an_internal_error_costs_one_task_and_never_the_fleet(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place.root / "broken-python"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BREAK)
    (folder / "broken").touch()
    # Whoever starts the supervisor anew, a command or this process's own client:
    place.env["PYTHONPATH"] = str(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))

    place.spawn("one", "echo hi >a.txt", "--check", "true")
    waited = place.fleet("wait", "one", "--for", "ended", "--timeout", "20s", ok=None)
    row = place.becomes("one", "failed")

    assert waited.code in (0, 1)  # it was told so, or found no supervisor, but never left alone
    assert row["needs"] == "internal error: see fleet log"
    (folder / "broken").unlink()
    os.kill(place.supervisor(), signal.SIGKILL)
    until(lambda: place.fleet("status", ok=None).code == 0)
    place.spawn("two", "echo hi >a.txt", "--check", "true", "--land", "auto")
    place.becomes("two", "landed")
