"""Errors are printed in one form, exit codes are the promised ones, and little is loaded."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor, Items

from fleet import __version__
from fleet.cli.main import MODULES, cli, main
from fleet.errors import FleetError, TimedOutError
from fleet.paths import Home

FLEET = (sys.executable, "-m", "fleet")
PROMISED = (
    *("up", "down", "status", "doctor", "init", "trust", "spawn", "ls", "show", "why", "events"),
    *("submit", "path", "edit", "attach", "screen", "log", "send", "stop", "pause", "resume"),
    *(
        "retry",
        "done",
        "queue",
        "diff",
        "approve",
        "return",
        "withdraw",
        "revert",
        "wait",
        "rm",
        "restore",
    ),
    *("clean", "demo"),
)


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_every_promised_command_is_there() -> None:
    assert set(PROMISED) <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_help_is_a_sentence_options_and_examples(name: str, run: Run) -> None:
    answer = run(name, "--help")
    assert answer.code == 0
    assert "examples:" in answer.out
    assert f"fleet {name}" in answer.out or "fleet completion" in answer.out
    assert command(name).get_short_help_str(200).endswith(".")


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"attach", "completion", "demo"}))
def test_every_command_that_prints_has_json(name: str) -> None:
    assert "--json" in {option for it in command(name).params for option in it.opts}


def test_help_lists_every_command(run: Run) -> None:
    shown = run("--help").out
    assert all(f"  {name} " in shown for name in MODULES)


def test_version(run: Run) -> None:
    assert run("--version").out == f"fleet {__version__}\n"


def test_a_refusal_is_a_sentence_and_a_hint(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["ls"] = FleetError("no \x1b[2Jroom", hint="type: fleet clean")
    answer = run("ls")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "fleet: no room\n       type: fleet clean\n"


def test_the_exit_code_is_the_error_s_own(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["ls"] = TimedOutError("too late")
    assert run("ls").code == 124


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sqawn",), 'there is no command "sqawn" (did you mean spawn?)'),
        (("zzz",), 'there is no command "zzz"'),
        (("ls", "--alle"), "no such option"),
        (("wait",), "missing argument"),
        (("wait", "a", "--timeout", "soon"), '"soon" is not a duration'),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_to_type(
    arguments: tuple[str, ...], said: str, run: Run
) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"fleet: {said}")
    assert "\n       " in answer.err


@pytest.mark.parametrize("arguments", [("down",), ("status",)])
def test_without_a_supervisor_these_exit_with_3(
    arguments: tuple[str, ...], run: Run, home: Home
) -> None:
    answer = run(*arguments)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"fleet: no supervisor runs for {home.root}\n       type: fleet up\n"


def test_an_interrupt_exits_with_130(run: Run, fake: FakeSupervisor) -> None:
    process = os.getpid()

    def interrupt(_: object) -> Items:
        os.kill(process, signal.SIGINT)
        return Items([], open_end=True)

    fake.answers["events"] = interrupt
    assert run("events", "--follow").code == 130


def test_an_interrupt_between_commands_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupt)
    assert main([]) == 130


def test_a_reader_that_leaves_is_no_error(fake: FakeSupervisor) -> None:
    entry = {"seq": 1, "at": "2026-01-31T09:00:00Z", "type": "x", "task": "t", "text": "y" * 900}
    fake.answers["events"] = Items([entry] * 300)
    with subprocess.Popen(
        [*FLEET, "events", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline()) == entry
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shell_s_own_words(shell: str, run: Run) -> None:
    assert "_FLEET_COMPLETE" in run("completion", shell).out


def completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what bash is offered after `fleet show im`."""
    words = {"_FLEET_COMPLETE": "bash_complete", "COMP_WORDS": "fleet show im", "COMP_CWORD": "2"}
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main([])
    out, err = capsys.readouterr()
    assert err == ""
    return out.strip()


def test_task_names_are_completed(
    fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers["ls"] = [{"task": "importer"}, {"task": "exporter"}]
    assert completed(monkeypatch, capsys) == "plain,importer"


def test_no_supervisor_is_started_to_complete_a_name(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completed(monkeypatch, capsys) == ""
    assert not home.root.exists()


def test_a_command_loads_nothing_heavy(fake: FakeSupervisor) -> None:
    fake.answers["ls"] = []
    program = (
        "import sys; from fleet.cli.main import main; main(['ls', '--json']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    environment = {name: it for name, it in os.environ.items() if "COVERAGE" not in name}
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, env=environment, capture_output=True, check=True)
    heavy = {"asyncio", "subprocess", "yaml", "git", "libtmux", "psutil", "sqlite3"}
    heavy |= {"rich", "textual"}
    ours = {"fleet.supervisor", "fleet.tools", "fleet.agents", "fleet.config", "fleet.cli.spawn"}
    ours |= {"fleet.tui", "fleet.cli.dashboard"}
    assert not (heavy | ours) & set(done.stderr.decode().split())


def test_in_a_directory_that_is_gone_it_says_so(
    run: Run, fake: FakeSupervisor, tmp_path: Path, on_terminal: Callable[[int], None]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert "is gone" in run("ls", "--here").err
