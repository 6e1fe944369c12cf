"""fleet runs coding agents side by side and lands only what passed checks and review."""

__version__ = "0.1.0"
