"""Control, verdicts and removal: the request is what was typed, the answer says what was done."""

import json
import sys
from pathlib import Path

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor
from wire_samples import HEAD

from fleet.errors import RefusedError
from fleet.paths import Home


@pytest.mark.parametrize(
    ("typed", "call", "sent", "said"),
    [
        ("stop imp", "stop", {"task": "imp"}, "importer is stopped"),
        ("pause imp", "pause", {"task": "imp"}, "importer is paused"),
        ("resume imp", "resume", {"task": "imp"}, "importer goes on"),
        ("retry imp", "retry", {"task": "imp"}, "importer begins a new attempt"),
        ("done imp", "done", {"task": "imp"}, "importer is taken as done"),
        ("withdraw imp", "withdraw", {"task": "imp"}, "importer is withdrawn"),
        ("return imp -m no", "return", {"task": "imp", "note": "no"}, "importer goes back"),
        ("rm importer", "rm", {"task": "importer"}, "importer is removed; to undo it: fleet res"),
        ("restore importer", "restore", {"task": "importer"}, "importer is back"),
        ("stop --all", "stop-all", {}, "all agents are being stopped"),
        ("thaw --target x", "thaw", {"target": "x"}, "the merge queue moves again"),
        ("trust --digest 12", "trust", {"digest": "12"}, "fleet.yaml is trusted as it is now: 12"),
    ],
)
def test_a_command_asks_and_says_what_was_done(
    typed: str,
    call: str,
    sent: dict[str, object],
    *,
    said: str,
    run: Run,
    fake: FakeSupervisor,
) -> None:
    fake.answers[call] = {"task": "importer"}
    answer = run(*typed.split())
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.startswith(said)
    assert sent.items() <= fake.calls(call)[0].items()
    assert json.loads(run(*typed.split(), "--json").out) == {"task": "importer"}


def test_an_answer_need_not_name_the_task(run: Run, fake: FakeSupervisor) -> None:
    assert run("stop", "importer").err == "importer is stopped\n"


@pytest.mark.parametrize(
    "typed",
    ["stop", "stop a --all", "send", "send importer", "return", "return a -m", "send --all"],
)
def test_what_is_not_complete_is_refused(typed: str, run: Run, fake: FakeSupervisor) -> None:
    answer = run(*typed.split())
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 2
    assert fake.asked == []


def test_an_empty_note_is_refused(run: Run, fake: FakeSupervisor) -> None:
    assert run("return", "a", "-m", " ").code == 2


@pytest.mark.parametrize(
    ("typed", "sent", "outcome", "code"),
    [
        ("send imp use it", {"task": "imp", "text": "use it"}, "delivered", 0),
        ("send --all commit", {"task": None, "text": "commit"}, "unconfirmed", 0),
        ("send imp x", {"task": "imp", "text": "x"}, "refused", 1),
    ],
)
def test_send_says_what_became_of_the_message(
    typed: str,
    sent: dict[str, object],
    outcome: str,
    *,
    code: int,
    run: Run,
    fake: FakeSupervisor,
) -> None:
    reason = "its run ended" if code else ""
    fake.answers["send"] = {"sent": [{"task": "importer", "outcome": outcome, "reason": reason}]}
    answer = run(*typed.split())
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith(f"importer: {outcome}")
    assert sent.items() <= fake.calls("send")[0].items()
    assert json.loads(run(*typed.split(), "--json").out) == fake.answers["send"]


