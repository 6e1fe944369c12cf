"""A forge without a network: a bare repository, and a file that says what its pull requests are.

Tests change it directly; `forge_programs` are the `gh` and `glab` by which fleet speaks to it.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOST, PATH = "github.com", "o/r"
_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Forge"), ("EMAIL", "forge@example.invalid"))
}
Pull = dict[str, Any]


class DeclinedError(Exception):
    """The forge does not do it."""


class FakeForge:
    """What both sides see: `root` has the repository, the state, and the programs."""

    def __init__(self, root: Path) -> None:
        self.root, self.remote, self.bin = root, root / "remote.git", root / "bin"
        self._file = root / "forge.json"

    @classmethod
    def make(
        cls, root: Path, source: Path, *, url: str = f"https://{HOST}/{PATH}.git"
    ) -> "FakeForge":
        """Begin with what `source` has, as the remote `origin` of it, at an address of the web."""
        root.mkdir()
        forge = cls(root)
        forge.bin.mkdir()
        run = Path(__file__).with_name("forge_programs.py")
        for name in ("gh", "glab"):
            script = forge.bin / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} -S {run} {name} {root} "$@"\n')
            script.chmod(0o755)
        subprocess.run(["git", "clone", "-q", "--bare", source, forge.remote], check=True)
        for key, value in (
            ("remote.origin.url", url),
            (f"url.{forge.remote}.insteadOf", url),
        ):
            subprocess.run(["git", "-C", source, "config", key, value], check=True)
        state = {"login": True, "fail": None, "strict": False, "refuse": None}
        forge._file.write_text(json.dumps({**state, "pulls": [], "calls": []}))
        return forge

    # State ----------------------------------------------------------------------------------

    @contextmanager
    def state(self) -> Iterator[dict[str, Any]]:
        """Give the state, and keep what is changed in it; one at a time, across processes."""
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = json.loads(self._file.read_text())
            yield state
            whole = self._file.with_suffix(".new")
            whole.write_text(json.dumps(state))
            whole.replace(self._file)

    def set(self, **said: Any) -> None:
        with self.state() as state:
            state.update(said)

    def change(self, number: int, **said: Any) -> None:
        with self.state() as state:
            pull(state, number).update(said)

    @property
    def pulls(self) -> list[Pull]:
        with self.state() as state:
            return list(state["pulls"])

    @property
    def calls(self) -> list[list[str]]:
        """What the programs were called with."""
        with self.state() as state:
            return list(state["calls"])

    def checks(self, number: int, **states: str) -> None:
        """Have checks of these names stand so: passed, failed or pending."""
        with self.state() as state:
            it = pull(state, number)
            it.update(checks=states, checked=self.head(it))

    def said(self, it: Pull) -> dict[str, str]:
        """Return what checks say of what it holds now: of a newer commit nothing yet."""
        return it["checks"] if it.get("checked") == self.head(it) else {}

    def review(
        self, number: int, state: str, *, by: str = "ann", text: str = "", rights: str = "MEMBER"
    ) -> None:
        with self.state() as it:
            said = {"by": by, "state": state, "text": text, "rights": rights}
            pull(it, number)["reviews"].append(said)

    # The repository -------------------------------------------------------------------------

    def git(self, *args: str, ok: tuple[int, ...] = (0,), stdin: str | None = None) -> str:
        ran = subprocess.run(
            ["git", "-C", self.remote, *args],
            capture_output=True,
            text=True,
            check=False,
            input=stdin,
            env={**os.environ, **_WHO},
        )
        if ran.returncode not in ok:
            raise AssertionError(f"git {args}: {ran.stderr}")
        return ran.stdout.strip()

    def tip(self, branch: str = "main") -> str:
        return self.git("rev-parse", "--verify", "-q", f"refs/heads/{branch}", ok=(0, 1))

    def commit(self, branch: str, path: str, text: str, message: str = "by hand") -> str:
        """Add a commit to a branch there, as somebody else would push it."""
        parent = self.tip(branch)
        blob = self.git("hash-object", "-w", "--stdin", stdin=text)
        index = {"GIT_INDEX_FILE": str(self.root / "index")}
        with_index = {**os.environ, **_WHO, **index}

        def run(*args: str) -> str:
            done = subprocess.run(
                ["git", "-C", self.remote, *args],
                check=True, capture_output=True, text=True, env=with_index,
            )  # fmt: skip
            return done.stdout.strip()

        run("read-tree", parent)
        run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        made = run("commit-tree", run("write-tree"), "-p", parent, "-m", message)
        self.git("update-ref", f"refs/heads/{branch}", made, parent)
        return made

    # What people and the forge do with a pull request -----------------------------------------

    def open(self, *, branch: str, target: str, title: str, text: str) -> int:
        """Open one, as the programs do.

        Raises:
            DeclinedError: there is one already, or nothing to merge.
        """
        with self.state() as state:
            if any(it["branch"] == branch and it["state"] == "open" for it in state["pulls"]):
                raise DeclinedError(f'a pull request for branch "{branch}" already exists')
            if not self.tip(branch) or not self.git("rev-list", f"{target}..{branch}"):
                raise DeclinedError(f"No commits between {target} and {branch}")
            number = len(state["pulls"]) + 1
            state["pulls"].append(
                {
                    "number": number, "branch": branch, "target": target, "title": title,
                    "text": text, "state": "open", "draft": False, "checks": {}, "reviews": [],
                    "needs_review": False, "merged_as": None, "head": None, "fork": False,
                }
            )  # fmt: skip
            return number

    def head(self, it: Pull) -> str:
        return it["head"] or self.tip(it["branch"])

    def status(self, it: Pull, *, strict: bool = False) -> str:
        """Return what GitHub calls the state of its merge."""
        head, target = self.head(it), self.tip(it["target"])
        if not head:
            return "UNKNOWN"
        if _merged_tree(self, target, head) is None:
            return "DIRTY"
        last = {said["by"]: said["state"] for said in it["reviews"]}.values()
        if it["draft"] or "CHANGES_REQUESTED" in last:
            return "BLOCKED"
        if it["needs_review"] and "APPROVED" not in last:
            return "BLOCKED"
        if strict and self.git("merge-base", target, head) != target:
            return "BEHIND"
        return "UNSTABLE" if set(self.said(it).values()) - {"passed"} else "CLEAN"

    def merge(self, number: int, how: str = "merge", *, expected: str | None = None) -> None:
        """Merge it: `drop` loses the patch, `extra` and `sneak` bring more, all wrong.

        Raises:
            DeclinedError: its branch is elsewhere, or the rules of the forge are not met.
        """
        with self.state() as state:
            it = pull(state, number)
            head, target = self.head(it), self.tip(it["target"])
            if expected is not None and head != expected:
                raise DeclinedError("Head branch was modified. Review and try the merge again.")
            status = self.status(it, strict=state["strict"])
            if expected is not None and (state["refuse"] or status not in {"CLEAN", "UNSTABLE"}):
                raise DeclinedError(state["refuse"] or "the base branch policy prohibits the merge")
            made = _MERGES[how](self, target, head)
            self.git("update-ref", f"refs/heads/{it['target']}", made, target)
            it.update(state="merged", merged_as=made, head=head)

    def close(self, number: int, state: str = "closed") -> None:
        with self.state() as it:
            found = pull(it, number)
            found.update(state=state, head=self.head(found) if state == "closed" else None)


def pull(state: dict[str, Any], number: int) -> Pull:
    return next(it for it in state["pulls"] if it["number"] == number)


def _merged_tree(forge: FakeForge, target: str, head: str, *more: str) -> str | None:
    said = forge.git("merge-tree", "--write-tree", *more, target, head, ok=(0, 1)).splitlines()
    clean = forge.git("merge-tree", "--write-tree", *more, target, head, ok=(0, 1)).count("\n") == 0
    return said[0] if clean else None


def _tree(forge: FakeForge, target: str, head: str) -> str:
    tree = _merged_tree(forge, target, head)
    if tree is None:
        raise DeclinedError("Pull Request has merge conflicts")
    return tree


def _merge(forge: FakeForge, target: str, head: str) -> str:
    parents = ("-p", target, "-p", head)
    return forge.git(
        "commit-tree", _tree(forge, target, head), *parents, "-m", "Merge pull request"
    )


def _squash(forge: FakeForge, target: str, head: str) -> str:
    return forge.git("commit-tree", _tree(forge, target, head), "-p", target, "-m", "Squashed (#1)")


def _rebase(forge: FakeForge, target: str, head: str) -> str:
    base = forge.git("merge-base", target, head)
    at = target
    for commit in forge.git("rev-list", "--reverse", "--no-merges", f"{base}..{head}").split():
        # A commit whose parent has the tree of where we are, so that only its change is merged.
        parent = forge.git("rev-parse", f"{commit}^")
        onto = forge.git("commit-tree", f"{at}^{{tree}}", "-p", parent, "-m", "onto")
        tree = _tree(forge, onto, commit)
        at = forge.git("commit-tree", tree, "-p", at, "-m", "Rebased")
    return at


def _drop(forge: FakeForge, target: str, head: str) -> str:
    parents = ("-p", target, "-p", head)
    return forge.git("commit-tree", f"{target}^{{tree}}", *parents, "-m", "Merge pull request")


def _extra(forge: FakeForge, target: str, head: str) -> str:
    made = _squash(forge, target, head)
    forge.git("update-ref", "refs/heads/extra", made)
    more = forge.commit("extra", "unreviewed.txt", "nobody saw this\n")
    tree = forge.git("rev-parse", f"{more}^{{tree}}")
    forge.git("update-ref", "-d", "refs/heads/extra")
    return forge.git("commit-tree", tree, "-p", target, "-m", "Squashed (#1)")


def _sneak(forge: FakeForge, target: str, head: str) -> str:
    """Rebase, with more in a commit that is not the last one."""
    forge.git("update-ref", "refs/heads/sneak", target)
    more = forge.commit("sneak", "unreviewed.txt", "nobody saw this\n")
    forge.git("update-ref", "-d", "refs/heads/sneak")
    first, last = forge.git("rev-list", "--reverse", f"{target}..{head}").split()[-2:]
    at = forge.git("commit-tree", _tree(forge, more, first), "-p", target, "-m", "Rebased")
    return forge.git("commit-tree", _tree(forge, at, last), "-p", at, "-m", "Rebased")


_MERGES: dict[str, Callable[[FakeForge, str, str], str]] = {
    "merge": _merge,
    "squash": _squash,
    "rebase": _rebase,
    "drop": _drop,
    "extra": _extra,
    "sneak": _sneak,
}
