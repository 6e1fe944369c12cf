"""What the time is, and how a reader's own clock would show another time."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def clock(moment: datetime) -> str:
    """Return date and time of day where the reader is."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
