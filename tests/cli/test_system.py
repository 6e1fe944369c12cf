"""The supervisor is started, ended and shown; a repository gets its file; doctor needs neither."""

import fcntl
import json
from pathlib import Path

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor, Items
from wire_samples import status_view

from fleet import __version__
from fleet.cli import repository as repository_commands
from fleet.cli import system
from fleet.errors import FleetError, HomeError
from fleet.paths import Home


def test_up_says_who_runs_and_what_it_found(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["status"] = status_view()
    assert run("up").err == "the supervisor runs: process 4711, version " + __version__ + "\n"
    found = [{"task": f"t{number}", "how": "resumed"} for number in range(32)]
    found += [{"task": "a", "how": "afresh"}, {"task": "b", "how": "alive"}]
    fake.answers["status"] = status_view(found=found)
    said = run("up").err
    assert "32 tasks brought back, in the same conversation: t0, t1, " in said
    assert "t29 and 2 more\n" in said
    assert "1 task brought back, afresh: a\n" in said
    assert "1 task went on meanwhile: b\n" in said
    answer = json.loads(run("up", "--json").out)
    assert (answer["pid"], answer["found"]) == (4711, found)


def test_down_tells_its_progress(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["down"] = Items(["stopping a"], {"stopped": 2})
    answer = run("down", "--stop-agents")
    assert answer.err == "stopping a\n2 agents stopped, and the supervisor\n"
    assert fake.calls("down")[0]["stop_agents"] is True
    assert run("down").err.endswith("the supervisor has ended\n")
    assert json.loads(run("down", "--json").out) == {"stopped": 2}


def test_down_waits_until_the_supervisor_has_ended(
    run: Run, fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "_GONE_S", 0.05)
    fake.home.root.mkdir()
    with fake.home.supervisor_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = run("down")
    assert answer.code == 124
    assert "has not ended yet" in answer.err


def test_status_shows_repositories_slots_and_what_is_degraded(
    run: Run, fake: FakeSupervisor
) -> None:
    fake.answers["status"] = status_view()
    shown = run("status").out
    for words in ("process 4711", "2 working", "3 of 8 in use", "/r/shop into main, dev"):
        assert words in shown
    for words in ("workspaces: 2 ready", "the queue of dev is frozen: it moved", "! no linger"):
        assert words in shown
    fake.answers["status"] = status_view(tasks={}, repos=[], degraded=[])
    assert "none" in run("status").out


# --- doctor ---------------------------------------------------------------------------------


@pytest.fixture
def found(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the checks find; the arguments they were given are left in the last of it."""
    findings: list[dict[str, object]] = [
        {"name": "git", "state": "ok", "says": "2.39", "hint": None},
        {"name": "linger", "state": "note", "says": "logging out ends agents", "hint": "type: x"},
    ]
    monkeypatch.setattr(system, "fleet_module", lambda *_, home: (0, json.dumps(findings), ""))
    return findings


def test_doctor_exits_with_0_when_all_is_well(
    run: Run, fake: FakeSupervisor, found: list[dict[str, object]]
) -> None:
    answer = run("doctor")
    assert answer.code == 0
    assert "process 4711 answers" in answer.out
    assert "type: x" in answer.out


def test_doctor_without_a_supervisor_exits_with_3_and_starts_none(
    run: Run, home: Home, found: list[dict[str, object]]
) -> None:
    answer = run("doctor", "--json")
    assert answer.code == 3
    assert json.loads(answer.out)[-1]["state"] == "note"
    assert not home.root.exists()


def test_doctor_exits_with_1_when_something_is_wrong(
    run: Run, home: Home, found: list[dict[str, object]]
) -> None:
    found.append({"name": "tmux", "state": "wrong", "says": "not there", "hint": None})
    assert run("doctor").code == 1


def test_a_supervisor_that_cannot_be_asked_is_wrong(
    run: Run, fake: FakeSupervisor, found: list[dict[str, object]]
) -> None:
    fake.answers["hello"] = HomeError("another machine's", hint="move")
    answer = run("doctor")
    assert answer.code == 1
    assert "another machine's" in answer.out


def test_checks_that_cannot_be_run_are_said(
    run: Run, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "fleet_module", lambda *_, home: (1, "", "no module"))
    answer = run("doctor")
    assert answer.code == 1
    assert "no module" in answer.err


def test_the_real_checks_can_be_run_here(run: Run, fake: FakeSupervisor, repository: Path) -> None:
    findings = json.loads(run("doctor", "--json").out)
    assert {"python", "git", "tmux", "home", "branches"} <= {it["name"] for it in findings}


# --- init and trust -------------------------------------------------------------------------


def test_init_writes_a_file_that_loads_and_never_writes_over_one(
    run: Run, home: Home, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "Makefile").write_text("test:\n\ttrue\n")
    (repository / "deep").mkdir()
    monkeypatch.chdir(repository / "deep")
    answer = run("init")
    file = repository / "fleet.yaml"
    assert (answer.code, answer.out) == (0, f"{file}\n")
    assert "make test" in file.read_text()
    file.write_text("mine")
    again = run("init")
    assert again.code == 1
    assert "is there already" in again.err
    assert file.read_text() == "mine"


def test_init_can_only_show(run: Run, home: Home, repository: Path) -> None:
    assert "fleet trust" in run("init", "--dry-run").out
    assert not (repository / "fleet.yaml").exists()
    assert json.loads(run("init", "--json").out) == {"path": str(repository / "fleet.yaml")}


def test_init_needs_a_repository(run: Run, home: Home) -> None:
    answer = run("init")
    assert answer.code == 2
    assert "is not in a git repository" in answer.err


def test_init_says_when_it_cannot_write(
    run: Run, home: Home, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository_commands, "_suggestion", lambda _: "")
    (repository / "fleet.yaml").symlink_to(repository / "no" / "such")
    assert run("init").code == 1


def test_trust_says_what_is_trusted(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["trust"] = {"digest": "9f86d081"}
    assert run("trust").err == "fleet.yaml is trusted as it is now: 9f86d081\n"
    fake.answers["trust-agents"] = {"repo": "shop"}
    assert "may trust this repository" in run("trust", "--agents").err
    assert "told nothing" in run("trust", "--agents", "--revoke").err
    assert [it["revoke"] for it in fake.calls("trust-agents")] == [False, True]
    assert run("trust", "--agents", "--digest", "9f").code == 2
    assert run("trust", "--revoke").code == 2
    fake.answers["trust"] = FleetError("there is no fleet.yaml", hint="type: fleet init")
    assert run("trust").code == 1
