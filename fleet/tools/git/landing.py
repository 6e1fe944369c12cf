"""Moves a target to the commit that was tested: once, from the value expected, or not at all."""

import os
from pathlib import Path

from fleet.errors import ToolError
from fleet.tools.git.intent import (
    Blocked,
    Intent,
    Landed,
    Moved,
    contains,
    history,
    landed,
    mark_landed,
    stands,
)
from fleet.tools.git.journal import TOKEN, Journal, write_journal
from fleet.tools.git.recovery import mend
from fleet.tools.git.repository import branch_tip, checkouts
from fleet.tools.git.run import Answer, failure, git, spawn
from fleet.tools.git.undoing import files_in_the_way, missing_files
from fleet.tools.git.workspaces import admin_dir

_OVERWRITTEN = "uncommitted work there would be overwritten"
_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "sequencer": "a cherry-pick or revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
# The user's configuration counts, for its filters; but nothing is hidden away, skipped or squashed
# by it, and no file is overwritten only because it is ignored.
_FAST_FORWARD = (
    *("-c", "submodule.recurse=false", "-c", "maintenance.auto=false"),
    *("merge", "--ff-only", "--no-squash", "--no-autostash", "--no-overwrite-ignore"),
    *("--no-verify-signatures", "--no-stat", "--quiet"),
)


def land(intent: Intent) -> Landed | Moved | Blocked:
    """Move the target from `intent.parent` to `intent.commit`, and mark its changes as landed.

    A working tree that has the target checked out is fast-forwarded by git itself, with the
    user's filters and without hooks; edits, staged and untracked files stay byte for byte, or
    nothing happens at all. The journal stays until `settle`.

    Raises:
        ToolError: git failed, or took an hour. `recover` finds out what became of it.
    """
    place = intent.place
    if landed(intent) == intent.marks:
        return Landed(intent.commit)
    tip = branch_tip(place, intent.target)
    if tip != intent.parent:
        return Moved(tip)
    if blocked := _rebased_elsewhere(intent):
        return blocked
    checkout = checkouts(place).get(intent.target)
    return _swap(intent) if checkout is None else _fast_forward(intent, checkout)


def obstacle(intent: Intent) -> Blocked | None:
    """Return what `land` would be blocked by, as far as that can be seen beforehand."""
    checkout = checkouts(intent.place).get(intent.target)
    seen = _rebased_elsewhere(intent)
    return seen or (_occupied(intent, checkout) if checkout else None)


def _swap(intent: Intent) -> Landed | Moved | Blocked:
    """Move the target and make the marks in one transaction, which compares before it swaps."""
    git_dir = intent.place.git_dir
    _begin(intent, git_dir, None)
    command = ("update-ref", "-m", intent.title, "--stdin")
    moves = [f"update {intent.branch} {intent.commit} {intent.parent}"]
    moves += [f"update {mark.ref} {mark.commit}" for mark in intent.marks]
    order = "\n".join(("start", *moves, "prepare", ""))
    child = spawn(git_dir, *command, env={TOKEN: str(intent.journal)})
    with child:
        if not (child.stdin and child.stdout):
            raise ToolError("git was started without pipes")
        child.stdin.write(order.encode())
        child.stdin.flush()
        ready = [child.stdout.readline() for _ in range(2)][-1] == b"prepare: ok\n"
        # Our lock keeps nobody from checking the target out: look as late as can be.
        taken = checkouts(intent.place).get(intent.target) if ready else None
        out, err = child.communicate(b"abort\n" if taken else b"commit\n" if ready else b"")
    if taken:
        return Blocked("it was checked out just now", checkout=taken)
    if child.returncode == 0:
        return Landed(intent.commit)
    return _refused(intent, Answer(child.returncode, out, os.fsdecode(err)))


def _refused(intent: Intent, answer: Answer) -> Moved | Blocked:
    tip = branch_tip(intent.place, intent.target)
    if tip != intent.parent:
        return Moved(tip)
    if "File exists" in answer.err:
        return Blocked(f"another git command has locked {intent.target}")
    raise failure(intent.place.git_dir, ("update-ref", "--stdin"), answer)


