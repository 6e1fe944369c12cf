"""Makes the commit that would land, by merge, squash or rebase, without a ref or a work tree."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fleet.core.policy import MergeMethod
from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.merging import Conflicted, keep_tree, merge_trees, tree_of
from fleet.tools.git.objects import person, write_commit
from fleet.tools.git.refs import stamp
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git
from fleet.tools.git.stand_ins import stand_in

_TRAILER = re.compile(r"[A-Za-z0-9-]+: ")
_OURS = re.compile(
    r"^Fleet-(Task|Revision|Sealed|Reverts|Approved-By)[ \t]*:.*(\n[ \t].*)*\n?",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Built:
    """The commit that is to land, and its tree."""

    commit: str
    tree: str


@dataclass(frozen=True, slots=True)
class _Words:
    """What a commit says beside its tree and parents; dates as git writes them."""

    message: str
    author: Person
    written: str
    committer: Person
    committed: str


def build(
    place: Place,
    *,
    target: str,
    sealed: str,
    method: MergeMethod,
    message: str,
    when: int,
    trailers: Mapping[str, str] | None = None,
    author: Person | None = None,
    base: str | None = None,
    keeps_history: bool = True,
) -> Built | Conflicted:
    """Make the commit by which `sealed` would land on `target`; it is unreachable until then.

    With `base`, what lands is what `sealed` has beyond it, as `merge_trees` has it. Without
    `keeps_history` a merge names only `target` as its parent: what `sealed` was made of beside
    that is not to count as merged.

    `when` is the commit's time in seconds: with it, equal arguments give the same object. The
    committer, and without `author` the author, is the repository's user. `rebase` replays the
    commits along the first parents, each with its own author, time and message, and leaves out
    those that change nothing any more: where all do, the result is `target` itself.
    """
    user = committer(place)
    time = f"@{when} +0000"
    words = _Words(_with_trailers(message, trailers or {}), author or user, time, user, time)
    if method == "rebase":
        since = [target, *([base] if base else [])]
        return _replay(
            place, target=target, sealed=sealed, since=since, words=words, trailers=trailers or {}
        )
    merged = merge_trees(place, into=target, change=sealed, base=base)
    if isinstance(merged, Conflicted):
        return merged
    parents = [target, sealed] if method == "merge" and keeps_history else [target]
    return Built(_commit(place, merged.tree, parents, words), merged.tree)


def commit_tree(
    place: Place,
    tree: str,
    parents: Sequence[str],
    *,
    message: str,
    when: int,
    trailers: Mapping[str, str] | None = None,
) -> str:
    """Make a commit of the repository's user that holds `tree`; equal arguments give the same."""
    user, time = committer(place), f"@{when} +0000"
    words = _Words(_with_trailers(message, trailers or {}), user, time, user, time)
    return _commit(place, tree, parents, words)


def committer(place: Place) -> Person:
    """Return the user that git is configured with for this repository, else `fleet` itself."""
    home = Path.home()
    files = (place.git_dir / "config", home / ".gitconfig", home / ".config" / "git" / "config")
    return _committer(place, *map(stamp, files))


@lru_cache(maxsize=64)
def _committer(place: Place, *_configured: object) -> Person:
    asked = git(
        place.git_dir, "config", "-z", "--get-regexp", r"^user\.(name|email)$", expect=(0, 1)
    )
    known = dict(field.split("\n", 1) for field in asked.fields if "\n" in field)
    return Person(known.get("user.name") or "fleet", known.get("user.email") or "fleet@localhost")


def _replay(
    place: Place,
    *,
    target: str,
    sealed: str,
    since: Sequence[str],
    words: _Words,
    trailers: Mapping[str, str],
) -> Built | Conflicted:
    tip, tree = target, tree_of(place, target)
    for change, parent, own in _commits(place, since=since, sealed=sealed, words=words):
        upon = stand_in(place, tree, [parent])
        merged = merge_trees(place, into=upon, change=change)
        if isinstance(merged, Conflicted):
            return merged
        if merged.tree != tree:
            said = _Words(
                _with_trailers(own.message, trailers),
                *(own.author, own.written, own.committer, own.committed),
            )
            tip, tree = _commit(place, merged.tree, [tip], said), merged.tree
    return Built(tip, tree)


def _commits(
    place: Place, *, since: Sequence[str], sealed: str, words: _Words
) -> Iterator[tuple[str, str, _Words]]:
    """Yield each commit that `since` lack, oldest first, with its first parent and its words."""
    wanted = "%H%x00%P%x00%an%x00%ae%x00%ad%x00%B"
    fields = git(
        place.git_dir,
        *("log", "-z", "--reverse", "--first-parent", "--topo-order", "--no-show-signature"),
        *("--encoding=UTF-8", "--date=raw", f"--format={wanted}", sealed),
        *(f"^{it}" for it in since),
        env=AS_NAMED,
        hermetic=True,
    ).fields
    for at in range(0, len(fields), 6):
        commit, parents, name, email, written, message = fields[at : at + 6]
        author = Person(name or "unknown", email)
        own = _Words(message, author, f"@{written}", words.committer, words.committed)
        yield commit, parents.split(" ")[0], own


def _commit(place: Place, tree: str, parents: Sequence[str], words: _Words) -> str:
    author = person(words.author.name, words.author.email, words.written)
    committer = person(words.committer.name, words.committer.email, words.committed)
    written = write_commit(
        place.git_dir,
        tree=tree,
        parents=parents,
        author=author,
        committer=committer,
        message=words.message,
    )
    commit = written or _by_git(place, tree, parents, words)
    keep_tree(commit, tree)
    return commit


def _by_git(place: Place, tree: str, parents: Sequence[str], words: _Words) -> str:
    given = {
        "GIT_AUTHOR_NAME": words.author.name,
        "GIT_AUTHOR_EMAIL": words.author.email,
        "GIT_AUTHOR_DATE": words.written,
        "GIT_COMMITTER_NAME": words.committer.name,
        "GIT_COMMITTER_EMAIL": words.committer.email,
        "GIT_COMMITTER_DATE": words.committed,
    }
    return git(
        place.git_dir,
        *("-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, "-F", "-"),
        *(part for parent in parents for part in ("-p", parent)),
        stdin=os.fsencode(words.message),
        env={**AS_NAMED, **given},
        hermetic=True,
    ).text


def _with_trailers(message: str, trailers: Mapping[str, str]) -> str:
    """Append `trailers`, to the last paragraph of `message` where that consists of trailers.

    What `message` itself says by trailers of ours is left out: only who lands a change may.
    """
    body = (_OURS.sub("", message) if trailers else message).strip() or "no message"
    lines = [f"{name}: {' '.join(value.split())}" for name, value in trailers.items()]
    if not lines:
        return body + "\n"
    _, gap, last = body.rpartition("\n\n")
    joined = bool(gap) and all(_TRAILER.match(line) for line in last.splitlines())
    return "\n".join([body, *([] if joined else [""]), *lines]) + "\n"
