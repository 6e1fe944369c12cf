"""What the README says is so: commands parse, tables are fresh, examples load, links lead on."""

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import get_args

import click
import pytest

from fleet.agents import generic
from fleet.agents.adapter import BadHook, Signal
from fleet.agents.command import CommandAdapter
from fleet.cli.main import cli
from fleet.config import read_repo_policy
from fleet.config.agents import AGENT_KEYS
from fleet.config.schema import reference
from fleet.core import views
from fleet.core.activity import Activity
from fleet.core.packet import Packet
from fleet.core.rows import ProofRow, QueueCheck, QueueRow, TaskRow, WhyView
from fleet.core.status import Failed, Landed, Paused, Starting, Stopped, Withdrawn
from fleet.errors import FleetError
from fleet.tui.keys import KEYS, Key, shown

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# `fleet` where a command may stand, and its words, up to what a shell puts between commands.
TYPED = re.compile(r"""(?:^|[\s(])fleet(?=\s|$)((?: +(?:'[^']*'|"[^"]*"|[^\s;|&()'"]+))*)""")
LEAST_SIGNS = 8  # of a sentence: fewer prove nothing


# --- reading the README -------------------------------------------------------------------------


def blocks(text: str, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text) if language in languages]


def section(text: str, title: str) -> str:
    """Return what stands below a heading, up to the next heading of its level or above."""
    level = next(line for line in text.splitlines() if line.endswith(f"# {title}")).count("#")
    pattern = rf"^#+ {re.escape(title)}\n(.*?)(?=^#{{1,{level}}} |\Z)"
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    heads = {place - 1 for place, row in enumerate(cells) if set(row[0]) == {"-"}}
    return [row for n, row in enumerate(cells) if n not in heads and set(row[0]) != {"-"}]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def typed(text: str) -> Iterator[list[str]]:
    """Yield every `fleet ...` that a person would type, as its words."""
    programs = "".join(blocks(text, "sh"))
    sessions = "".join(blocks(text, "console"))
    prompted = [line[2:] for line in sessions.splitlines() if line.startswith("$ ")]
    for line in [*programs.splitlines(), *prompted]:
        for words in TYPED.findall(re.sub(r"\s+#.*", "", line)):
            yield shlex.split(words)


# --- commands -----------------------------------------------------------------------------------


def parse(words: list[str]) -> None:
    """Let click read a command line and run nothing.

    Raises:
        click.UsageError: there is no such command, option or argument.
    """
    context = cli.make_context("fleet", [])
    if words:
        name, command, arguments = cli.resolve_command(context, list(words))
        assert command is not None
        command.make_context(name, arguments, parent=context)


