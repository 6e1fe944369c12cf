import subprocess
from collections.abc import Callable
from pathlib import Path

from fleet.agents.adapter import Launch, Request, SaysIdle
from fleet.agents.shell import ShellAdapter
from fleet.agents.traits import default_done

RequestFor = Callable[..., Request]
SHELL = ShellAdapter()


def run(launch: Launch, cwd: Path) -> str:
    return subprocess.run(launch.argv, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_the_prompt_is_the_command_as_it_stands(request_for: RequestFor, tmp_path: Path) -> None:
    prompt = 'x="a  b"\necho "$x" {task} \'q\' # comment'
    launch = SHELL.launch(request_for(prompt, messages=("never said",), attempt=2))

    assert launch == Launch(("/bin/sh", "-c", prompt), unset=SHELL.scrub)
    assert run(launch, tmp_path) == "a  b {task} q\n"


def test_a_prompt_too_long_for_an_argument_is_run_from_a_file(
    request_for: RequestFor, tmp_path: Path
) -> None:
    prompt = "echo begun\n" + "# ä\n" * 60_000 + "echo ended"
    launch = SHELL.launch(request_for(prompt, run_dir=str(tmp_path)))
    for name, content in launch.files.items():
        (tmp_path / name).write_text(content)

    assert run(launch, tmp_path) == "begun\nended\n"


def test_it_is_a_program_that_runs_once() -> None:
    assert not SHELL.converses
    assert SHELL.attempts == 1
    assert SHELL.program() == "/bin/sh"
    assert default_done(SHELL, has_checks=False) == "exit"
    assert default_done(SHELL, has_checks=True) == "turn"


def test_a_command_may_report_by_the_generic_hooks() -> None:
    assert SHELL.read_hook("idle", b"") == (SaysIdle(),)
