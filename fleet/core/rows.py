"""What clients are shown of the state: flat rows, the same for scripts and for screens."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from fleet.core.causes import CheckResult


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


class QueueCheck(Struct, frozen=True, kw_only=True):
    name: str
    state: str
    seconds: float
    log: str


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
