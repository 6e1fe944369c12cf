"""Whether the approvals of one revision are for the next one, too: only where nothing is new."""

from msgspec import Struct

NO_CHANGE = "the same change"
NO_CODE_CHANGE = "only its message is another"
TRIVIAL_REBASE = "merging the approved change onto its new base gives exactly this"

RESTACKED = "merging it onto the new revision below it gives exactly the same change"


class Revision(Struct, frozen=True):
    """What a revision comes to: the tree that it is, where it left its target, what it says."""

    base: str
    tree: str
    words: str


def carried(before: Revision, now: Revision, *, replayed: str | None, strict: bool) -> str | None:
    """Return why what was approved as `before` is approved as `now`; None where it is not.

    `replayed` is the tree of `before` merged onto the base of `now` by git alone, None where that
    conflicts. It decides, and not whether both look alike as patches: who made the commit is
    nobody's word.
    """
    if before.tree == now.tree and before.base == now.base:
        return NO_CHANGE if before.words == now.words else NO_CODE_CHANGE
    if before.base != now.base and replayed == now.tree and not strict:
        return TRIVIAL_REBASE
    return None
