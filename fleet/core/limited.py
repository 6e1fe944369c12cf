"""What is known of an account: until when it is limited, and who may go on after that, one by one.

When its time has come, one of its agents goes on, and is the probe. The others follow at a
distance once that one was answered, or after a while in which nothing was heard of a limit. Whoever
meets the limit again closes the account anew, for longer each time.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from fleet.core.ids import TaskId
from fleet.core.pauses import pause

STAGGER = timedelta(seconds=10)  # between two that go on where the account answers again
PROOF = timedelta(minutes=2)  # without a word of a limit, after which the next one goes on, too
CALM = timedelta(minutes=10)  # after which all may start as if there had never been a limit
LONGEST = timedelta(days=8)  # some limits are told to end in a week; what is longer is a mistake
MOST_LIMITS = 12  # in a row, after which a person is told; fleet goes on trying
_FIRST_S = 60.0
_LONGEST_S = 1800.0
_AGAIN_S = 10.0


class Account(Struct, frozen=True):
    """What is known of an account; `until` is None where none of its agents has met a limit.

    `hits` counts how often that was met in a row, the last time by all of `met`. `gone` is when
    somebody was let go on since, the newest of them `probe`; `proved` when one of these was
    answered after that. `answered` is when any of its agents was last known to be.
    """

    until: datetime | None = None
    hits: int = 0
    met: frozenset[TaskId] = frozenset()
    gone: datetime | None = None
    probe: TaskId | None = None
    proved: datetime | None = None
    answered: datetime | None = None


def hit(known: Account, task: TaskId, at: datetime, told: datetime | None) -> Account:
    """Return the account after `task` met its limit, which ends at `told` where it says so."""
    open_ = known.until is None or known.proved is not None or is_over(known, at)
    hits = 1 if open_ else known.hits + (known.gone is not None)
    if told is None:
        until = at + pause(hits, first_s=_FIRST_S, longest_s=_LONGEST_S)
    else:  # one that tells an early time again and again is believed less and less
        again = pause(hits - 1, first_s=_AGAIN_S) if hits > 1 else timedelta()
        until = min(max(told, at + again), at + LONGEST)
    met = frozenset({task})
    if not open_ and known.gone is None and known.until is not None:
        until, met = max(until, known.until), known.met | met
    return replace(known, until=until, hits=hits, met=met, gone=None, probe=None, proved=None)


def went(known: Account, task: TaskId, at: datetime) -> Account:
    """Return the account after `task` was let go on."""
    return replace(known, gone=at, probe=task)


def answered(known: Account, task: TaskId, at: datetime) -> Account:
    """Return the account after the agent of `task` was seen to have been answered.

    It proves that the limit is over where it was let go on, or by a person who did not wait; what
    others did may be older than the limit.
    """
    known = replace(known, answered=at)
    if known.gone is None and task in known.met:
        return replace(known, gone=at, probe=task, proved=at)
    return replace(known, proved=known.proved or at) if known.probe == task else known


def next_at(known: Account) -> datetime | None:
    """Return when the next one may go on; None where nothing is in its way."""
    if known.gone is None:
        return known.until
    return known.gone + (PROOF if known.proved is None and known.until else STAGGER)


def is_over(known: Account, now: datetime) -> bool:
    """Whether the limit is so long past that starts need no distance any more."""
    last = known.proved or known.gone or known.until
    return known.until is None or last is None or now >= last + CALM
