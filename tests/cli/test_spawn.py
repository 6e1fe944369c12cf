"""Work is given by exactly one prompt, with the options on the wire as they were typed."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor, Items
from wire_samples import task_detail


@pytest.fixture
def spawning(fake: FakeSupervisor) -> FakeSupervisor:
    fake.answers["spawn"] = lambda ask: {"tasks": [f"t{n}" for n in range(ask["count"])]}
    return fake


def test_spawn_prints_the_name(run: Run, spawning: FakeSupervisor) -> None:
    answer = run("spawn", "-p", "do it")
    assert (answer.code, answer.out) == (0, "t0\n")
    assert spawning.calls("spawn")[0]["prompt"] == "do it"


def test_every_option_is_on_the_wire(run: Run, spawning: FakeSupervisor) -> None:
    options = (
        "--name n --title t --agent shell --done exit --model m --effort high --base b --target g "
        "--after x --after y --check c1 --check c2 --attempts 3 --retries 1 --budget 2.5 "
        "--tokens 9 --timeout 2h --expect-lines 40 --count 2 --land auto"
    )
    assert run("spawn", "-p", "do it", *options.split()).out == "t0\nt1\n"
    sent = spawning.calls("spawn")[0]
    expected: dict[str, Any] = {"name": "n", "title": "t", "agent": "shell", "done": "exit"}
    expected |= {"model": "m", "effort": "high", "base": "b", "target": "g", "after": ["x", "y"]}
    expected |= {"checks": ["c1", "c2"], "attempts": 3, "retries": 1, "budget_usd": 2.5}
    expected |= {"tokens": 9, "timeout_s": 7200.0, "expect_lines": 40, "count": 2, "land": "auto"}
    assert {name: sent[name] for name in expected} == expected


def test_what_is_not_said_follows_the_policy(run: Run, spawning: FakeSupervisor) -> None:
    run("spawn", "-p", "do it")
    sent = spawning.calls("spawn")[0]
    for name in ("name", "agent", "done", "attempts", "timeout_s", "land", "budget_usd"):
        assert sent[name] is None
    assert sent["count"] == 1


def test_spawn_json_is_an_object_or_with_count_a_list(run: Run, spawning: FakeSupervisor) -> None:
    assert json.loads(run("spawn", "-p", "x", "--json").out) == {"task": "t0"}
    several = json.loads(run("spawn", "-p", "x", "--count", "2", "--json").out)
    assert several == [{"task": "t0"}, {"task": "t1"}]


def test_the_prompt_comes_from_a_file_or_stdin(
    run: Run, spawning: FakeSupervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spec.md").write_text("from a file")
    run("spawn", "-f", str(tmp_path / "spec.md"))
    for way in (("-",), ("-f", "-")):
        monkeypatch.setattr(sys, "stdin", io.StringIO("from stdin"))
        run("spawn", *way)
    prompts = [ask["prompt"] for ask in spawning.calls("spawn")]
    assert prompts == ["from a file", "from stdin", "from stdin"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give one prompt"),
        (("-p", "x", "-f", "y"), "give one prompt"),
        (("-p", "x", "-"), "give one prompt"),
        (("-p", " "), "the prompt is empty"),
        (("word",), 'there is "word"'),
        (("-f", "/no/such/file"), "cannot read /no/such/file"),
        (("-p", "x", "--timeout", "soon"), '"soon" is not a duration'),
        (("-p", "x", "--attempts", "0"), "invalid value"),
    ],
)
def test_a_prompt_that_is_not_one_is_refused(
    arguments: tuple[str, ...], said: str, run: Run, spawning: FakeSupervisor
) -> None:
    answer = run("spawn", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert spawning.calls("spawn") == []


def test_a_file_that_is_not_text_is_refused(
    run: Run, spawning: FakeSupervisor, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    assert "it is not UTF-8" in run("spawn", "-f", str(tmp_path / "x")).err


def test_variables_named_in_the_files_go_to_the_agent(
    run: Run, spawning: FakeSupervisor, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Path.home() / ".config" / "fleet" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("env: [MINE]\n")
    (repository / "fleet.yaml").write_text("env: [OURS]\n")
    for name in ("MINE", "OURS", "OTHER"):
        monkeypatch.setenv(name, "1")
    run("spawn", "-p", "x")
    sent = spawning.calls("spawn")[0]["environment"]
    assert {"MINE", "OURS", "OTHER"} & sent.keys() == {"MINE", "OURS"}
    assert "PATH" in sent
    assert "FLEET_HOME" not in sent


def test_a_file_that_is_not_understood_stops_it(
    run: Run, spawning: FakeSupervisor, repository: Path
) -> None:
    (repository / "fleet.yaml").write_text("environment: [OURS]\n")
    answer = run("spawn", "-p", "x")
    assert answer.code == 1
    assert "fleet.yaml:1: unknown key" in answer.err


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([("working", None), ("review", "review")], 0),
        ([("landed", None)], 0),
        ([("waiting", "permission")], 1),
        ([("failed", "out of attempts")], 1),
    ],
)
def test_wait_stays_until_the_task_settles(
    items: list[tuple[str, str | None]], code: int, run: Run, spawning: FakeSupervisor
) -> None:
    told = [{"task": "t0", "status": status, "needs": needs} for status, needs in items]
    spawning.answers["wait"] = Items(told, open_end=True)
    answer = run("spawn", "-p", "x", "--wait")
    assert answer.code == code
    assert answer.out == "t0\n"
    assert len(answer.err.splitlines()) == len(items)


def test_wait_ends_with_the_stream(run: Run, spawning: FakeSupervisor) -> None:
    result = [{"task": "t0", "status": "landed", "needs": None, "reached": True}]
    spawning.answers["wait"] = Items([], result)
    assert run("spawn", "-p", "x", "--wait").code == 0


def test_submit_names_its_task(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["submit"] = {"task": "fix"}
    assert run("submit", "fix-typo", "--check", "true").out == "fix\n"
    assert json.loads(run("submit", "fix-typo", "--json").out) == {"task": "fix"}
    sent = fake.calls("submit")[0]
    assert (sent["branch"], sent["checks"]) == ("fix-typo", ["true"])
    assert "PATH" in sent["environment"]


def test_edit_sends_what_is_to_change(run: Run, fake: FakeSupervisor, tmp_path: Path) -> None:
    (tmp_path / "spec").write_text("new")
    fake.answers["edit"] = {"task": "importer"}
    assert run("edit", "imp", "--timeout", "90s").err == "importer is changed\n"
    run("edit", "imp", "-f", str(tmp_path / "spec"), "--json")
    first, second = fake.calls("edit")
    assert (first["prompt"], first["timeout_s"]) == (None, 90.0)
    assert (second["prompt"], second["timeout_s"]) == ("new", None)
    assert run("edit", "imp", "-p", "x", "-f", "y").code == 2


def test_edit_alone_opens_the_editor(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(80)
    fake.answers["show"] = task_detail(prompt="old words\n")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/old/new/" "$1"\ntouch -d 2030-01-01 "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    run("edit", "importer")
    assert fake.calls("edit")[0]["prompt"] == "new words\n"


def test_an_editor_needs_a_terminal(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["show"] = task_detail()
    answer = run("edit", "importer")
    assert answer.code == 2
    assert "an editor needs a terminal" in answer.err


def test_an_editor_that_fails_is_said(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(80)
    fake.answers["show"] = task_detail()
    monkeypatch.setenv("EDITOR", "false")
    answer = run("edit", "importer")
    assert (answer.code, answer.err) == (1, "fleet: false: Editing failed\n")


def test_edit_that_changes_nothing_says_so(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(80)
    fake.answers["show"] = task_detail()
    monkeypatch.setenv("EDITOR", "true")
    assert run("edit", "importer").err == "nothing was changed\n"
    assert fake.calls("edit") == []


def test_a_stack_is_asked_for(run: Run, spawning: FakeSupervisor) -> None:
    run("spawn", "-p", "do it", "--stacked", "--after", "x")
    sent = spawning.calls("spawn")[0]
    assert (sent["stacked"], sent["after"]) == (True, ["x"])


def test_a_place_is_changed_without_an_editor(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["edit"] = {"task": "a"}
    for options in ("--priority low", "--after x --after y", "--alone"):
        assert run("edit", "a", *options.split()).code == 0
    sent = fake.calls("edit")
    assert [(it["priority"], it["after"], it["alone"]) for it in sent] == [
        ("low", None, False), (None, ["x", "y"], False), (None, None, True)
    ]  # fmt: skip
