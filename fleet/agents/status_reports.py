"""What the body of a status report says (OSC 7501, the Program Status Protocol, revision 0.4).

A report is `key=value` pairs with colons between them. It replaces what its program said before,
and holds until the next one. One that breaks a limit counts for nothing, as the protocol has it.
"""

import binascii
import re

from fleet.agents.adapter import (
    BadHook,
    SaysDoing,
    SaysFailed,
    SaysIdle,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.generic import NEEDS, one_line

NAME = "status-report"  # by which `fleet-pane` calls them in the spool
_PAIR = re.compile(r"([a-z]+)=([A-Za-z0-9_.,+/=-]*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_KEY = 16
_LONGEST = {"app": 32, "id": 128, "title": 256, "msg": 2732}  # as they are written
_LONGEST_TEXT = {"title": 192, "msg": 2048}  # in UTF-8
_KINDS = {"permission": "permission", "question": "question", "auth": "login"}


class _BadError(Exception):
    """The whole report is to be passed over; the message says why."""


def read(report: bytes) -> tuple[Signal, ...] | None:
    """Return what a report says, oldest first; None where it takes back what was said before.

    What a program says of a part of itself, by an `id`, says nothing of the whole.
    """
    try:
        pairs = _pairs(report.decode("ascii"))
    except (_BadError, ValueError) as error:
        return (BadHook(f"status report: {one_line(str(error))}"),)
    if "id" in pairs:
        return ()
    return None if pairs.get("state") == "clear" else _signals(pairs)


def _signals(pairs: dict[str, str]) -> tuple[Signal, ...]:
    said = one_line(pairs.get("msg", ""))
    match pairs.get("state"):
        case "working":
            return (SaysDoing(said), SaysWorking()) if said else (SaysWorking(),)
        case "idle":
            return (SaysIdle(broken_off=True),)
        case "done":
            return (SaysIdle(),)
        case "blocked":
            kind = _KINDS.get(pairs.get("kind", ""), "question")
            return (SaysWaiting(said or NEEDS[kind], kind),)
        case "error":
            return (SaysFailed(said or "its turn broke off"),)
        case _:
            return ()


def _pairs(report: str) -> dict[str, str]:
    """Return the pairs that are well formed, the last of each key, with their texts decoded."""
    pairs: dict[str, str] = {}
    for piece in report.split(":"):
        key, _, value = piece.partition("=")
        if len(key) > _LONGEST_KEY or len(value) > _LONGEST.get(key, len(value)):
            raise _BadError(f"{key} is too long")
        if _PAIR.fullmatch(piece):
            pairs[key] = _text(key, value) if key in _LONGEST_TEXT else value
    return pairs


def _text(key: str, value: str) -> str:
    try:
        # Whoever leaves out the padding means the same.
        raw = binascii.a2b_base64(value + "=" * (-len(value) % 4), strict_mode=True)
        text = raw.decode()
    except ValueError as error:
        raise _BadError(f"{key} is no text in base64") from error
    if len(raw) > _LONGEST_TEXT[key] or _CONTROL.search(text):
        raise _BadError(f"{key} is too long, or no single line")
    return text
