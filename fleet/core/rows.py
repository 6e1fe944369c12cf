"""What clients are shown of the state: flat rows, the same for scripts and for screens."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from fleet.core.assessment import Risk
from fleet.core.causes import CheckResult
from fleet.core.policy import Priority
from fleet.core.pulls import PullRow


class ConflictWith(Struct, frozen=True, kw_only=True):
    """Another task whose branch does not merge with this one's, in these files."""

    task: str
    files: tuple[str, ...]
    since: datetime | None = None


class TaskRow(Struct, frozen=True, kw_only=True):
    """A line of `fleet ls --json`."""

    task: str
    repo: str
    title: str
    agent: str | None
    status: str
    needs: str | None
    attempt: int
    branch: str
    base: str
    head: str | None
    target: str
    worktree: str | None
    pane: str | None
    pid: int | None
    added: int
    removed: int
    cost_usd: float
    tokens: int
    started_at: datetime | None
    updated_at: datetime
    after: tuple[str, ...]
    removed_at: datetime | None = None
    waits: str | None = None  # what it waits for that needs nobody
    conflicts_with: tuple[ConflictWith, ...] = ()
    stale: tuple[str, ...] = ()  # files in which its branch conflicts with its target
    parent: str | None = None  # the task on whose change it stands
    stack: tuple[str, ...] = ()  # what it stands on, itself, and what stands on it, as they land
    priority: Priority = "normal"
    pr: PullRow | None = None


class Ask(Struct, frozen=True, kw_only=True):
    """What an agent asks of a person.

    `id` names it to whoever answers from outside; None where only the pane takes an answer.
    `choices` are a question's, `text` is the question, or the input of the tool that is to run.
    """

    id: str | None = None
    kind: str = "permission"  # permission, question, plan
    tool: str = ""
    text: str = ""
    choices: tuple[str, ...] = ()


class PolicyRow(Struct, frozen=True, kw_only=True):
    """Whose word a change needs before it lands, and why.

    `land` is auto where green gates are enough, up to a risk of `risk`. `approved` are the people
    whose approval stands, `voided` is why others do not any more, and `lacks` is whose word is
    missing.
    """

    land: str
    approvals: int = 1
    reviewers: tuple[str, ...] = ()
    risk: str | None = None
    strict: bool = False
    alone: bool = False
    reasons: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    voided: str | None = None
    lacks: str | None = None


class QueueCheck(Struct, frozen=True, kw_only=True):
    name: str
    state: str
    seconds: float
    log: str


class ProofRow(Struct, frozen=True, kw_only=True):
    """What one proof of a change says: `old-tests` on the new code, or `new-tests` without it."""

    kind: str
    state: str
    says: str
    checks: tuple[QueueCheck, ...] = ()


class TaskDetail(Struct, frozen=True, kw_only=True):
    """What `fleet show` says beyond the row."""

    row: TaskRow
    prompt: str
    done: str
    land: str
    checks: tuple[str, ...]
    limits: dict[str, Any]
    expect_lines: int | None
    spent: int
    revision: int
    files: tuple[str, ...]
    auto_commit: bool
    results: tuple[CheckResult, ...]
    reason: str | None
    created_at: datetime
    notes: str
    messages: tuple[str, ...]
    archived: str | None
    messages_wait: str = ""  # why they are not told now
    policy: PolicyRow | None = None  # of its change
    proofs: tuple[ProofRow, ...] = ()
    comments: int = 0  # on lines of its change, that are not resolved
    unanswered: int = 0  # of those that its agent was told of


class SignalRow(Struct, frozen=True, kw_only=True):
    """One signal about a live agent: where it came from, what it says, how old it is."""

    source: str
    says: str
    age_s: float
    wins: bool


class WhyView(Struct, frozen=True, kw_only=True):
    """Why a task stands where it stands: `because` is a list of sentences, newest reason first."""

    task: str
    status: str
    needs: str | None
    since: datetime
    because: tuple[str, ...]
    signals: tuple[SignalRow, ...]
    next: str | None  # what will happen next, or what to type
    ask: Ask | None = None


