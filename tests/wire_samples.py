"""Rows as the supervisor sends them, with what a test says differently."""

from typing import Any

AT = "2026-01-31T09:00:00Z"
HEAD, BASE = "3f1c2ab9" * 5, "0a0b0c0d" * 5


def task_row(task: str = "importer", **said: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "task": task,
        "repo": "shop",
        "title": "import orders",
        "agent": "shell",
        "status": "working",
        "needs": None,
        "attempt": 1,
        "branch": f"fleet/{task}",
        "base": BASE,
        "head": HEAD,
        "target": "main",
        "worktree": "/home/w/001",
        "pane": "%1",
        "pid": 4711,
        "added": 12,
        "removed": 3,
        "cost_usd": 0.5,
        "tokens": 1000,
        "started_at": AT,
        "updated_at": AT,
        "after": [],
    }
    return row | said


def task_detail(task: str = "importer", *, row: dict[str, Any] | None = None, **said: Any) -> Any:
    detail = {
        "row": row or task_row(task),
        "prompt": "import\nall orders",
        "done": "exit",
        "land": "review",
        "checks": ["make test"],
        "expect_lines": None,
        "limits": {"attempts": 3, "timeout_s": None},
        "spent": 1,
        "revision": 1,
        "files": ["a.py", "b.py"],
        "auto_commit": False,
        "results": [{"name": "test", "state": "failed", "seconds": 61.0, "log": "/l", "code": 1}],
        "reason": None,
        "created_at": AT,
        "notes": "",
        "messages": [],
        "archived": None,
    }
    return detail | said


def queue_row(task: str = "importer", **said: Any) -> dict[str, Any]:
    row = {
        "task": task,
        "title": "import orders",
        "repo": "shop",
        "head": HEAD,
        "target": "main",
        "state": "ready",
        "position": 1,
        "waits_for": "your approval",
        "conflicts": [],
        "checks": [{"name": "test", "state": "passed", "seconds": 1.0, "log": "/l"}],
        "approved_by": None,
        "added": 12,
        "removed": 3,
    }
    return row | said


def why_view(task: str = "importer", **said: Any) -> dict[str, Any]:
    view = {
        "task": task,
        "status": "waiting",
        "needs": "permission",
        "since": AT,
        "because": ["it asks whether it may run make"],
        "signals": [
            {"source": "hook", "says": "permission", "age_s": 61.0, "wins": True},
            {"source": "screen", "says": "working", "age_s": 2.0, "wins": False},
        ],
        "next": f"fleet attach {task}",
    }
    return view | said


def status_view(**said: Any) -> dict[str, Any]:
    view = {
        "pid": 4711,
        "version": "0.1.0",
        "home": "/home/fleet",
        "socket": "/run/f.sock",
        "tmux_socket": "/run/f.tmux",
        "started_at": AT,
        "keeper": 4710,
        "repos": [
            {
                "id": "shop",
                "root": "/r/shop",
                "targets": {"main": BASE, "dev": None},
                "frozen": {"dev": "it moved without us"},
                "slots": {"ready": 2},
            },
            {"id": "till", "root": "/r/till", "targets": {}, "frozen": {}, "slots": {}},
        ],
        "tasks": {"working": 2},
        "slots": {"used": 3, "all": 8},
        "degraded": ["no linger"],
    }
    return view | said
