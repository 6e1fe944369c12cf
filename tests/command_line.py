"""What a command line came to, for the tests of commands."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Answer:
    """What a command came to: its exit code, its data and its talk."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]
