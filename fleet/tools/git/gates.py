"""Puts the exact tree that would land into a gate: a worktree of ours that only checks use."""

import shutil
from pathlib import Path

from fleet.errors import RefusedError, ToolError
from fleet.tools.git.index import Index, read_index
from fleet.tools.git.merging import tree_of
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git
from fleet.tools.git.workspaces import admin_dir, create, head_of, recycle


def check_out(
    place: Place, path: Path, commit: str, *, keep: tuple[str, ...] = (), lock: Path
) -> None:
    """Make the worktree `path` hold exactly the files of `commit`, and what matches `keep`.

    `path` is ours alone: whatever an earlier check left there is lost, be it a file, a branch, a
    lock or a broken index, and the worktree is made where it is missing. It always holds the
    whole tree, also where the user's own working tree is sparse. `lock` is as in `create`.

    Raises:
        RefusedError: `path` is a repository of its own, or a submodule in use is not there.
        ToolError: git could not, or the files are still not those of `commit`.
    """
    admin = admin_dir(path) or _make(place, path, commit, lock=lock)
    try:
        fault = _renew(place, path, commit, keep=keep)
    except ToolError:
        fault = "unreadable"
    if fault:
        (admin / "index").unlink(missing_ok=True)  # then every file is written anew
        fault = _renew(place, path, commit, keep=keep)
    if fault:
        raise ToolError(
            f"the gate {path} does not hold {commit[:12]}: {fault}", hint=f"remove it: rm -r {path}"
        )


def _make(place: Place, path: Path, commit: str, *, lock: Path) -> Path:
    if (path / ".git").is_dir():
        raise RefusedError(
            f"{path} is a repository, and no gate of {place.root}",
            hint=f"move it away: mv {path} {path}.old",
        )
    if path.exists():
        shutil.rmtree(path)
    create(place, path, commit, lock=lock)
    admin = admin_dir(path)
    if admin is None:
        raise ToolError(f"git made no worktree at {path}")
    return admin


def _renew(place: Place, path: Path, commit: str, *, keep: tuple[str, ...]) -> str:
    """Bring `path` to `commit`; return what is wrong with it, or nothing."""
    _lift_sparseness(path)
    recycle(place, path, commit, keep=keep, unhide=False)
    return _fault(place, path, commit)


def _lift_sparseness(path: Path) -> None:
    """Forget patterns that git copied from the user's working tree, and the index they made."""
    admin = admin_dir(path)
    patterns = admin / "info" / "sparse-checkout" if admin else None
    if admin and patterns and patterns.exists():
        patterns.unlink()
        (admin / "index").unlink(missing_ok=True)


def _fault(place: Place, path: Path, commit: str) -> str:
    """Return what is wrong; that nothing is left over, cleaning said by its exit code."""
    if head_of(path) != commit:
        return f"HEAD is at {head_of(path)[:12]}"
    admin = admin_dir(path)
    if admin and read_index(admin) == Index(tree_of(place, commit), hidden=()):
        return ""
    # A status would report files whose line ends a filter changes at every checkout.
    if git(path, "diff-index", "--cached", "--quiet", commit, expect=(0, 1)).code:
        return "the index holds another tree"
    hidden = [line for line in git(path, "ls-files", "-v", "-z").fields if line[0] != "H"]
    return f"{hidden[0][2:]} is left out" if hidden else ""
