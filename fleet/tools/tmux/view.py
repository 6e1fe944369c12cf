"""What tmux knows of its panes, read over one connection; nothing here changes anything."""

from dataclasses import dataclass
from typing import NamedTuple

from fleet.errors import ToolError
from fleet.tools.tmux.control import Control
from fleet.tools.tmux.language import Command
from fleet.tools.tmux.settings import PANE_ID

# Each field is paid for at every look, 0.03 ms for 200 panes. The title is the agent's own text:
# it comes last, where a separator in it does no harm.
_STATE = "\t".join(
    (
        *("#{pane_id}", "#{session_id}", "#{session_name}", "#{@fleet_run}", "#{pane_pid}"),
        *("#{pane_dead}", "#{pane_dead_status}", "#{pane_dead_signal}", "#{history_bytes}"),
        *("#{cursor_x},#{cursor_y}", "#{window_activity}"),
        *("#{session_attached_list}", "#{pane_in_mode}"),
        *("#{pane_width}", "#{pane_height}", "#{pane_title}"),
    )
)
_SCREEN = "\t".join(
    (
        *("#{@fleet_run}", "#{session_id}", "#{pane_width}", "#{pane_height}"),
        *("#{cursor_x}", "#{cursor_y}", "#{cursor_flag}", "#{pane_dead}"),
    )
)
_STAMP = "#{pane_id} #{history_bytes} #{cursor_x},#{cursor_y} #{pane_dead}\t#{pane_title}"


@dataclass(frozen=True)
class PaneState:
    """What tmux knows of one pane.

    `run` is empty in a pane that is not an agent's. `dead` says that its terminal was closed;
    `exit_code` and `signal` may both still be None then: look again, by `Panes.all`. `drawn_at`
    is when anything was written to its window last, in seconds since the epoch. `attached`
    counts the terminals that show it, and not our own control clients. `title` is whatever the
    agent set.
    """

    pane_id: str
    session_id: str
    session: str
    run: str
    pid: int
    dead: bool
    exit_code: int | None
    signal: str | None
    history_bytes: int
    cursor: str
    drawn_at: int
    attached: int
    in_mode: bool
    width: int
    height: int
    title: str

    @property
    def stamp(self) -> str:
        """What a `Glimpse` of it has."""
        return f"{self.history_bytes} {self.cursor} {int(self.dead)}"


class Glimpse(NamedTuple):
    """What is looked at often: `stamp` changes when something is written to the pane."""

    stamp: str
    title: str


@dataclass(frozen=True)
class Drawn:
    """A pane as it was drawn at one moment: `rows` with colours, the first `history` from above.

    `cursor` is column and row, counted like `rows`; None where none is shown.
    """

    pane_id: str
    run: str
    session_id: str
    width: int
    history: int
    rows: list[str]
    cursor: tuple[int, int] | None


def every(tmux: Control) -> list[PaneState]:
    """Return all panes, the hub's and those a person opened among them."""
    return [_state(row) for row in tmux.command("list-panes", "-a", "-F", _STATE)]


def glimpses(tmux: Control) -> dict[str, Glimpse]:
    """Return the stamp and the title of each pane."""
    found = {}
    for row in tmux.command("list-panes", "-a", "-F", _STAMP):
        head, _, title = row.partition("\t")
        pane_id, stamp = head.split(" ", 1)
        found[pane_id] = Glimpse(stamp, title)
    return found


def find(tmux: Control, pane_id: str) -> PaneState | None:
    """Return what the server behind `tmux` knows of one pane, or None where it is gone."""
    only = f"#{{==:#{{pane_id}},{checked(pane_id)}}}"
    rows = tmux.command("list-panes", "-a", "-f", only, "-F", _STATE)
    return _state(rows[0]) if rows else None


def people(tmux: Control, session_id: str) -> int:
    """Return how many clients that can type are attached to a tmux session."""
    rows = tmux.command(
        "list-clients", "-F", "#{session_id} #{client_control_mode}#{client_readonly}"
    )
    return rows.count(f"{session_id} 00")


def capture_command(pane_id: str, *, history: int = 0, colours: bool = False) -> Command:
    """Return the tmux command that prints the screen of one pane."""
    return (
        *("capture-pane", "-p", "-t", checked(pane_id)),
        *(["-e"] if colours else []),
        *(["-S", f"-{history}"] if history else []),
    )


def drawn(tmux: Control, pane_id: str, *, history: int) -> Drawn:
    """Return a pane with up to `history` rows from above its screen.

    Raises:
        ToolError: there is no such pane.
    """
    asked = ("display-message", "-p", "-t", checked(pane_id), _SCREEN)
    [row], rows = tmux.group([asked, capture_command(pane_id, history=history, colours=True)])
    run, session_id, width, height, column, line, shown, dead = row.split("\t")
    kept = max(len(rows) - int(height), 0)
    return Drawn(
        pane_id=pane_id,
        run=run,
        session_id=session_id,
        width=int(width),
        history=kept,
        rows=rows,
        cursor=(int(column), kept + int(line)) if (shown, dead) == ("1", "0") else None,
    )


def checked(pane_id: str) -> str:
    """Return `pane_id`, once it can mean one pane only: to tmux, "" is whichever it used last."""
    if not PANE_ID.fullmatch(pane_id):
        raise ToolError(f"{pane_id!r} is no tmux pane")
    return pane_id


def _state(row: str) -> PaneState:
    pane_id, session_id, session, run, pid, dead, *rest = row.split("\t", 15)
    code, signal, history, cursor, drawn, attached, mode, width, height, title = rest
    return PaneState(
        *(pane_id, session_id, session, run, int(pid or 0)),
        dead=dead == "1",
        exit_code=int(code) if code else None,
        signal=signal or None,
        history_bytes=int(history or 0),
        cursor=cursor,
        drawn_at=int(drawn or 0),
        attached=_terminals(attached),
        in_mode=mode not in ("", "0"),
        width=int(width),
        height=int(height),
        title=title,
    )


def _terminals(clients: str) -> int:
    """Count the clients that have a terminal: tmux names those by it, and all others alike."""
    return sum(not name.startswith("client-") for name in clients.split(",") if name)
