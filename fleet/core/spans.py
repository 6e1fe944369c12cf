"""Spans of time as people read them at a glance."""


def span(seconds: float) -> str:
    """Return a span of time in one unit, rounded down: 5s, 12m, 3h, 4d."""
    whole = max(int(seconds), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"
