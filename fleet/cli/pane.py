"""The pane of a task: join it, look at it, read what it has said, tell its agent something."""

import shlex
import sys
from typing import Any

import click

from fleet import paths
from fleet.cli.common import (
    ask,
    examples,
    json_option,
    replace_program,
    task_argument,
    task_names,
    text_of,
)
from fleet.cli.output import Output, emit, say
from fleet.client.environment import ourselves, outer_tmux, without_tmux
from fleet.core.commands import Answer, Send, Verdict
from fleet.core.terminal import clean_lines, clean_screen
from fleet.errors import UsageError
from fleet.protocol import Attach, Log, Screen


@click.command(epilog=examples("fleet attach importer", 'fleet attach "$(fleet next)"'))
@task_argument
def attach(*, task: str) -> None:
    """Join a task's pane and work with its agent by hand."""
    if not sys.stdin.isatty():
        raise UsageError("attach needs a terminal", hint=f"type: fleet screen {task}")
    answer = ask(Attach(task=task, tmux=outer_tmux(), fleet=ourselves(paths.home())))
    if answer["opened"]:
        say(f"{task} is open in a new window of your tmux; the way back: {answer['way_back']}")
        return
    say(f"the way back: {answer['way_back']}")
    replace_program(list(answer["argv"]), without_tmux())


@click.command(epilog=examples("fleet screen importer", "watch -c fleet screen importer"))
@task_argument
@json_option
@click.pass_obj
def screen(out: Output, *, task: str, as_json: bool) -> None:
    """Print the pane as it is now, or its last words."""
    answer = ask(Screen(task=task, colour=out.colours))
    if as_json:
        emit(answer)
        return
    text = answer["text"].rstrip("\n")
    print(clean_screen(text) if out.colours else clean_lines(text))
    if not answer["live"]:
        say("this pane is gone; these are its last words")


@click.command(epilog=examples("fleet log importer", "fleet log importer --check pytest"))
@task_argument
@click.option("--attempt", type=click.IntRange(1), help="Of this attempt; the newest by default.")
@click.option("--check", help="The output of this check.")
@json_option
def log(*, task: str, attempt: int | None, check: str | None, as_json: bool) -> None:
    """Print all that is kept of a pane's output, or of a check's."""
    answer = ask(Log(task=task, attempt=attempt, check=check))
    if as_json:
        emit(answer)
    else:
        print(clean_lines(answer["text"]).rstrip("\n"))


@click.command(
    epilog=examples(
        'fleet send importer "use the streaming parser"',
        'fleet send --all "commit what you have"',
        "fleet send importer - < review.md",
    ),
)
@click.argument("words", metavar="[TASK] TEXT", nargs=-1, shell_complete=task_names)
@click.option("--all", "every", is_flag=True, help="Tell all live agents.")
@json_option
def send(*, words: tuple[str, ...], every: bool, as_json: bool) -> int:
    """Tell a live agent something; TEXT may be - for stdin.

    It is delivered where the agent was heard to hear it, unconfirmed where it was typed and nobody
    knows, queued where it is told later, and refused. Exits with 1 where an agent did not get it.
    """
    task = None if every else (words[0] if words else "")
    text = " ".join(words if every else words[1:])
    if task == "" or not text.strip():
        raise UsageError("name a task and say something", hint=shlex.join(_EXAMPLE))
    answer = ask(Send(task=task, text=text_of(text) if text == "-" else text))
    sent: list[dict[str, Any]] = answer["sent"]
    if as_json:
        emit(answer)
    for it in sent:
        why = f": {it['reason']}" if it["reason"] else ""
        say(f"{it['task']}: {it['outcome']}{why}")
    if not sent:
        say("no live agent reads messages")
    return int(any(it["outcome"] == "refused" for it in sent))


@click.command(
    epilog=examples(
        "fleet answer importer allow",
        'fleet answer importer deny "not outside of src"',
        'fleet answer importer "the second one"',
    ),
)
@task_argument
@click.argument("words", metavar="allow|deny|TEXT...", nargs=-1)
@click.option(
    "--ask", "asked", metavar="ID", help="Only if this is what it asks, as why --json names it."
)
@click.option("--text", "as_text", is_flag=True, help="All words answer a question, allow as well.")
@json_option
def answer(
    *, task: str, words: tuple[str, ...], asked: str | None, as_text: bool, as_json: bool
) -> int:
    """Answer what a live agent asks: a permission, a plan, a question.

    A reason may follow deny. Exits with 1 where the answer did not reach it.
    """
    if not any(word.strip() for word in words):
        raise UsageError("say allow, deny or some text", hint=f"type: fleet why {task}")
    verdict, rest = _verdict(words, as_text=as_text)
    told = ask(Answer(task=task, verdict=verdict, text=" ".join(rest), ask=asked))
    if as_json:
        emit(told)
    else:
        why = f": {told['reason']}" if told["reason"] else ""
        say(f"{told['task']}: {told['outcome']}{why}")
    return int(told["outcome"] == "refused")


def _verdict(words: tuple[str, ...], *, as_text: bool) -> tuple[Verdict, tuple[str, ...]]:
    if words[0] == "allow" and not as_text:
        return "allow", words[1:]
    if words[0] == "deny" and not as_text:
        return "deny", words[1:]
    return "text", words


_EXAMPLE = ("fleet", "send", "TASK", "the text")
COMMANDS = (attach, screen, log, send, answer)
