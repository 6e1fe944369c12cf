"""Every key as a value: what it is called, where it works, and why it is refused at this moment.

Footer, help screen and command palette are made from this one list.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from fleet.core.policy import PRIORITIES
from fleet.errors import ConfigError
from fleet.tui.refusals import (
    Refusal,
    digit,
    linked,
    needs,
    never,
    on_task,
    pause,
    thaw,
    until,
    verdict,
)


class Key(Struct, frozen=True, kw_only=True):
    """One thing that a person can do. `keys` are Textual's names of keys.

    Pressed on one of `screens` (all of them where there is none), and not refused, it calls
    `do_<command>` of the screen or of the app. With `footer` it stands in the footer.
    """

    command: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: str
    screens: tuple[str, ...] = ()
    refusal: Refusal = never
    footer: bool = False
    palette: bool = True


LIST, TASK, REVIEW = ("fleet",), ("fleet", "review"), ("fleet", "queue", "conflicts")
READ, VERDICT, FORM = ("review",), ("review", "queue"), ("note", "new")
_ANY_DIGIT = tuple("123456789")
KEYS: tuple[Key, ...] = (
    Key(command="attach", keys=("enter",), label="attach", group="agent", screens=TASK,
        help="join the pane and work by hand", refusal=on_task("attach"), footer=True),
    Key(command="send", keys=("space", "m"), label="send", group="agent", screens=TASK,
        help="tell the agent something without leaving", refusal=on_task("send"), footer=True),
    Key(command="allow", keys=("y",), label="allow", group="agent", screens=LIST,
        help="allow the tool that it asks for", refusal=verdict, footer=True),
    Key(command="deny", keys=("N",), label="deny", group="agent", screens=LIST,
        help="deny the tool that it asks for", refusal=verdict, footer=True),
    Key(command="digit", keys=_ANY_DIGIT, label="choose", group="agent", screens=LIST,
        help="answer its question with that choice, or else jump to that row",
        refusal=digit, palette=False),
    Key(command="next", keys=("w",), label="next", group="move", screens=LIST, refusal=needs,
        help="go to the next task that needs you", footer=True),
    Key(command="review", keys=("d", "D"), label="review", group="review", screens=REVIEW,
        help="read the change, then approve it or send it back",
        refusal=on_task("diff"), footer=True),
    Key(command="read", keys=("enter",), label="read", group="review",
        screens=("queue", "conflicts"), help="read the change", refusal=on_task("diff"),
        palette=False),
    Key(command="approve", keys=("a",), label="approve", group="review", screens=VERDICT,
        help="let the commit that is on the screen land", refusal=on_task("approve"), footer=True),
    Key(command="return", keys=("R",), label="return", group="review", screens=VERDICT,
        help="send it back to its agent with a note", refusal=on_task("return"), footer=True),
    Key(command="withdraw", keys=("W",), label="withdraw", group="review", screens=VERDICT,
        help="take it out of the merge queue; the branch stays",
        refusal=on_task("withdraw"), footer=True),
    Key(command="thaw", keys=("T",), label="thaw", group="review", screens=("queue",),
        help="let a queue move again that is frozen, or whose target is red",
        refusal=thaw, footer=True),
    Key(command="sooner", keys=("plus",), label="sooner", group="review", screens=("queue",),
        help="land sooner: low, normal, urgent", refusal=until(PRIORITIES[-1]), footer=True),
    Key(command="later", keys=("minus",), label="later", group="review", screens=("queue",),
        help="land later: urgent, normal, low", refusal=until(PRIORITIES[0])),
    Key(command="comment", keys=("c",), label="comment", group="review", screens=READ,
        help="say something of this line; a return sends it", refusal=linked, footer=True),
    Key(command="settle", keys=("x",), label="settle", group="review", screens=READ,
        help="take a comment back, or call one that was sent resolved", refusal=linked),
    Key(command="seen", keys=("v",), label="seen", group="review", screens=READ,
        help="fold a file that you have read until it changes, or unfold it", refusal=linked),
    Key(command="since", keys=("i",), label="since", group="review", screens=READ,
        help="what has changed since you read it last, or all of it", refusal=linked),
    Key(command="reload", keys=("r",), label="reload", group="review", screens=READ,
        help="read the newest revision", refusal=linked),
    Key(command="next_pane", keys=("tab",), label="next pane", group="read", screens=READ,
        help="diff, checks, task, packet", footer=True),
    Key(command="last_pane", keys=("shift+tab",), label="last pane", group="read", screens=READ,
        help="packet, task, checks, diff"),
    Key(command="show_pane", keys=("1", "2", "3", "4"), label="pane", group="read", screens=READ,
        help="the diff, the checks, the task, the review packet", palette=False),
    Key(command="next_section", keys=("]",), label="file", group="read", screens=READ,
        help="to the next file, or the next check", footer=True),
    Key(command="last_section", keys=("[",), label="file before", group="read", screens=READ,
        help="to the file before, or the check before"),
    Key(command="next_stop", keys=("}",), label="hunk", group="read", screens=READ,
        help="to the next piece of the diff", footer=True),
    Key(command="last_stop", keys=("{",), label="hunk before", group="read", screens=READ,
        help="to the piece of the diff before"),
    Key(command="search", keys=("slash",), label="search", group="read", screens=READ,
        help="find text, upper or lower case alike", footer=True),
    Key(command="next_found", keys=("n",), label="next found", group="read", screens=READ,
        help="to where the text is found next"),
    Key(command="last_found", keys=("N",), label="found before", group="read", screens=READ,
        help="to where the text was found before"),
    Key(command="left", keys=("h", "left"), label="left", group="read", screens=READ,
        help="move long lines back", palette=False),
    Key(command="right", keys=("l", "right"), label="right", group="read", screens=READ,
        help="see the rest of long lines", palette=False),
    Key(command="pull_request", keys=("O",), label="pull request", group="read", screens=READ,
        help="copy the address of its pull request"),
    Key(command="worktree", keys=("o",), label="worktree", group="read", screens=READ,
        help="copy the path of its worktree"),
    Key(command="yes", keys=("y", "enter"), label="yes", group="dialog", screens=("confirm",),
        help="do it", refusal=linked),
    Key(command="no", keys=("n",), label="no", group="dialog", screens=("confirm",),
        help="leave it as it is"),
    Key(command="next_field", keys=("tab",), label="next field", group="dialog",
        screens=("new",), help="go to the next field; shift+tab to the one before"),
    Key(command="submit", keys=("ctrl+s",), label="send", group="dialog", screens=FORM,
        help="send what is typed"),
    Key(command="queue", keys=("Q",), label="queue", group="review", screens=LIST,
        help="what is about to land, and what it waits for"),
    Key(command="conflicts", keys=("C",), label="conflicts", group="review",
        screens=("fleet", "queue", "conflicts"),
        help="open branches that do not merge with each other, or with their target"),
    Key(command="other_side", keys=("tab",), label="other", group="review", screens=("conflicts",),
        help="from one of the two tasks that conflict to the other", footer=True),
    Key(command="new", keys=("n",), label="new", group="task", screens=LIST,
        help="give work to a new agent", refusal=linked, footer=True),
    Key(command="stop", keys=("s",), label="stop", group="task", screens=LIST,
        help="end its run; the work stays", refusal=on_task("stop"), footer=True),
    Key(command="retry", keys=("r",), label="retry", group="task", screens=LIST,
        help="begin a new attempt with a fresh context", refusal=on_task("retry")),
    Key(command="pause", keys=("p",), label="pause", group="task", screens=LIST,
        help="pause it, or resume what is paused", refusal=pause),
    Key(command="done", keys=("f",), label="finish", group="task", screens=LIST,
        help="take its work as it stands", refusal=on_task("done")),
    Key(command="remove", keys=("x", "delete"), label="remove", group="task", screens=LIST,
        help="archive its work and take it off the list", refusal=on_task("rm")),
    Key(command="restore", keys=("u",), label="undo", group="task", screens=LIST,
        help="bring back what was removed last", refusal=linked),
    Key(command="down", keys=("j", "down"), label="down", group="move",
        help="one down", palette=False),
    Key(command="up", keys=("k", "up"), label="up", group="move", help="one up", palette=False),
    Key(command="top", keys=("g", "home"), label="top", group="move",
        help="to the first", palette=False),
    Key(command="bottom", keys=("G", "end"), label="bottom", group="move",
        help="to the last", palette=False),
    Key(command="page_down", keys=("pagedown", "ctrl+d"), label="page down", group="move",
        help="a page down", palette=False),
    Key(command="page_up", keys=("pageup", "ctrl+u"), label="page up", group="move",
        help="a page up", palette=False),
    Key(command="pane", keys=("tab", "shift+tab"), label="pane", group="move", screens=LIST,
        help="from the list to the pane below it, to scroll there, and back"),
    Key(command="filter", keys=("slash",), label="filter", group="move", screens=LIST,
        help="show only tasks with these words; !word leaves out", footer=True),
    Key(command="back", keys=("escape",), label="back", group="move",
        help="leave what you are in: a text, a filter, a screen", palette=False),
    Key(command="palette", keys=("colon", "ctrl+p", "ctrl+k"), label="commands", group="fleet",
        help="find any command by its name", palette=False),
    Key(command="help", keys=("question_mark", "f1"), label="help", group="fleet",
        help="every key, and why it is refused now", footer=True),
    Key(command="quit", keys=("q", "ctrl+q", "ctrl+c"), label="quit", group="fleet",
        help="leave; agents and supervisor go on", footer=True),
)  # fmt: skip


def remapped(keys: Sequence[Key], wanted: Mapping[str, Sequence[str]]) -> tuple[Key, ...]:
    """Return `keys` with those that a person's configuration gives to its commands.

    A key that is given to one command is taken from all others.

    Raises:
        ConfigError: there is no such command.
    """
    known = {key.command for key in keys}
    for command in wanted:
        if command not in known:
            near = get_close_matches(command, known, n=1)
            guess = f" (did you mean {near[0]}?)" if near else ""
            raise ConfigError(
                f'keys: there is no command "{command}"{guess}', key=("keys", command)
            )
    taken = {name for names in wanted.values() for name in names}
    return tuple(
        replace(key, keys=tuple(wanted[key.command]))
        if key.command in wanted
        else replace(key, keys=tuple(name for name in key.keys if name not in taken))
        for key in keys
    )


def works_on(key: Key, screen: str) -> bool:
    """Whether a key means something on that screen."""
    return not key.screens or screen in key.screens


def pressed(keys: Sequence[Key], name: str, screen: str) -> Key | None:
    """Return what a key of the keyboard stands for on that screen."""
    return next((key for key in keys if name in key.keys and works_on(key, screen)), None)


_NAMES = {
    "slash": "/", "question_mark": "?", "colon": ":", "plus": "+", "minus": "-", "escape": "esc",
    "enter": "⏎", "pagedown": "pgdn", "pageup": "pgup", "up": "↑", "down": "↓", "delete": "del",
}  # fmt: skip


def shown(name: str) -> str:
    """Return a key as a person would name it."""
    for whole, short in (("ctrl+", "^"), ("shift+", "⇧")):
        if name.startswith(whole):
            return short + shown(name.removeprefix(whole))
    return _NAMES.get(name, name)
