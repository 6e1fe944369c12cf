"""Finds out what became of a landing that was killed, and leaves nothing half done."""

from pathlib import Path

from fleet.tools.git.intent import (
    Intent,
    Landed,
    Moved,
    NotLanded,
    Rewound,
    contains,
    held,
    history,
    is_ancestor,
    is_marked,
    mark_landed,
    stands,
)
from fleet.tools.git.journal import Journal, await_end, read_journal, remove_locks
from fleet.tools.git.repository import Place, branch_tip
from fleet.tools.git.run import git
from fleet.tools.git.undoing import is_checked_out, undo_checkout


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
    """Finish a checkout that only lacks the move of the branch; undo one that is half made."""
    checkout = Path(journal.checkout) if journal.checkout else None
    if checkout is None or contains(intent) or not stands(intent, checkout):
        return
    parent, commit = journal.parent, journal.commit
    if is_checked_out(checkout, parent=parent, commit=commit):
        git(checkout, "update-ref", "-m", intent.title, intent.branch, commit, parent)
    else:
        undo_checkout(checkout, parent=parent, commit=commit, missing=journal.missing)
