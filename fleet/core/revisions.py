"""The revisions of a change that a later one is compared with."""

from msgspec import Struct

from fleet.core.ids import Commit


class Pinned(Struct, frozen=True):
    """A revision that was sealed, and where it left its target."""

    revision: int
    sealed: Commit
    base: Commit


def last_read(shown: int, before: int, newest: int) -> int:
    """Return the revision that a person read last before the newest one, or 0.

    `shown` is the newest that was shown, and `before` the one shown before that.
    """
    return shown if shown < newest else before