class ConflictSide(Struct, frozen=True, kw_only=True):
    """One of two tasks whose branches conflict: `summary` is how its prompt begins."""

    task: str
    title: str
    branch: str
    summary: str = ""


class ConflictRow(Struct, frozen=True, kw_only=True):
    """Two open branches that do not merge with each other, as they would be on their target."""

    repo: str
    target: str
    tasks: tuple[str, str]
    sides: tuple[ConflictSide, ConflictSide]
    files: tuple[str, ...]
    since: datetime


class StaleRow(Struct, frozen=True, kw_only=True):
    """A branch that does not merge with its target, and what landed there in those files.

    Where no file is to blame, `why` says what is wrong with it.
    """

    repo: str
    target: str
    task: str
    title: str
    branch: str
    files: tuple[str, ...]
    landed: tuple[str, ...]
    since: datetime
    why: str = ""


class ConflictMap(Struct, frozen=True, kw_only=True):
    """What `fleet conflicts --json` says."""

    pairs: tuple[ConflictRow, ...] = ()
    stale: tuple[StaleRow, ...] = ()
    branches: int = 0  # that were tried


class QueueRow(Struct, frozen=True, kw_only=True):
    """A line of `fleet queue --json`, in landing order."""

    task: str
    title: str
    repo: str
    head: str
    target: str
    state: str
    position: int
    waits_for: str | None
    conflicts: tuple[str, ...]
    checks: tuple[QueueCheck, ...]
    approved_by: str | None
    added: int
    removed: int
    policy: PolicyRow | None = None
    risk: Risk | None = None  # until it is assessed
    points: int | None = None
    proofs: tuple[ProofRow, ...] = ()
    unanswered: int = 0  # comments that its agent was told of and has not answered
    conflicts_with: tuple[ConflictWith, ...] = ()
    parent: str | None = None  # the task on whose change it stands
    stack: tuple[str, ...] = ()  # what it stands on, itself, and what stands on it, as they land
    upon: int | None = None  # the revision of its parent that it was made on
    priority: Priority = "normal"
    pr: PullRow | None = None


class LiveRow(Struct, frozen=True, kw_only=True):
    """A task as screens show it: its row, with vitals and with what may be done to it now.

    `section` is needs, working, queue or ended. `doing` is one clean line, empty where nothing is
    known. `context` is the share of its context window that is used, from 0 to 1. `refusals` has,
    for each thing a person could do that is refused now, the reason.
    """

    row: TaskRow
    section: str
    since: datetime  # when it took on its status
    kind: str | None = None  # of its need: permission, question, review, failed...
    ask: Ask | None = None
    doing: str = ""
    context: float | None = None
    checks: tuple[QueueCheck, ...] = ()
    conflicts: tuple[str, ...] = ()
    approved_by: str | None = None
    position: int | None = None  # in the merge queue, from 1
    attached: bool = False
    last_output: datetime | None = None
    refusals: dict[str, str] = {}


class Picture(Struct, frozen=True, kw_only=True):
    """What has changed since the picture before; the first one is whole.

    `tasks` are new or changed, `gone` are not shown any more, `queue` is None where it is as it
    was. `order` has the names of all tasks that are shown, as they are to be listed.
    """

    seq: int
    at: datetime
    tasks: tuple[LiveRow, ...] = ()
    gone: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    queue: tuple[QueueRow, ...] | None = None
    slots_used: int = 0
    slots_all: int = 0
    cost_usd: float = 0.0
    degraded: tuple[str, ...] = ()
    rings: tuple[str, ...] = ()  # what has just begun to need a person, who wants a bell for it


class Frame(Struct, frozen=True, kw_only=True):
    """A pane as it is drawn: the lines that have changed since the frame before.

    `lines` are counted from the top, history first; each is text with colours (SGR sequences)
    and nothing else that a terminal would obey. `height` is the number of all lines. `cursor` is
    column and line, counted like `lines`; None where none is shown.
    """

    task: str
    live: bool
    width: int
    height: int
    history: int = 0
    lines: dict[int, str] = {}
    cursor: tuple[int, int] | None = None
