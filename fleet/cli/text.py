"""Makes text fit for a terminal, which has room for it; `fleet.core.terminal` cleans it."""

import unicodedata
from datetime import UTC, datetime

from fleet.core.spans import span

_ELLIPSIS = "…"


def width(text: str) -> int:
    """Return how many columns clean `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(sign) for sign in text)


def _columns(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def fit(text: str, columns: int) -> str:
    """Return clean `text`, cut where it is wider than `columns`, and marked as cut."""
    if width(text) <= columns:
        return text
    kept, room = "", columns - 1
    for sign in text:
        room -= _columns(sign)
        if room < 0:
            break
        kept += sign
    return kept.rstrip() + _ELLIPSIS if columns > 0 else ""


def pad(text: str, columns: int) -> str:
    """Return `text` cut or filled up to exactly `columns`."""
    cut = fit(text, columns)
    return cut + " " * (columns - width(cut))


def count(number: int, noun: str) -> str:
    """Return a number and its noun: 1 task, 2 tasks."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age(moment: datetime | None, now: datetime) -> str:
    """Return how long before `now` something was, or an empty text where it never was."""
    return "" if moment is None else span((now - moment).total_seconds())


def clock(moment: datetime) -> str:
    """Return date and time of day where the reader is."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def changes(added: int, removed: int) -> str:
    """Return the size of a change, or an empty text where nothing has changed."""
    return f"+{added} -{removed}" if added or removed else ""