def test_send_takes_stdin(
    run: Run, fake: FakeSupervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answers["send"] = {"sent": []}
    (tmp_path / "note").write_text("two\nlines")
    with (tmp_path / "note").open() as note:
        monkeypatch.setattr(sys, "stdin", note)
        assert run("send", "importer", "-").err == "no live agent reads messages\n"
    assert fake.calls("send")[0]["text"] == "two\nlines"


def test_an_agent_need_not_name_its_own_task(
    run: Run, fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_TASK", "importer")
    assert run("done").code == 0
    assert fake.calls("done") == [{"call": "done", "task": "importer"}]
    assert fake.actors[-1] == "importer"


def test_approve_prints_the_commit_it_approved(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["approve"] = {"task": "importer", "head": HEAD}
    answer = run("approve", "imp", "--head", "3f1c")
    assert answer.out == f"{HEAD}\n"
    assert answer.err.startswith("importer is approved")
    asked: dict[str, object] = {
        "call": "approve",
        "task": "imp",
        "head": "3f1c",
        "by": None,
        "more": [],
    }
    assert fake.calls("approve")[0] == asked
    assert json.loads(run("approve", "imp", "--json").out) == fake.answers["approve"]


def test_several_are_approved_together(run: Run, fake: FakeSupervisor) -> None:
    one, two = {"task": "importer", "head": HEAD}, {"task": "exporter", "head": HEAD[::-1]}
    fake.answers["approve"] = {"batch": "b", "approved": [one, two | {"lacks": "a review by bob"}]}
    answer = run("approve", "importer", "exporter", "--as", "ann")
    assert answer.out == f"{HEAD}\n{HEAD[::-1]}\n"
    assert answer.err.splitlines() == [
        "importer is approved; it lands when it is ready",
        "exporter is approved; still lacks a review by bob",
    ]
    sent = {"task": "importer", "by": "ann", "more": ["exporter"]}
    assert sent.items() <= fake.calls("approve")[0].items()


def test_an_approval_is_taken_back(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["revoke"] = {"task": "importer", "head": HEAD}
    assert run("approve", "--revoke", "imp").err == "importer is no longer approved\n"
    assert fake.calls("revoke") == [{"call": "revoke", "task": "imp", "by": None}]
    assert json.loads(run("approve", "--revoke", "imp", "--json").out)["head"] == HEAD
    for typed in (("a", "b"), ("a", "--head", "3f1c")):
        assert run("approve", "--revoke", *typed).code == 2


def test_clean_prints_the_names(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["clean"] = {"tasks": ["a", "b"], "forgotten": [], "unlanded": []}
    answer = run("clean", "--dry-run")
    assert (answer.out, answer.err) == ("a\nb\n", "these would be removed:\n")
    assert fake.calls("clean")[0]["dry_run"] is True
    assert run("clean").err == "these are removed:\n"
    nothing: dict[str, list[str]] = {"tasks": [], "forgotten": [], "unlanded": []}
    fake.answers["clean"] = nothing
    assert run("clean").err == "there is nothing to clean\n"
    assert json.loads(run("clean", "--json").out) == nothing


def test_clean_forgets_what_is_old_and_says_what_never_landed(
    run: Run, fake: FakeSupervisor
) -> None:
    fake.answers["clean"] = {"tasks": [], "forgotten": ["a", "b"], "unlanded": ["b"]}
    answer = run("clean", "--forget", "30d")
    assert answer.out == "a\nb (never landed)\n"
    assert answer.err == "these are forgotten:\n"
    assert fake.calls("clean")[0]["forget_s"] == 30 * 86400
    assert run("clean", "--forget", "soon").code == 2


# --- without a supervisor -------------------------------------------------------------------


@pytest.fixture
def sweep(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take the place of the program that sweeps; give the script, for a test to fill."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$*" >"$0.asked"\necho "2 runs ended"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return python


def test_stop_all_works_without_a_supervisor(run: Run, home: Home, sweep: Path) -> None:
    answer = run("stop", "--all")
    assert (answer.code, answer.err) == (0, "2 runs ended\n")
    asked = sweep.with_name("python.asked").read_text()
    assert asked == f"-m fleet.supervisor.sweep {home.root}\n"
    assert json.loads(run("stop", "--all", "--json").out)["swept"] is True
    assert not home.root.exists()


def test_a_sweep_that_fails_is_said(run: Run, sweep: Path) -> None:
    sweep.write_text("#!/bin/sh\necho 'one is left' >&2; exit 1\n")
    answer = run("stop", "--all")
    assert answer.code == 1
    assert answer.err.startswith("fleet: not all agents could be stopped: one is left\n")


def test_a_refusal_is_not_taken_for_an_absent_supervisor(
    run: Run, fake: FakeSupervisor, sweep: Path
) -> None:
    fake.answers["stop-all"] = RefusedError("not now")
    assert run("stop", "--all").code == 1
    assert not sweep.with_name("python.asked").exists()
