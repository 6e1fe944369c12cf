"""How long to wait before something is tried again: longer after each failure, up to a limit."""

from datetime import datetime, timedelta

_FIRST_S = 2.0
_LONGEST_S = 300.0
_LONGEST = timedelta(seconds=2 * _LONGEST_S)  # twice, for who adds a little to one
_MOST_DOUBLINGS = 30


def pause(failures: int, *, first_s: float = _FIRST_S, longest_s: float = _LONGEST_S) -> timedelta:
    """Return how long to wait after `failures` failures in a row: it doubles up to `longest_s`."""
    doubled = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return timedelta(seconds=min(first_s * 2**doubled, longest_s))


def is_due(not_before: datetime | None, now: datetime) -> bool:
    """Whether a pause is over; no pause is as long as one that a clock set back seems to leave."""
    return not_before is None or not now < not_before <= now + _LONGEST
