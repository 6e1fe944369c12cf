"""Commits for tests, made without a work tree and at times that never change."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

NOTHING = "0" * 40  # no commit has this name


def numbered(**replaced: str) -> str:
    """The text of src/one.txt and src/two.txt, with other words in some lines: n1="first"."""
    lines = [f"line {number}" for number in range(1, 21)]
    for at, text in replaced.items():
        lines[int(at[1:]) - 1] = text
    return "\n".join(lines) + "\n"


def commit(
    repo: Path,
    branch: str,
    files: Mapping[str, str | None],
    *,
    start: str | None = None,
    merging: str | None = None,
    message: str = "change",
    mode: str = "100644",
) -> str:
    """Commit `files` (None: deleted) on `branch`, a new one at `start`; "" is a new root."""
    lines = [
        f"commit refs/heads/{branch}",
        "committer Agent <agent@example.invalid> 1700000000 +0100",
    ]
    body = [*_data(message)]
    body += [f"from {start or branch}^0"] if start != "" else []
    body += [f"merge {merging}^0"] if merging else []
    for path, text in files.items():
        body += (
            [f"D {json.dumps(path, ensure_ascii=False)}"]
            if text is None
            else [f"M {mode} inline {json.dumps(path, ensure_ascii=False)}", *_data(text)]
        )
    stream = "\n".join([*lines, *body, ""]).encode()
    subprocess.run(
        ["git", "-C", repo, "fast-import", "--quiet", "--force"], input=stream, check=True
    )
    asked = ["git", "-C", str(repo), "rev-parse", f"refs/heads/{branch}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def _data(text: str) -> list[str]:
    return [f"data {len(text.encode())}", text]
