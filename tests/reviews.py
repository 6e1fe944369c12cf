"""Changes that are up for review in tests: their queue, their diffs, and what is said of them."""

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace
from screens import FAILED, NOON, PASSED, everything, picture, row

from fleet.core.assessment import Assessment, Finding, Found, Reason
from fleet.core.causes import CheckResult
from fleet.core.packet import Identity, Measured, Packet, Proof
from fleet.core.rows import LiveRow, Picture, QueueRow, TaskDetail, WhyView

HEAD, BASE, NEXT = "c7edc4c4" * 5, "1f0c2a9b" * 5, "99aa88bb" * 5
PATCH = """\
diff --git a/src/export.py b/src/export.py
index 1f0c2a9..c7edc4c 100644
--- a/src/export.py
+++ b/src/export.py
@@ -1,7 +1,8 @@ def export(rows):
 import json
 from io import StringIO
-def export(rows, path):
-    with open(path, "w") as file:
+def export(rows, path, *, indent=None):
+    with open(path, "w", encoding="utf-8") as file:
         for row in rows:
-\t\tfile.write(json.dumps(row))
+            file.write(json.dumps(row, indent=indent))
+            file.write("\\n")
     return path
@@ -40,3 +41,4 @@ class Exporter:
     def close(self):
         self.file.close()
+        self.file = None
     # end
\\ No newline at end of file
diff --git a/docs/old name.md b/docs/new name.md
similarity index 96%
rename from docs/old name.md
rename to docs/new name.md
index 1111111..2222222 100644
--- a/docs/old name.md\t
+++ b/docs/new name.md\t
@@ -3 +3 @@
-how to export
+how to export JSON
diff --git a/logo.png b/logo.png
new file mode 100644
index 0000000..3333333
Binary files /dev/null and b/logo.png differ
diff --git "a/src/\\303\\274ber.py" "b/src/\\303\\274ber.py"
deleted file mode 100755
index 4444444..0000000
--- "a/src/\\303\\274ber.py"
+++ /dev/null
@@ -1,2 +0,0 @@
-print("gone")
-print("too")
"""
RESULTS = (
    CheckResult("test", "passed", 12.4, "/h/checks/1-test.log", 0),
    CheckResult("lint", "failed", 0.8, "/h/checks/gate-1-abc-lint.log", 1),
)


def entry(task: str, **said: Any) -> QueueRow:
    usual: dict[str, Any] = {
        "task": task,
        "title": f"work on {task}",
        "repo": "r1",
        "head": HEAD,
        "target": "main",
        "state": "ready",
        "position": 1,
        "waits_for": None,
        "conflicts": (),
        "checks": (PASSED,),
        "approved_by": None,
        "added": 182,
        "removed": 40,
        "risk": "medium",
    }
    return QueueRow(**(usual | said))


def line() -> tuple[QueueRow, ...]:
    """A queue with one change of every sort."""
    return (
        entry("cache", approved_by="person", waits_for="its turn to land", added=20, removed=4),
        entry("export-json", position=2, waits_for="a review", checks=(PASSED, PASSED)),
        entry("flaky-login", position=3, state="gate-failed", checks=(PASSED, FAILED),
              waits_for="a new revision"),
        entry("colours", position=4, state="conflict", conflicts=("src/theme.py", "src/menu.py"),
              checks=(), added=7, removed=7),
    )  # fmt: skip


def shown(*queue: QueueRow, also: Sequence[LiveRow] = ()) -> Picture:
    """A picture with this queue; without one, the queue of `line`."""
    return replace(picture(*everything(), *also), queue=queue or line())


def diff(**said: Any) -> dict[str, Any]:
    usual = {
        "task": "export-json", "head": HEAD, "base": BASE, "stat": "", "patch": PATCH,
        "auto_commit": False, "revision": 2, "sealed": True, "seen": 1, "cut": False,
    }  # fmt: skip
    return usual | said


