"""What no reader should have to check by eye: sizes, words, imports and what lies where."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fleet"
README = ROOT / "README.md"
MODULE_LINES = 300
FUNCTION_LINES = 40
TOP_LEVEL = {
    *(
        ".ci",
        ".gitignore",
        ".pictures",
        "LICENSE",
        "README.md",
        "configs",
        "fleet",
        "pyproject.toml",
    ),
    *("scripts", "tests"),
}
# Bounded polls of what tells no one that it has changed.
MAY_SLEEP = {
    "fleet/client/starting.py": "nothing tells that a socket is listened on, or a lock is free",
    "fleet/supervisor/answers/screens.py": "what is drawn often is shown some times a second",
    "fleet/supervisor/answers/watch.py": "what changes often is shown a few times a second",
    "fleet/supervisor/keeper.py": "the pause between two starts of what keeps dying is the purpose",
    "fleet/supervisor/probes/exits.py": "tmux tells nobody when it learns how a process ended",
    "fleet/supervisor/running.py": "the beat at which panes, targets and keeper are looked at",
    "fleet/tools/processes/table.py": "nothing tells of the end of someone else's child",
    "fleet/tools/tmux/input.py": "a program's drawing is no event that tmux tells of",
    "fleet/tools/tmux/server.py": "nothing tells when an old server lets go of its socket",
}
AGENTS = re.compile(r"(?i)\w*(?:aider|claude|codex|copilot|gemini|opencode)\w*")
SOMEONES_HOME = re.compile(r"/(?:home|Users)/(?!(?:person|user|you)\b)[a-z]\w{2,}/")
HEAVY = {"anthropic", "asyncio", "git", "libtmux", "psutil", "rich", "sqlite3", "textual", "yaml"}


# --- what is looked for -----------------------------------------------------------------------


def too_long(source: str) -> list[str]:
    """The module itself, or functions in it, above their limit; decorators don't count."""
    lines = source.count("\n")
    functions = [
        f"{node.name}: {length} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    return functions + [f"module: {lines} lines"] * (lines > MODULE_LINES)


def unexplained(source: str) -> list[str]:
    """A module that holds something must open with what it is for."""
    tree = ast.parse(source)
    return [] if not tree.body or ast.get_docstring(tree) else ["no docstring"]


def sleeps(source: str) -> list[str]:
    """Waits for time to pass; a sleep of 0 only lets others run."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [f"line {call.lineno}: {ast.unparse(call)}" for call in calls if _sleeps(call)]


def _sleeps(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name == "sleep" and [ast.unparse(argument) for argument in call.args] != ["0"]


def agents_named(source: str) -> list[str]:
    return AGENTS.findall(source)


def homes(text: str) -> list[str]:
    """Paths that hold on one machine only."""
    return SOMEONES_HOME.findall(text) + [str(ROOT)] * (str(ROOT) in text)


def commands_in_help(text: str) -> set[str]:
    return set(re.findall(r"^  ([a-z]+)(?:  |$)", text, re.MULTILINE))


def commands_in_readme(text: str) -> set[str]:
    """Commands in the first column of the tables: `fleet stop\\|done TASK` names two."""
    cells = re.findall(r"^\| *(`fleet.*?)(?<!\\)\|", text, re.MULTILINE)
    usages = [usage for cell in cells for usage in re.findall(r"`fleet ([^`]+)`", cell)]
    return {name for usage in usages for name in usage.split()[0].replace("\\", "").split("|")}


# --- where it is looked for ---------------------------------------------------------------------


def modules() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text()


def faults(look: Callable[[str], list[str]]) -> dict[str, list[str]]:
    return {name: found for name, source in modules() if (found := look(source))}


def tracked() -> list[str]:
    """The files that a commit made now could hold."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    return [name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()]


def alone(program: str, *options: str) -> tuple[str, set[str]]:
    """Run `program` in an interpreter of its own: what it printed, and which packages it loaded."""
    ran = subprocess.run(
        [sys.executable, *options, "-c", program + "\nprint(*sys.modules, file=sys.stderr)"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, {name.partition(".")[0] for name in ran.stderr.split()}


HELP = """\
import contextlib, runpy, sys
sys.argv = ["fleet", "--help"]
with contextlib.suppress(SystemExit):
    runpy.run_module("fleet", run_name="__main__")
"""
PANE = f"import sys; sys.path.append({str(ROOT)!r}); import fleet.pane.main"


# --- the code as it is ------------------------------------------------------------------------


def test_modules_and_functions_are_small() -> None:
    assert faults(too_long) == {}


def test_every_module_says_what_it_is_for() -> None:
    assert faults(unexplained) == {}


def test_nothing_waits_for_time_to_pass_without_a_reason() -> None:
    assert faults(sleeps).keys() == MAY_SLEEP.keys(), faults(sleeps)


def test_only_adapters_know_the_names_of_agents() -> None:
    found = faults(agents_named)

    assert [name for name in found if not name.startswith("fleet/agents/")] == []


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert {name.partition("/")[0] for name in tracked()} - TOP_LEVEL == set()


def test_no_file_knows_someones_machine() -> None:
    texts = {name: (ROOT / name).read_text(errors="replace") for name in tracked()}

    assert {name: found for name, text in texts.items() if (found := homes(text))} == {}


def test_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_help_loads_nothing_heavy() -> None:
    text, loaded = alone(HELP)

    assert commands_in_help(text)
    assert loaded & HEAVY == set()


def test_the_program_in_the_pane_needs_only_python() -> None:
    _, loaded = alone(PANE, "-I", "-S")

    assert loaded - sys.stdlib_module_names - {"__main__"} == {"fleet"}


def test_the_readme_names_every_command_and_no_other() -> None:
    text, _ = alone(HELP)

    assert commands_in_readme(README.read_text()) == commands_in_help(text)


# --- each look sees what it is for ----------------------------------------------------------


@pytest.mark.parametrize(
    ("look", "bad", "good"),
    [
        (too_long, "def f():\n" + "    pass\n" * 40, "def f():\n" + "    pass\n" * 39),
        (too_long, "async def f():\n" + "    pass\n" * 40, ""),
        (too_long, "class C:\n    def f(self):\n" + "        pass\n" * 40, ""),
        (too_long, "x = 1\n" * 301, "x = 1\n" * 300),
        (unexplained, "x = 1\n", '"""Why."""\nx = 1\n'),
        (unexplained, "# only a comment\nx = 1\n", ""),
        (sleeps, "import time\ntime.sleep(1)\n", "time.time()\n"),
        (sleeps, "from time import sleep\nsleep(0.1)\n", "asleep(1)\n"),
        (sleeps, "await asyncio.sleep(0.1)\n", "await asyncio.sleep(0)\n"),
        (agents_named, "if agent == 'claude':\n", "if agent == 'shell':\n"),
        (agents_named, "class CodexAdapter: ...\n", "class CodeAdapter: ...\n"),
        (homes, "see /{}/ann/fleet".format("home"), "see /home/user/fleet"),
        (homes, f"see {ROOT}/x", "see /tmp/x"),
    ],
)
def test_a_look_sees_the_bad_and_lets_the_good_pass(
    look: Callable[[str], list[str]], bad: str, good: str
) -> None:
    assert look(bad)
    assert not look(good)


def test_commands_are_read_from_help_and_readme() -> None:
    text = "Usage: fleet\n\nOptions:\n  --json  x\n\nWork:\n  stop   End it.\n  up\n"
    first = "| `fleet` | a |\n| `fleet up`, `fleet stop\\|done TASK` | `fleet ls` |\n"
    table = first + "| `fleet rm -x \\| -y` | b |\n"

    assert commands_in_help(text) == {"stop", "up"}
    assert commands_in_readme(table) == {"up", "stop", "done", "rm"}
