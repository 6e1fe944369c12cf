"""Comments on lines of a change: written by a person, sent with a return, answered by the agent."""

import re
import sys
from typing import Any

import click
import msgspec

from fleet.cli.common import ask, confirm, examples, json_option, task_names, text_of
from fleet.cli.output import Cell, Output, Style, emit, say
from fleet.cli.text import age, count, now
from fleet.core.commands import Comment, DropComment, EditComment, Reply, ResolveComment
from fleet.core.comments import CommentRow, Side
from fleet.core.spelling import spelled
from fleet.core.terminal import clean_lines
from fleet.errors import UsageError
from fleet.protocol import Comments

_PLACE = re.compile(r"(.+):(\d{1,9})(?:@(old|new))?", re.DOTALL)
_STYLES: dict[str, Style] = {"unanswered": "wanted", "unsent": "busy", "answered": "good"}


@click.command(
    epilog=examples(
        'fleet comment importer src/orders.py:12 -m "what if there is none?"',
        "fleet comment importer src/orders.py:7@old      (a line that it removed; opens $EDITOR)",
        "fleet comment --resolve importer#3",
        'fleet comment --edit importer#4 -m "better words"',
    )
)
@click.argument("task", required=False, shell_complete=task_names)
@click.argument("place", metavar="FILE:LINE", required=False)
@click.option("-m", "--message", "text", metavar="TEXT", help="What to say; - reads stdin.")
@click.option("--resolve", metavar="COMMENT", help="It is done with, and counts no more.")
@click.option("--edit", metavar="COMMENT", help="Other words for what was not sent yet.")
@click.option("--drop", metavar="COMMENT", help="Take back what was not sent yet.")
@json_option
def comment(
    *,
    task: str | None,
    place: str | None,
    text: str | None,
    resolve: str | None,
    edit: str | None,
    drop: str | None,
    as_json: bool,
) -> None:
    """Comment on a line of a change; `fleet return` sends it to the agent."""
    meant = [it for it in (resolve, edit, drop) if it is not None]
    if len(meant) + (task is not None) != 1 or (task is None) != (place is None):
        raise UsageError(
            "name a task and FILE:LINE, or one comment", hint="type: fleet comment --help"
        )
    if task is not None and place is not None:
        _add(task, place, text, as_json=as_json)
    elif resolve is not None:
        confirm(ask(ResolveComment(comment=resolve)), f"{resolve} is resolved", as_json=as_json)
    elif drop is not None:
        confirm(ask(DropComment(comment=drop)), f"{drop} is taken back", as_json=as_json)
    elif edit is not None:
        said = _words(text, _known(edit) if text is None else "")
        confirm(ask(EditComment(comment=edit, text=said)), f"{edit} is changed", as_json=as_json)


def _add(task: str, place: str, text: str | None, *, as_json: bool) -> None:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(
            f"{place} is no line of a file", hint="write FILE:LINE, like src/orders.py:12"
        )
    side: Side = "old" if found[3] == "old" else "new"
    path, line = spelled(found[1]), int(found[2])
    answer = ask(Comment(task=task, path=path, line=line, side=side, text=_words(text)))
    if as_json:
        emit(answer)
        return
    say(f"on: {answer['quote'].strip() or 'an empty line'}")
    say(f"fleet return {answer['task']} sends it")
    print(answer["comment"])


def _words(text: str | None, begun: str = "") -> str:
    """Return what is to be said: as it was given, from stdin, or from an editor."""
    if text is not None:
        return spelled(text_of("-") if text == "-" else text)
    if not sys.stdin.isatty():
        raise UsageError("there is nothing said", hint="say it: -m TEXT, or -m - for stdin")
    written = click.edit(begun, extension=".md")
    if written is None or not written.strip():
        raise UsageError("nothing was said, so that nothing is kept")
    return written


def _known(name: str) -> str:
    """Return the words of a comment that a person is about to change."""
    task = name.rpartition("#")[0]
    rows = msgspec.convert(ask(Comments(task=task, all=True)), list[CommentRow])
    found = next((row for row in rows if row.id == name), None)
    if found is None:
        return ""
    unsent = [reply.text for reply in found.replies if not reply.sent]
    return unsent[-1] if unsent else found.text


@click.command(
    epilog=examples("fleet comments importer", "fleet comments      (typed by its agent)")
)
@click.argument("task", envvar="FLEET_TASK", shell_complete=task_names)
@click.option("-a", "--all", "every", is_flag=True, help="Also what is resolved.")
@json_option
@click.pass_obj
def comments(out: Output, *, task: str, every: bool, as_json: bool) -> None:
    """List what is said of a change's lines, with the answers."""
    answer = ask(Comments(task=task, all=every))
    if as_json:
        emit(answer)
        return
    rows = msgspec.convert(answer, list[CommentRow])
    for place, row in enumerate(rows):
        if place:
            print()
        _print(out, row)
    say(_summary(rows, task))


def _print(out: Output, row: CommentRow) -> None:
    style = _STYLES.get(row.state, "quiet")
    out.line(
        Cell(row.id, "strong"),
        Cell(f"  {_where(row)}"),
        Cell(f"  {row.state}", style),
        Cell(f"  {age(row.at, now())} ago, on revision {row.revision}", "quiet"),
    )
    out.line(Cell(f"  > {row.quote}", "quiet"))
    _block(row.by, row.text)
    for reply in row.replies:
        _block(reply.by if reply.sent else f"{reply.by}, not sent yet", reply.text)


def _where(row: CommentRow) -> str:
    side = "@old" if row.side == "old" else ""
    if row.outdated:
        return f"{row.path}:{row.line}{side}, a line that is gone"
    return f"{row.now_path}:{row.now_line}{side}"


def _block(by: str, text: str) -> None:
    lines = clean_lines(f"{by}: {text}").splitlines()
    print("\n".join(f"  {line}".rstrip() for line in lines))


def _summary(rows: list[CommentRow], task: str) -> str:
    if not rows:
        return f"no comments; begin with: fleet comment {task} FILE:LINE -m TEXT"
    unsent = sum(row.state == "unsent" for row in rows)
    said = [count(len(rows), "comment")]
    missing = sum(row.state == "unanswered" for row in rows)
    said += [f"{missing} unanswered"] if missing else []
    said += [f"{unsent} not sent yet: fleet return {rows[0].task}"] if unsent else []
    return ", ".join(said)


@click.command(
    epilog=examples(
        'fleet reply importer#3 -m "it is caught two lines above"',
        "git log -1 --format=%s | fleet reply 3 -m -      (typed by its agent)",
    )
)
@click.argument("comment", metavar="COMMENT")
@click.option("-m", "--message", "text", metavar="TEXT", help="What to say; - reads stdin.")
@json_option
def reply(*, comment: str, text: str | None, as_json: bool) -> None:
    """Answer a comment, as the agent of its change; or, as a person, say more."""
    answer: dict[str, Any] = ask(Reply(comment=comment, text=_words(text)))
    sent = "is answered" if answer["sent"] else f"has more; fleet return {answer['task']} sends it"
    confirm(answer, f"{answer['comment']} {sent}", as_json=as_json)


COMMANDS = (comment, comments, reply)
