"""What clients and the supervisor say to each other: one JSON object a line, over a Unix socket.

A client sends a `Request`; the supervisor answers with any number of `Item`s (streams) and then
exactly one `Result` or `Failure` that carries the request's id. Requests of one connection are
answered in order of completion; several may be under way at once.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from fleet.core.commands import AnyCommand, Command

LINE_LIMIT = 4 * 1024 * 1024  # bytes of one line; a prompt or a diff fits, a flood does not


class Query(Command, frozen=True, kw_only=True):
    """A request that changes nothing in the ledger."""


class Hello(Query, frozen=True, tag="hello"):
    """First on every connection. Result: {version, pid, home}."""

    version: str


class List(Query, frozen=True, tag="ls"):
    """What has not ended, or `all`; of the repository around `cwd`, where one is given.

    Result: list of `TaskRow`.
    """

    all: bool = False
    cwd: str | None = None


class Show(Query, frozen=True, tag="show"):
    """Result: `TaskDetail`."""

    task: str


class Why(Query, frozen=True, tag="why"):
    """Result: `WhyView`."""

    task: str


class Next(Query, frozen=True, tag="next"):
    """Result: `TaskRow` of the task that has needed a person for longest, or null."""


class Queue(Query, frozen=True, tag="queue"):
    """Result: list of `QueueRow`."""

    cwd: str | None = None


class Conflicts(Query, frozen=True, tag="conflicts"):
    """Which open branches do not merge with each other, or with their target, as of now.

    Only those of one `task`, and of the repository around `cwd`, where these are given.
    Result: `core.rows.ConflictMap`.
    """

    task: str | None = None
    cwd: str | None = None


class Events(Query, frozen=True, tag="events"):
    """What happened after a seq or a time, and with `follow` whatever happens from now on.

    Items: flat entries. Result: null.
    """

    follow: bool = False
    since_seq: int | None = None
    since: datetime | None = None
    task: str | None = None


class Diff(Query, frozen=True, tag="diff"):
    """The change as it would be reviewed, or the branch so far; counts as having been shown.

    `sealed` is false for a branch that is no change yet; `seen` is the revision that this person
    was shown before, or 0. For a `screen` binary files are only named, and the patch is `cut`
    where it is too long for one reply. Of `paths` alone, where there are any.

    With `since` it is compared with that revision, with `since_review` with the one read last
    before the newest (`last_read`): that one replayed onto the newest one's base. Where it
    does not fit there, `conflicts` says in which files. `viewed` are the files read as they are:
    with `unseen` they are left out where all of the change is shown.

    Result: {task, head, base, stat, patch, auto_commit, revision, sealed, seen, cut, since,
    last_read, conflicts, viewed}.
    """

    task: str
    colour: bool = False
    screen: bool = False
    paths: tuple[str, ...] = ()
    since: int | None = None
    since_review: bool = False
    unseen: bool = False


class Comments(Query, frozen=True, tag="comments"):
    """What is said of a change's lines, and where those are by now; `all` has resolved ones, too.

    An agent is told what was sent to it, and of its own change alone.
    Result: list of `core.comments.CommentRow`.
    """

    task: str
    all: bool = False


class Review(Query, frozen=True, tag="review"):
    """All that is computed for whoever judges a change; counts as having been shown, as `Diff`.

    Result: `core.packet.Packet`.
    """

    task: str


class Path(Query, frozen=True, tag="path"):
    """Result: {path} of the worktree."""

    task: str


class Attach(Query, frozen=True, tag="attach"):
    """The way into a pane: a client outside tmux runs `argv`.

    Where `tmux` (the client's $TMUX) is given, a window was opened there and `opened` is true.
    Result: {argv, way_back, opened}.
    """

    task: str
    tmux: str | None = None
    fleet: tuple[str, ...] = ()  # argv prefix by which this client can be run again


class Screen(Query, frozen=True, tag="screen"):
    """Result: {text, live}: the pane as it is, or its last words."""

    task: str
    colour: bool = False


class Watch(Query, frozen=True, tag="watch"):
    """All that a screen shows, and whatever changes of it, at most four times a second.

    Items: `core.rows.Picture`, the first one whole. It goes on until the client leaves.
    """

    cwd: str | None = None
    ended: int = 50  # how many of those that ended last


class View(Query, frozen=True, tag="view"):
    """A pane as it is drawn, with `history` lines above it, and whatever changes of it.

    Items: `core.rows.Frame`, the first one whole. Result null once the pane is gone, or as soon as
    this connection asks for another view: it has one at a time.
    """

    task: str
    history: int = 0


class Log(Query, frozen=True, tag="log"):
    """All that is kept of the pane's output, or of one check's; with `last`, its end.

    `last` counts characters. Result: {text, path}.
    """

    task: str
    attempt: int | None = None
    check: str | None = None
    last: int | None = None


class Agents(Query, frozen=True, tag="agents"):
    """Which agents tasks in the repository around `cwd` may use; `path` is the client's PATH.

    Result: {agents: [{name, found, why}], usual, target}; `why` says why one could not start.
    """

    cwd: str
    path: str | None = None


class Wait(Query, frozen=True, tag="wait"):
    """Wait until all tasks are there, or cannot get there any more.

    Items: {task, status, needs} at each change. Result: the same as a list, with `reached`.
    Fails with exit code 124 after `timeout_s`.
    """

    tasks: tuple[str, ...]
    state: str = "landed"  # review, landed, ended
    timeout_s: float | None = None


class Status(Query, frozen=True, tag="status"):
    """The supervisor itself.

    Result: {pid, keeper, version, home, socket, tmux_socket, started_at, repos: [{id, root,
    targets, frozen, slots}], tasks: {status: number}, slots: {used, all}, degraded: [sentences],
    found: [{task, how}]}. `found` is what was at work when it began: how is alive, ended, resumed
    (begun again in its conversation) or afresh.
    """


class Report(Query, frozen=True, tag="report"):
    """What happened since a time, and what waits for a person now.

    Result: {since, landed: [TaskRow], failed, waiting, cost_usd, tokens, attempts,
    flaky: [{task, check}]}.
    """

    since: datetime | None = None


class Pr(Query, frozen=True, tag="pr"):
    """The pull request of a task, as the forge has it now.

    Result: `core.pulls.PullRow`, or null where there is none.
    """

    task: str


class Shutdown(Query, frozen=True, tag="down"):
    """End the supervisor, and with `stop_agents` first every agent.

    Items: progress sentences. Result: {stopped: number}.
    """

    stop_agents: bool = False


class Settled(Query, frozen=True, tag="settled"):
    """Result null once nothing is under way and nothing is due now; for tests and scripts."""


AnyQuery = (
    Hello | List | Show | Why | Next | Queue | Conflicts | Events | Diff | Review | Comments | Path
    | Pr | Attach | Screen | Log | Agents | Watch | View | Wait | Status | Report | Shutdown
    | Settled
)  # fmt: skip


class Request(Struct, frozen=True):
    """`actor` names the person or task on whose behalf it is made."""

    id: int
    ask: AnyCommand | AnyQuery
    actor: str = "person"


class Numbered(Struct, frozen=True):
    """The least that can be understood of a request, so that its failure can be told."""

    id: int


class Item(Struct, frozen=True, tag="item", tag_field="kind"):
    id: int
    item: Any


class Result(Struct, frozen=True, tag="result", tag_field="kind"):
    id: int
    result: Any


class Failure(Struct, frozen=True, tag="failure", tag_field="kind"):
    """A `FleetError`, as told over the wire."""

    id: int
    message: str
    hint: str | None = None
    exit_code: int = 1


Reply = Item | Result | Failure
requests = msgspec.json.Decoder(Request)
replies = msgspec.json.Decoder(Reply)
encode = msgspec.json.Encoder().encode
