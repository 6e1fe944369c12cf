"""Finds out what became of a landing that was killed, and leaves nothing half done."""

from pathlib import Path

from fleet.tools.git.changes import touched
from fleet.tools.git.intent import (
    Intent,
    Landed,
    Moved,
    NotLanded,
    Rewound,
    held,
    history,
    is_ancestor,
    is_marked,
    mark_landed,
)
from fleet.tools.git.journal import Journal, await_end, read_journal, remove_locks
from fleet.tools.git.repository import Place, branch_tip, checkouts
from fleet.tools.git.run import git
from fleet.tools.git.undoing import is_checked_out, take_back, undo_checkout


def recover(intent: Intent) -> Landed | NotLanded | Rewound:
    """Find out what became of a landing that may have been killed, and leave nothing half done.

    It may be repeated, and then says the same again. A half-made checkout is undone, not
    finished: whether the changes are still to land is decided anew. Each change that the target
    contains has its mark afterwards, also where not all of them are there.

    Raises:
        ToolError: a git of the landing still runs, or a lock is in the way that is not ours.
    """
    if journal := read_journal(intent.journal):
        await_end(str(intent.journal))
        remove_locks(journal, since_ns=intent.journal.stat().st_mtime_ns)
        mend(intent, journal)
    there = held(intent)
    if unmarked := tuple(mark for mark in there if not is_marked(intent, mark)):
        mark_landed(intent, unmarked)
    if there == intent.marks:
        return Landed(intent.commit)
    if intent.commit in history(intent):
        return Rewound(branch_tip(intent.place, intent.target))
    for mark in intent.marks:
        if mark not in there and is_marked(intent, mark):
            git(intent.place.git_dir, "update-ref", "-d", mark.ref, mark.commit)
    return NotLanded()


def settle(intent: Intent) -> None:
    """Forget the journal, once the outcome is recorded."""
    intent.journal.unlink(missing_ok=True)


def check_history(place: Place, target: str, last_known: str) -> Moved | Rewound:
    """Tell whether `target` only grew since it stood at `last_known`; it is never repaired."""
    tip = branch_tip(place, target)
    return Moved(tip) if tip and is_ancestor(place, last_known, tip) else Rewound(tip)


def mend(intent: Intent, journal: Journal) -> None:
    """Finish a checkout that only lacks the move of the branch; undo one that cannot land there.

    Git writes the files first, then the index, and moves the branch last: it may have been killed
    in between, or somebody else moved the branch meanwhile, whom a landing must not overwrite.
    What counts is what the journal says was begun; `intent` may be about a later try.

    Raises:
        ToolError: what was written could not be undone now.
    """
    checkout, parent, commit = journal.checkout, journal.parent, journal.commit
    tip = branch_tip(intent.place, intent.target)
    if not (checkout and tip) or not _is_at_work(intent, Path(checkout)):
        return
    if is_ancestor(intent.place, commit, tip) or _meets(intent.place, journal, tip):
        return
    where = Path(checkout)
    if not is_checked_out(where, parent=parent, commit=commit):
        undo_checkout(where, parent=parent, commit=commit, missing=journal.missing)
    elif tip == parent:
        git(where, "update-ref", "-m", intent.title, intent.branch, commit, parent)
    else:
        take_back(where, parent=parent, commit=commit)


def _is_at_work(intent: Intent, checkout: Path) -> bool:
    """Whether the target still is checked out there."""
    return checkout.is_dir() and checkouts(intent.place).get(intent.target) == checkout


def _meets(place: Place, journal: Journal, tip: str) -> bool:
    """Whether others changed what would land: then nobody can tell their files from ours."""
    theirs = touched(place, journal.parent, tip)
    return not theirs.isdisjoint(touched(place, journal.parent, journal.commit))