def detail(**said: Any) -> Any:
    usual: dict[str, Any] = {
        "row": row("export-json", title="export orders as JSON", attempt=2, cost_usd=2.07,
                   tokens=184_000, after=("schema",)),
        "prompt": "Export all orders as JSON.\n\nOne object a line; an option `indent` for people.",
        "done": "turn",
        "land": "review",
        "checks": ("pytest tests/export", "ruff check src"),
        "limits": {"attempts": 3, "timeout_s": 7200.0, "budget_usd": 5.0},
        "expect_lines": 200,
        "spent": 2,
        "revision": 2,
        "files": ("src/export.py",),
        "auto_commit": False,
        "results": RESULTS,
        "reason": None,
        "created_at": NOON,
        "notes": "attempt 1 wrote to the wrong file\n",
        "messages": ("keep the old flags",),
        "archived": None,
    }  # fmt: skip
    return to_builtins(TaskDetail(**(usual | said)))


def why(**said: Any) -> Any:
    usual: dict[str, Any] = {
        "task": "export-json",
        "status": "review",
        "needs": "review",
        "since": NOON,
        "because": ("its change waits for review",),
        "signals": (),
        "next": "fleet diff export-json, then fleet approve export-json",
    }
    return to_builtins(WhyView(**(usual | said)))


def packet(**said: Any) -> Any:
    identity = Identity(
        task="export-json", title="export orders as JSON", revision=2, sealed=HEAD, base=BASE,
        diff="d" * 64, branch="fleet/export-json", target="main", agent="shell", model=None,
        attempt=2, conversation=None, owner="person", parents=("schema",), auto_commit=False,
        approved_by=None,
    )  # fmt: skip
    gate = Proof(result=RESULTS[1], merged=True, tree="e" * 40, onto=BASE)
    assessment = Assessment(
        lines=222, files=1, criteria=2, expected=200,
        reasons=(Reason(3, "tests are skipped: @pytest.mark.skip"),
                 Reason(1, "222 changed lines beside tests")),
        weakened=Found(1, (Finding("skipped", "@pytest.mark.skip", "tests/export.py", 7),)),
        claims=Found(1, (Finding("name", "flush_all"),)),
    )  # fmt: skip
    usual: dict[str, Any] = {
        "identity": identity,
        "prompt": "Export all orders as JSON.",
        "criteria": (Measured(text="ruff check src", proofs=(gate,)),
                     Measured(text="one object a line")),
        "evidence": (gate,),
        "summary": "Export orders, and flush_all at the end",
        "stat": " src/export.py | 222 +++--",
        "risk": "medium",
        "points": 4,
        "assessment": assessment,
        "next": ("fleet approve export-json",),
    }  # fmt: skip
    return to_builtins(Packet(**(usual | said)))


LOG = {"text": "src/export.py:7:5 E501 line too long\nfound 1 error\n", "path": "/h/x.log"}


def remark(number: int = 1, **said: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "id": f"export-json#{number}", "task": "export-json", "state": "unanswered", "revision": 1,
        "path": "src/export.py", "line": 4, "side": "new", "blob": HEAD,
        "quote": '    with open(path, "w", encoding="utf-8") as file:', "text": "and for bytes?",
        "by": "person", "at": NOON.isoformat(), "outdated": False,
        "now_path": "src/export.py", "now_line": 4, "replies": [],
    }  # fmt: skip
    return usual | said


REPLY = {"text": "they are decoded before", "by": "export-json", "at": NOON.isoformat(),
         "revision": 1, "answers": True, "sent": True}  # fmt: skip
AGENTS = {
    "agents": [
        {"name": "crusher", "found": False, "why": "the program crusher is not on your PATH"},
        {"name": "shell", "found": True, "why": None},
    ],
    "usual": "shell",
    "target": "main",
}
ANSWERS = {
    "Comments": [],
    "Agents": AGENTS,
    "Diff": diff(),
    "Show": detail(),
    "Why": why(),
    "Log": LOG,
    "Review": packet(),
}
