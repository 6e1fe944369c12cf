"""What is to land and what became of it: the values of a landing, and what can be asked of them."""

from dataclasses import dataclass
from pathlib import Path

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.refs import content
from fleet.tools.git.repository import Place, branch_tip, checkouts
from fleet.tools.git.run import git
from fleet.tools.git.updating import refused, update

_REMEMBERED = 500  # values of the target that are looked at: a landing is among the newest


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to land: `commit` on the branch `target`, if that still stands at `parent`.

    Record it before `land`; with the same intent, `recover` tells after a crash what became of
    it. `journal` is a file of the fleet home, `task` and `revision` name the reference that marks
    the change as landed.
    """

    place: Place
    target: str
    commit: str
    parent: str
    task: str
    revision: int
    journal: Path

    @property
    def branch(self) -> str:
        return f"refs/heads/{self.target}"

    @property
    def mark(self) -> str:
        return f"refs/fleet/landed/{self.task}-{self.revision}"


@dataclass(frozen=True, slots=True)
class Landed:
    """The target contains the commit.

    `revived` is an older value of the target to which a person took it back in the very moment of
    landing: what was taken back since is on the target again, and a person must be told.
    """

    commit: str
    revived: str | None = None


@dataclass(frozen=True, slots=True)
class NotLanded:
    """The commit is not on the target, and nothing is left of the attempt."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The target stands elsewhere than expected; None means that it is gone."""

    tip: str | None


@dataclass(frozen=True, slots=True)
class Rewound:
    """The target no longer contains what it once did; only a person may say what to do."""

    tip: str | None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing was changed, because of `reason`; it concerns `files` in `checkout`."""

    reason: str
    files: tuple[str, ...] = ()
    checkout: Path | None = None


def contains(intent: Intent) -> bool:
    """Return whether the target contains the commit now."""
    tip = branch_tip(intent.place, intent.target)
    return tip is not None and is_ancestor(intent.place, intent.commit, tip)


def stands(intent: Intent, checkout: Path) -> bool:
    """Return whether `checkout` has the target checked out, and at the parent."""
    if not checkout.is_dir():
        return False
    named = checkouts(intent.place).get(intent.target)
    return named == checkout and branch_tip(intent.place, intent.target) == intent.parent


def history(intent: Intent) -> list[str]:
    """Return the values the target had, newest first, as far as git remembers them."""
    lines = content(intent.place.git_dir / "logs" / intent.branch).splitlines()[-_REMEMBERED:]
    if not lines:  # kept elsewhere, or not at all
        asked = ("reflog", "show", "--format=%H", intent.branch, "--")
        return git(intent.place.git_dir, *asked, expect=(0, 128)).lines
    return [line.split(b" ", 2)[1].decode() for line in reversed(lines) if b" " in line]


def mark_landed(intent: Intent) -> None:
    """Make the reference that says so, or leave it as it is."""
    if complaint := update(intent.place.git_dir, f"update {intent.mark} {intent.commit}"):
        raise refused(intent.place.git_dir, complaint)


def is_ancestor(place: Place, old: str, new: str) -> bool:
    """Return whether `new` is `old` or builds on it."""
    if old == new:
        return True
    asked = ("merge-base", "--is-ancestor", old, new)
    return git(place.git_dir, *asked, env=AS_NAMED, expect=(0, 1)).code == 0
