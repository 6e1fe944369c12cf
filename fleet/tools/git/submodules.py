"""Submodules, as far as this machine knows them: filled in, or found to be nowhere else."""

from pathlib import Path

from fleet.errors import RefusedError
from fleet.tools.git.changes import changes
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_LINK = "160000"


def check_out(place: Place, path: Path, *, force: bool) -> None:
    """Fill in the submodules that are in use in the repository, from the copies it has of them.

    Each then has the remote of the copy, and knows what that knows of it. Those inside other
    submodules stay empty. `force` discards what was changed in them.

    Raises:
        RefusedError: the repository has no copy, or not the commit wanted.
    """
    used = set(_settings(place.git_dir, "url"))
    for name, where in _settings(path, "path", "-f", ".gitmodules").items():
        local = place.git_dir / "modules" / name
        if name not in used:
            continue
        if not local.is_dir():
            raise _lacks(where, "it has no copy in the repository")
        _fill(path, name=name, where=where, local=local, force=force)


def unpublished(place: Place, *, base: str, commit: str) -> tuple[str, ...]:
    """Return the submodules that `commit` moves to where nobody else could check them out.

    Known is what the copies on this machine last fetched or pushed: the network is not asked.
    """
    moved = {
        path: change.now[1]
        for path, change in changes(place.git_dir, base, commit).items()
        if change.now[0] == _LINK
    }
    if not moved:
        return ()
    source = ("--blob", f"{commit}:.gitmodules")
    names = {where: name for name, where in _settings(place.git_dir, "path", *source).items()}
    return tuple(
        path for path, head in moved.items() if not _is_published(place, names.get(path), head)
    )


def _is_published(place: Place, name: str | None, head: str) -> bool:
    """Whether a copy of the submodule has `head` on a branch of its remote."""
    if name is None:
        return False
    homes = (place.git_dir, *(place.git_dir / "worktrees").glob("*"))
    copies = [it / "modules" / name for it in homes if _has_remote(place, it / "modules" / name)]
    asked = ("for-each-ref", "--count=1", f"--contains={head}", "refs/remotes/")
    # It exits with 129 where that copy has no such commit.
    return any(git(copy, *asked, expect=(0, 1, 128, 129)).out for copy in copies)


def _has_remote(place: Place, copy: Path) -> bool:
    """Whether there is a copy, and what it takes for its remote is not a part of the repository."""
    url = _remote(copy) if copy.is_dir() else ""
    return bool(url) and not Path(url.removeprefix("file://")).is_relative_to(place.git_dir)


def _remote(copy: Path) -> str:
    return git(copy, "config", "remote.origin.url", expect=(0, 1)).text


def _settings(cwd: Path, kind: str, *source: str) -> dict[str, str]:
    """Return what `submodule.NAME.KIND` is set to, for each NAME."""
    asked = ("config", *source, "-z", "--get-regexp", rf"^submodule\..*\.{kind}$")
    pairs = (field.partition("\n") for field in git(cwd, *asked, expect=(0, 1)).fields)
    return {
        key.removeprefix("submodule.").removesuffix(f".{kind}"): value for key, _, value in pairs
    }


def _fill(path: Path, *, name: str, where: str, local: Path, force: bool) -> None:
    # These settings keep git away from the network and from the repository's own configuration,
    # where `--init` would write what it does not find.
    options = (
        *("-c", f"submodule.{name}.url={local}", "-c", f"submodule.{name}.update=checkout"),
        *("-c", "protocol.file.allow=always", "-c", "clone.defaultRemoteName=origin"),
    )
    if (path / where / ".git").exists():
        git(path / where, "config", "remote.origin.url", str(local))
    how = ("--init", "--force") if force else ("--init",)
    answer = git(path, *options, "submodule", "update", *how, "--", where, expect=(0, 1, 128))
    if answer.code:
        raise _lacks(where, answer.err.strip().rpartition("\n")[2])
    _know(path / where, local)
    if force:
        git(path / where, "clean", "-ffdxq")


def _know(copy: Path, local: Path) -> None:
    """Let a copy of the copy `local` be as if it were of the remote itself, as that is known."""
    refs = "+refs/remotes/origin/*:refs/remotes/origin/*"
    quiet = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    git(copy, "fetch", *quiet, "--no-recurse-submodules", str(local), refs)
    if url := _remote(local):
        git(copy, "config", "remote.origin.url", url)


def _lacks(where: str, reason: str) -> RefusedError:
    return RefusedError(
        f"the submodule {where} cannot be checked out: {reason}",
        hint="type: git submodule update --init",
    )
