"""A person's own tmux server, as far as they asked us in: one new window, and their prefix read."""

from collections.abc import Sequence
from typing import NamedTuple

from fleet.errors import ToolError
from fleet.tools.tmux.settings import label


class _Outer(NamedTuple):
    socket: str
    session_id: str


def prefix_of(user_tmux: str | None) -> str | None:
    """Return the prefix key of the tmux that `user_tmux`, a value of $TMUX, speaks of.

    None where there is no tmux around the person, or it does not say.
    """
    if not user_tmux:
        return None
    outer = _parse(user_tmux)
    try:
        [prefix] = _run(outer, "show-options", "-A", "-v", "-t", outer.session_id, "prefix")
    except (ToolError, ValueError):
        return None
    return prefix


def open_in_user_tmux(user_tmux: str, argv: Sequence[str], *, title: str) -> None:
    """Run `argv` in a new window of the tmux session that `user_tmux`, a value of $TMUX, names.

    Raises:
        ToolError: that server is gone, or refuses.
    """
    outer = _parse(user_tmux)
    target = f"{outer.session_id}:"
    name = label(title)
    _run(outer, "new-window", "-t", target, "-n", name, "--", *argv)


def _parse(user_tmux: str) -> _Outer:
    try:
        socket, _, number = user_tmux.rsplit(",", 2)
        return _Outer(socket, f"${int(number)}")
    except ValueError as error:
        raise ToolError(f"$TMUX is not what tmux sets: {user_tmux!r}") from error


def _run(outer: _Outer, *args: str) -> list[str]:
    # Importing libtmux takes 100 ms; a person who attaches is the only one to wait for it.
    from libtmux import Server  # noqa: PLC0415
    from libtmux.exc import LibTmuxException  # noqa: PLC0415

    # On a command line, tmux takes a `;` at the end of an argument for the end of the command.
    words = [f"{word[:-1]}\\;" if word.endswith(";") else word for word in args]
    try:
        reply = Server(socket_path=outer.socket).cmd(*words)
    except LibTmuxException as error:
        raise ToolError(f"cannot speak to your tmux: {error}") from error
    if reply.returncode:
        said = " ".join(reply.stderr)
        raise ToolError(f"your tmux refused: {said}", argv=("tmux", args[0]), stderr=said)
    return list(reply.stdout)