def mentioned(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield every `fleet COMMAND ...` within the text: the command, and options named with it."""
    for usage in re.findall(r"`fleet ([a-z][^`]*)`", FENCE.sub("", text)):
        for name in usage.split()[0].replace("\\", "").split("|"):
            yield name, re.findall(r"(?<![\w|-])-{1,2}[a-z][a-z-]*", usage)


COMMANDS = list(typed(README))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_can_be_typed_as_they_stand(words: list[str]) -> None:
    parse(words)


def test_options_that_are_mentioned_are_there() -> None:
    context = cli.make_context("fleet", [])
    found = list(mentioned(README))

    for name, options in found:
        command = cli.get_command(context, name)
        assert command is not None, name
        assert set(options) <= {option for it in command.params for option in it.opts}, name
    assert ("wait", ["--for", "--timeout"]) in found


def test_the_tour_tries_the_commands_of_a_first_day() -> None:
    tour = {words[0] for words in typed(section(README, "A five-minute tour")) if words}

    assert {"init", "trust", "spawn", "wait", "diff", "approve", "return", "send", "down"} <= tour


@pytest.mark.parametrize(
    "words", [["spwan"], ["ls", "--al"], ["approve"], ["wait", "a", "--for", "ever"], ["ls", "x"]]
)
def test_what_cannot_be_typed_is_noticed(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(words)


def test_every_command_of_a_line_is_seen() -> None:
    text = "```sh\nx=$(fleet spawn - --wait) && fleet ls | wc  # fleet no\n```\n"

    assert list(typed(text)) == [["spawn", "-", "--wait"], ["ls"]]


# --- tables -------------------------------------------------------------------------------------


def test_the_reference_of_the_configuration_is_fresh() -> None:
    assert reference() in README, "paste what fleet.config.schema.reference() returns"


def test_the_keys_of_an_agent_are_fresh() -> None:
    table = rows(section(README, "Agents"))
    names = {f"`{key.name}`" for key in AGENT_KEYS}
    written = [row for row in table if len(row) == 3 and row[0] in names]

    assert written == [[f"`{key.name}`", key.kind.label, key.about] for key in AGENT_KEYS]


PLACES: dict[str, Callable[[Key], bool]] = {
    "In the list of tasks": lambda key: "fleet" in key.screens,
    "In a review, in the merge queue and among conflicts": lambda key: (
        not {"review", "queue", "conflicts"}.isdisjoint(key.screens)
    ),
    "In forms and questions": lambda key: not {"note", "new", "confirm"}.isdisjoint(key.screens),
    "Everywhere": lambda key: not key.screens,
}


def key_tables() -> str:
    """Return every key of the dashboard, in the table of the first place where it works."""
    left, text = list(KEYS), ""
    for place, works in PLACES.items():
        text += f"**{place}**\n\n| keys | command | what it does |\n|---|---|---|\n"
        here = [key for key in left if works(key)]
        left = [key for key in left if key not in here]
        for key in here:
            names = ["1-9"] if key.command == "digit" else [shown(name) for name in key.keys]
            cell = " ".join(f"`{name}`" for name in names)
            text += f"| {cell} | `{key.command}` | {key.help} |\n"
        text += "\n"
    assert not left
    return text.rstrip("\n")


def test_every_key_of_the_dashboard_is_told() -> None:
    assert key_tables() in README, f"paste:\n{key_tables()}"


def test_every_picture_is_shown() -> None:
    taken = {f".pictures/{path.name}" for path in (ROOT / ".pictures").iterdir()}

    assert taken == {link for link in links(README) if link.startswith(".pictures/")}


def words_of_status() -> set[str]:
    named = (Starting, Paused, Landed, Failed, Stopped, Withdrawn, *get_args(Activity))
    functions = {"status_word", "_change_word", "_held_word"}
    tree = ast.parse(Path(views.__file__).read_text())
    returned = [
        node.value
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and function.name in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
    ]
    words = [_choices(value) for value in returned]
    return {it.__name__.lower() for it in named} | set(chain.from_iterable(words))


def _choices(value: ast.expr) -> list[str]:
    if isinstance(value, ast.IfExp):
        return [*_choices(value.body), *_choices(value.orelse)]
    return [str(value.value)] if isinstance(value, ast.Constant) else []


def test_every_status_is_explained_and_no_other() -> None:
    assert {quoted(row[0])[0] for row in rows(section(README, "Statuses"))} == words_of_status()


@pytest.mark.parametrize(
    ("output", "fields"),
    [
        ("ls --json", TaskRow.__struct_fields__),
        ("queue --json", QueueRow.__struct_fields__),
        ("of its `checks`", QueueCheck.__struct_fields__),
        ("of its `proofs`", ProofRow.__struct_fields__),
        ("why --json", WhyView.__struct_fields__),
        ("review --json", Packet.__struct_fields__),
    ],
)
def test_json_has_the_keys_that_are_promised(output: str, fields: tuple[str, ...]) -> None:
    (row,) = [row for row in rows(section(README, "JSON")) if output in row[0]]

    assert tuple(quoted(row[1])) == fields


def test_hooks_are_understood_as_they_are_explained() -> None:
    table = rows(section(README, "What an agent reports"))
    told = {quoted(row[0])[0]: _tell(row) for row in table}

    assert told.keys() == generic._READERS.keys()
    assert not [signal for signal in told.values() if isinstance(signal, BadHook)]
    waiting = next(row for row in table if row[0] == "`waiting`")
    assert set(quoted(waiting[1])[1:]) == generic.NEEDS.keys()


def _tell(row: list[str]) -> Signal:
    payload = next(iter(quoted(row[1])), "")
    return generic.read_hook(quoted(row[0])[0], payload.encode())[0]


# --- examples and links ---------------------------------------------------------------------------


@pytest.mark.parametrize("example", blocks(README, "yaml"))
def test_examples_of_configuration_load(example: str) -> None:
    policy = read_repo_policy(example.encode(), source="uncommitted")

    assert (
        [CommandAdapter(agent).name for agent in policy.agents]
        or policy.checks
        or policy.agent_options
        or policy.rules
    )


def test_a_bad_example_would_be_noticed() -> None:
    with pytest.raises(FleetError):
        read_repo_policy(b"chekcs: [x]\n", source="uncommitted")


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    inside = [link for link in links(README) if not link.startswith("https://")]
    files = [link for link in inside if not link.startswith("#")]

    assert files
    assert [link for link in files if not (ROOT / link).exists()] == []
    assert {link[1:] for link in inside if link.startswith("#")} <= anchors(README)


# --- troubles -------------------------------------------------------------------------------------


def sentences() -> str:
    """Return all texts in the code, with a gap wherever something is put in."""
    trees = [ast.parse(path.read_text()) for path in sorted((ROOT / "fleet").rglob("*.py"))]
    constants = (
        node.value
        for node in chain.from_iterable(map(ast.walk, trees))
        if isinstance(node, ast.Constant)
    )
    return "\n".join(text for text in constants if isinstance(text, str))


def fixed(sentence: str) -> list[str]:
    """Return the parts of a sentence between the words in capitals, which stand for anything."""
    return [part.strip() for part in re.split(r"[A-Z]{3,}\S*", sentence) if part.strip(" :,")]


def test_troubles_are_told_in_the_words_of_the_program() -> None:
    said = sentences()
    told = [it for row in rows(section(README, "Troubleshooting")) for it in quoted(row[0])]
    parts = {it: fixed(it) for it in told}

    assert told
    assert [it for it in told if max(map(len, parts[it])) < LEAST_SIGNS] == []
    assert [it for it in told if any(part not in said for part in parts[it])] == []
