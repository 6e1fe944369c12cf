"""Agents' panes: opened, listed, read and closed, each only in the name of the run it holds."""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import ToolError
from fleet.tools.tmux import view
from fleet.tools.tmux.control import Control, TmuxGoneError
from fleet.tools.tmux.language import Command
from fleet.tools.tmux.push import Push
from fleet.tools.tmux.server import Server
from fleet.tools.tmux.settings import RUN, SESSION_NAME, USER_OPTION, label
from fleet.tools.tmux.view import PaneState

_PANE = "#{pane_id}\t#{session_id}\t#{pane_pid}"


@dataclass(frozen=True)
class Pane:
    """A pane that was opened; `pid` is its process."""

    pane_id: str
    session_id: str
    pid: int


class Panes:
    """The panes of one server. Their ids hold for the life of that server and are never reused."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def open(
        self,
        *,
        session: str,
        run: str,
        cwd: Path,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (200, 50),
        options: Mapping[str, str] | None = None,
    ) -> Pane:
        """Start `argv` in a tmux session of its own and return its pane; no shell is involved.

        Where a pane already carries `run`, that is the answer: opening twice is opening once.
        `options` are user options, made harmless for the status line.

        Raises:
            ToolError: the name is another run's, `cwd` is missing, or tmux refuses.
        """
        _check(session=session, run=run, cwd=cwd)
        if there := self.server.ask(lambda tmux: _of_run(tmux, run)):
            return there
        commands = [
            # tmux runs `#(...)` in the argument of -c; in an option's value it does not.
            ("set-option", "-s", "@fleet_cwd", str(cwd)),
            _new_session(session, argv, env=env or {}, size=size),
            *_set_options(session, run, options or {}),
        ]
        try:
            _, [row], *_ = self.server.connection().group(commands)
        except ToolError as error:
            if not error.stderr.startswith("duplicate session"):
                raise
            return self._taken(session, run)
        return _pane(row)

    def all(self) -> list[PaneState]:
        """Return every pane of the server, the hub's and those a person opened among them."""
        return self.server.ask(_settled)

    def find(self, pane_id: str) -> PaneState | None:
        """Return the state of one pane, or None where it is gone."""
        return self.server.ask(lambda tmux: view.find(tmux, pane_id))

    def glimpses(self) -> dict[str, view.Glimpse]:
        """Return for each pane its title, and a stamp that changes when something is written to it.

        It may be asked several times a second, at a fraction of the cost of `all`. To the stamp, a
        redraw in place that ends where the cursor was goes unnoticed.
        """
        return self.server.ask(view.glimpses)

    def capture(self, pane_id: str, *, history: int = 0, colours: bool = False) -> str:
        """Return the screen of a pane as text, with up to `history` lines from above it.

        tmux writes how an agent ended below its last words, which move up by a line; what a
        program wrote in the millisecond of its end may be missing.

        Raises:
            ToolError: there is no such pane.
        """
        command = view.capture_command(pane_id, history=history, colours=colours)
        return "\n".join(self.server.ask(lambda tmux: tmux.command(*command)))

    def drawn(self, pane_id: str, *, history: int = 0) -> view.Drawn:
        """Return a pane as it is drawn now, with up to `history` rows from above.

        Raises:
            ToolError: there is no such pane.
        """
        return self.server.ask(lambda tmux: view.drawn(tmux, pane_id, history=history))

    def push(self, drawn: view.Drawn) -> Push:
        """Return a client that is told when something is drawn in that pane.

        Raises:
            ToolError: tmux cannot be started.
        """
        return self.server.push(drawn.pane_id, drawn.session_id)

    def capture_many(self, pane_ids: Iterable[str], *, colours: bool = False) -> dict[str, str]:
        """Return the screens of many panes at the cost of one call; those that are gone lack."""
        wanted = list(pane_ids)
        commands = [view.capture_command(pane_id, history=0, colours=colours) for pane_id in wanted]
        answers = self.server.ask(lambda tmux: tmux.pipeline(commands))
        return {
            pane_id: "\n".join(answer)
            for pane_id, answer in zip(wanted, answers, strict=True)
            if not isinstance(answer, ToolError)
        }

    def close(self, pane_id: str, *, run: str) -> bool:
        """End the tmux session of a pane that carries `run`, and say whether there was one.

        A pane that is gone, or belongs to another run, is left as it is.
        """
        try:
            return self.server.ask(lambda tmux: _close(tmux, pane_id, run=run))
        except TmuxGoneError:
            return False

    def _taken(self, session: str, run: str) -> Pane:
        if there := self.server.ask(lambda tmux: _of_run(tmux, run)):
            return there
        raise ToolError(
            f"there is already a tmux session {session}, and it is not this run's",
            hint=f"look at it: fleet attach {session}",
        )


def _check(*, session: str, run: str, cwd: Path) -> None:
    if not RUN.fullmatch(run):
        raise ValueError(f"{run!r} cannot name a run")
    if not SESSION_NAME.fullmatch(session):
        raise ToolError(f"{session!r} cannot be the name of a tmux session")
    if not (cwd.is_dir() and os.access(cwd, os.X_OK)):
        # tmux would start the agent in some other directory, and say nothing.
        raise ToolError(f"the directory {cwd} is missing", hint="fleet doctor looks for it")


def _settled(tmux: Control) -> list[view.PaneState]:
    """Return all panes; where one ended and tmux does not know how, have it look again."""
    states = view.every(tmux)
    if any(state.dead and state.exit_code is None and state.signal is None for state in states):
        # tmux 3.3a under load misses the end of a process, and then leaves it uncollected until
        # another child of its own ends: this one.
        tmux.command("run-shell", "-b", "true")
    return states


def _of_run(tmux: Control, run: str) -> Pane | None:
    """Return the oldest pane of `run`: a person may have opened others beside it."""
    rows = tmux.command("list-panes", "-a", "-F", f"{_PANE}\t#{{@fleet_run}}")
    panes = [_pane(row) for row in rows if row.split("\t")[-1] == run]
    return min(panes, key=lambda pane: int(pane.pane_id[1:]), default=None)


def _close(tmux: Control, pane_id: str, *, run: str) -> bool:
    state = view.find(tmux, pane_id)
    if state is None or not run or state.run != run:
        return False
    tmux.command("kill-session", "-t", state.session_id)
    return True


def _new_session(
    session: str, argv: Sequence[str], *, env: Mapping[str, str], size: tuple[int, int]
) -> Command:
    width, height = size
    # tmux gives a lone argument to a shell, and runs several as they are.
    program = argv if len(argv) > 1 else [f"exec {shlex.quote(argv[0])}"]
    return (
        *("new-session", "-d", "-P", "-F", _PANE, "-s", session, "-n", "agent"),
        *("-c", "#{@fleet_cwd}", "-x", str(width), "-y", str(height)),
        *(word for name, value in env.items() for word in ("-e", f"{name}={value}")),
        *("--", *program),
    )


def _set_options(session: str, run: str, options: Mapping[str, str]) -> list[Command]:
    if wrong := [name for name in options if not USER_OPTION.fullmatch(name)]:
        raise ValueError(f"not user options: {wrong}")
    values = {**{name: label(value) for name, value in options.items()}, "@fleet_run": run}
    return [("set-option", "-t", f"={session}:", name, value) for name, value in values.items()]


def _pane(row: str) -> Pane:
    pane_id, session_id, pid, *_ = row.split("\t")
    return Pane(pane_id, session_id, int(pid))