def _fast_forward(intent: Intent, checkout: Path) -> Landed | Moved | Blocked:
    if blocked := _occupied(intent, checkout):
        return blocked
    journal = _begin(intent, _git_dir(checkout), checkout)
    try:
        answer = git(
            checkout,
            *(*_FAST_FORWARD, intent.commit),
            env={
                TOKEN: str(intent.journal),
                "GIT_REFLOG_ACTION": intent.title,
                "GIT_WORK_TREE": str(checkout),  # over a core.worktree that is somewhere else
            },
            expect=(0, 1, 2, 128),
            timeout_s=3600,
        )
    except ToolError:
        mend(intent, journal)
        raise
    if contains(intent):
        mark_landed(intent, intent.marks)
        return Landed(intent.commit, revived=_revived(intent))
    tip = branch_tip(intent.place, intent.target)
    if tip != intent.parent:  # maybe only after the files were written
        mend(intent, journal)
        return Moved(tip)
    blocked = _reason(answer, checkout)
    if not blocked.files:  # it looks at all files before it writes the first
        mend(intent, journal)
    return blocked


def _occupied(intent: Intent, checkout: Path) -> Blocked | None:
    """Tell why the checkout cannot be fast-forwarded, where that can be seen beforehand."""
    git_dir = _git_dir(checkout)
    for name, what in _UNFINISHED.items():
        if (git_dir / name).exists():
            return Blocked(f"{what} is under way there", checkout=checkout)
    if not stands(intent, checkout):
        return Blocked("it is changing branches", checkout=checkout)
    files = files_in_the_way(checkout, parent=intent.parent, commit=intent.commit)
    return Blocked(_OVERWRITTEN, files, checkout) if files else None


def _rebased_elsewhere(intent: Intent) -> Blocked | None:
    """Tell whether some worktree is rebasing the target: its HEAD is on no branch meanwhile."""
    git_dir = intent.place.git_dir
    for admin in (git_dir, *(git_dir / "worktrees").glob("*")):
        for name in ("rebase-merge", "rebase-apply"):
            note = admin / name / "head-name"
            if note.is_file() and note.read_text().strip() == intent.branch:
                return Blocked(f"{intent.target} is being rebased, says {admin / name}")
    return None


def _reason(answer: Answer, checkout: Path) -> Blocked:
    """Read from git's complaint why it did nothing; it names files on indented lines."""
    lines = answer.err.splitlines()
    files = tuple(line.strip() for line in lines if line.startswith("\t"))
    if files:
        return Blocked(_OVERWRITTEN, files, checkout)
    if "index.lock': File exists" in answer.err:
        return Blocked("another git command is at work there", checkout=checkout)
    said = next((line for line in lines if line.strip()), f"git gave up with {answer.code}")
    return Blocked(said.removeprefix("error: ").removeprefix("fatal: "), checkout=checkout)


def _begin(intent: Intent, git_dir: Path, checkout: Path | None) -> Journal:
    """Write the journal: whatever is killed from here on can be put right."""
    common = intent.place.git_dir
    names = [
        *(common / f"{ref}.lock" for ref in (intent.branch, "packed-refs")),
        *(common / f"{mark.ref}.lock" for mark in intent.marks),
        *(git_dir / f"{name}.lock" for name in ("HEAD", "ORIG_HEAD", "index")),
    ]
    parent, commit = intent.parent, intent.commit
    journal = Journal(
        parent=parent,
        commit=commit,
        between=tuple(mark.commit for mark in intent.marks[:-1]),
        locks=tuple(map(str, names)),
        checkout=str(checkout) if checkout else None,
        missing=missing_files(checkout, parent=parent, commit=commit) if checkout else (),
    )
    write_journal(intent.journal, journal)
    return journal


def _git_dir(checkout: Path) -> Path:
    own = checkout / ".git"
    if own.is_dir() and not own.is_symlink():
        return own.resolve()
    return admin_dir(checkout) or Path(git(checkout, "rev-parse", "--absolute-git-dir").text)


def _revived(intent: Intent) -> str | None:
    values = history(intent)
    before = values[values.index(intent.commit) + 1 :] if intent.commit in values else []
    return before[0] if before and before[0] != intent.parent else None
