"""Spans and points of time as people write them; what cannot be read is refused with examples."""

import re
from datetime import UTC, datetime, timedelta

from fleet.errors import UsageError

LONGEST_S = 10 * 366 * 86400.0
PATTERN = (
    r"(?=.)(?:[0-9]{1,9}(?:\.[0-9]{1,6})?d *)?(?:[0-9]{1,9}(?:\.[0-9]{1,6})?h *)?"
    r"(?:[0-9]{1,9}(?:\.[0-9]{1,6})?m *)?(?:[0-9]{1,9}(?:\.[0-9]{1,6})?s)?"
)
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def seconds(text: str) -> float:
    """Return the seconds in `text`: `90s`, `10m`, `1h30m`, `2d`; a bare number is in seconds.

    Raises:
        UsageError: it is not a duration, or longer than ten years.
    """
    written = text.strip().lower()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", written):
        written += "s"
    if not re.fullmatch(PATTERN, written, re.ASCII):
        raise UsageError(f'"{text}" is not a duration', hint="write it like 90s, 10m, 1h30m or 2d")
    parts = re.findall(r"([0-9.]+)([dhms])", written)
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if total > LONGEST_S:
        raise UsageError(f'"{text}" is longer than ten years', hint="write it like 90s, 10m or 2h")
    return float(total)


def show(span: float) -> str:
    """Return `span` seconds, not negative, so that `seconds` reads them back to the millisecond."""
    whole, milliseconds = divmod(round(span * 1000), 1000)
    text = ""
    for unit, size in _UNITS.items():
        count, whole = divmod(whole, size)
        if unit == "s" and milliseconds:
            return f"{text}{count}.{milliseconds:03}".rstrip("0") + "s"
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def moment(text: str, *, now: datetime) -> datetime:
    """Return a point of time in UTC: a date, a date and time, or how long before `now` it was.

    A time without a zone is in the zone of `now`, which must have one.

    Raises:
        UsageError: it is neither.
    """
    try:
        given = datetime.fromisoformat(text.strip())
        return (given if given.tzinfo else given.replace(tzinfo=now.tzinfo)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return (now - timedelta(seconds=seconds(text))).astimezone(UTC)
    except UsageError:
        raise UsageError(
            f'"{text}" is not a time',
            hint="write it like 2h (two hours ago), 2026-01-31 or 2026-01-31T09:00:00Z",
        ) from None
