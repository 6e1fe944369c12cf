"""What screens are shown in tests: tasks, pictures and frames as the supervisor would send them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from fleet.core.rows import Ask, LiveRow, Picture, QueueCheck, TaskRow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSED = QueueCheck(name="test", state="passed", seconds=3.0, log="")
FAILED = QueueCheck(name="lint", state="failed", seconds=1.0, log="")


def row(task: str, **said: Any) -> TaskRow:
    """A task's row: working on something, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "task": task,
        "repo": "shop",
        "title": f"work on {task}",
        "agent": "shell",
        "status": "working",
        "needs": None,
        "attempt": 1,
        "branch": f"fleet/{task}",
        "base": "1f0c2a9",
        "head": None,
        "target": "main",
        "worktree": f"/w/{task}",
        "pane": "%1",
        "pid": 4711,
        "added": 0,
        "removed": 0,
        "cost_usd": 0.0,
        "tokens": 0,
        "started_at": NOON - timedelta(minutes=9),
        "updated_at": NOON - timedelta(minutes=1),
        "after": (),
    }
    return TaskRow(**(usual | said))


def live(task: str, *, ago: float = 60, of: dict[str, Any] | None = None, **said: Any) -> LiveRow:
    """A task as screens show it; `of` is said of its row, `ago` since when its status holds."""
    usual: dict[str, Any] = {"section": "working", "since": NOON - timedelta(seconds=ago)}
    return LiveRow(row=row(task, **(of or {})), **(usual | said))


PERMISSION = Ask(id="ask-1", tool="Shell", text="rm -rf build && make -j8 all\nmake install")
QUESTION = Ask(
    id="ask-2",
    kind="question",
    text="Which database should the importer write to?",
    choices=("PostgreSQL", "SQLite, a file beside it", "both"),
)


def asking(task: str, ask: Ask = PERMISSION, needs: str = "wants to run Shell") -> LiveRow:
    said = {"status": "waiting", "needs": needs, "added": 12, "removed": 3, "cost_usd": 0.31}
    return live(task, of=said, section="needs", kind=ask.kind, ask=ask, ago=130, context=0.34)


NOT_LIVE = dict.fromkeys(("attach", "send", "stop", "pause", "answer"), "it has no agent at work")


def everything() -> tuple[LiveRow, ...]:
    """One task of every sort that a screen has to show well."""
    review = {"status": "review", "needs": "review: 3 files, +182 -40", "head": "c7edc4c4"}
    return (
        asking("importer"),
        asking("schema", QUESTION, "asks: which database should the importer write to?"),
        live("export-json", ago=4000, section="needs", kind="review", checks=(PASSED, PASSED),
             of=review | {"added": 182, "removed": 40, "cost_usd": 2.07, "agent": "reviewer"},
             refusals=NOT_LIVE),
        live("flaky-login", ago=7300, section="needs", kind="failed", checks=(PASSED, FAILED),
             of={"status": "failed", "needs": "check lint failed with exit code 1", "pane": None},
             refusals=NOT_LIVE),
        live("parser", doing="editing src/parser.py", context=0.83, ago=42,
             of={"added": 64, "removed": 9, "cost_usd": 0.82}),
        live("docs", doing="running the tests", context=0.12, ago=611,
             of={"added": 8, "cost_usd": 0.05}),
        live("slow", of={"status": "stalled"}, ago=90),
        live("new-menu", of={"status": "queued", "pane": None}, refusals=NOT_LIVE),
        live("cache", section="queue", position=1, checks=(PASSED,), approved_by="person",
             of={"status": "approved", "added": 20, "removed": 4}, refusals=NOT_LIVE),
        live("colours", section="queue", position=2, conflicts=("src/theme.py",),
             of={"status": "checking", "added": 7, "removed": 7}, refusals=NOT_LIVE),
        live("readme", section="ended", of={"status": "landed", "added": 3}, ago=86_500,
             refusals=NOT_LIVE),
    )  # fmt: skip


def picture(*lives: LiveRow, **said: Any) -> Picture:
    """A whole picture of these tasks."""
    usual: dict[str, Any] = {"seq": 7, "at": NOON, "slots_used": 5, "slots_all": 8, "cost_usd": 3.5}
    order = tuple(it.row.task for it in lives)
    return Picture(tasks=lives, order=order, queue=(), **(usual | said))


def changed(of: LiveRow, **said: Any) -> LiveRow:
    """The same task, of whose row something else is said."""
    return replace(of, row=replace(of.row, **said))
