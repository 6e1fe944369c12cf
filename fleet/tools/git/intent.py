"""What is to land and what became of it: the values of a landing, and what can be asked of them."""

from dataclasses import dataclass
from pathlib import Path

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.refs import content
from fleet.tools.git.repository import Place, branch_tip, checkouts, ref_commit
from fleet.tools.git.run import git
from fleet.tools.git.updating import refused, update

_REMEMBERED = 500  # values of the target that are looked at: a landing is among the newest


@dataclass(frozen=True, slots=True)
class Mark:
    """One change that lands: the reference that says so, and the commit that holds it."""

    task: str
    revision: int
    commit: str

    @property
    def ref(self) -> str:
        return f"refs/fleet/landed/{self.task}-{self.revision}"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to land: the changes of `marks` on the branch `target`, if that stands at `parent`.

    Each commit builds on the one before it, the first on `parent`; the target goes to the last
    one in a single move, and each change keeps a mark of its own. Record it before `land`; with
    the same intent, `recover` tells after a crash what became of it. `journal` is a file of the
    fleet home.
    """

    place: Place
    target: str
    parent: str
    marks: tuple[Mark, ...]
    journal: Path

    @property
    def branch(self) -> str:
        return f"refs/heads/{self.target}"

    @property
    def commit(self) -> str:
        """What the target is to hold."""
        return self.marks[-1].commit

    @property
    def title(self) -> str:
        """What is said of the move where git remembers it."""
        return f"fleet: land {', '.join(mark.task for mark in self.marks)}"


@dataclass(frozen=True, slots=True)
class Landed:
    """The target contains the commit, and each change has its mark.

    `revived` is an older value of the target to which a person took it back in the very moment of
    landing: what was taken back since is on the target again, and a person must be told.
    """

    commit: str
    revived: str | None = None


@dataclass(frozen=True, slots=True)
class NotLanded:
    """The commit is not on the target, and nothing is left of the attempt.

    Where others brought the target to one of the first changes, `landed` tells which.
    """


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
    """Return whether the target contains all that is to land now."""
    return held(intent) == intent.marks


def held(intent: Intent) -> tuple[Mark, ...]:
    """Return the changes whose commits the target contains now: none, all, or the first ones."""
    tip = branch_tip(intent.place, intent.target)
    if tip is None:
        return ()
    if is_ancestor(intent.place, intent.commit, tip):
        return intent.marks
    return tuple(mark for mark in intent.marks[:-1] if is_ancestor(intent.place, mark.commit, tip))


def landed(intent: Intent) -> tuple[Mark, ...]:
    """Return the changes that the target contains, and whose marks say so."""
    marked = [mark for mark in intent.marks if is_marked(intent, mark)]
    return tuple(mark for mark in held(intent) if mark in marked) if marked else ()


def is_marked(intent: Intent, mark: Mark) -> bool:
    """Return whether a reference says that the change has landed."""
    return ref_commit(intent.place, mark.ref) == mark.commit


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


def mark_landed(intent: Intent, marks: tuple[Mark, ...]) -> None:
    """Make the references that say so, all in one move, or leave them as they are."""
    orders = [f"update {mark.ref} {mark.commit}" for mark in marks]
    if complaint := update(intent.place.git_dir, *orders):
        raise refused(intent.place.git_dir, complaint)


def is_ancestor(place: Place, old: str, new: str) -> bool:
    """Return whether `new` is `old` or builds on it."""
    if old == new:
        return True
    asked = ("merge-base", "--is-ancestor", old, new)
    return git(place.git_dir, *asked, env=AS_NAMED, expect=(0, 1)).code == 0
