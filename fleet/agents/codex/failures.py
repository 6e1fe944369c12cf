"""What Codex says of a request that failed: its kind, and whether that ends the turn."""

import msgspec
from msgspec import Struct

from fleet.agents.generic import one_line

# The first that is found in what it says.
_KINDS = (
    ("usage limit", "rate-limit"),
    ("quota exceeded", "budget"),
    ("credit balance", "budget"),
    ("context window", "context"),
    ("too long", "context"),
    ("429 too many requests", "rate-limit"),
    ("401 unauthorized", "login"),
    ("403 forbidden", "login"),
    ("log in again", "login"),
    ("at capacity", "overloaded"),
    ("overloaded", "overloaded"),
    ("status 529", "overloaded"),
)
_FINAL = ("usage limit", "quota exceeded", "context window", "at capacity")  # tried no second time
_ADDRESS = ", url: "
_ENDLESS = "connection failed"  # tried for as long as there is no network


class _Error(Struct):
    message: str


class _Refused(Struct):
    error: _Error


def kind(said: str) -> str:
    folded = said.casefold()
    return next((kind for sign, kind in _KINDS if sign in folded), "error")


def reason(said: str) -> str:
    """Return it as one line, without the address asked, in which a secret may stand.

    Of a request that was refused, it shows the service's whole answer.
    """
    try:
        told = msgspec.json.decode(said, type=_Refused).error.message
    except (ValueError, RecursionError):
        told = said
    return one_line(told.partition(_ADDRESS)[0]) or "its turn broke off"


def is_final(said: str, *, is_last: bool = False) -> bool:
    """Whether its turn breaks off, where `is_last` says that this was the last attempt."""
    folded = said.casefold()
    if folded.startswith("{") or any(sign in folded for sign in _FINAL):
        return True
    return is_last and not folded.startswith(_ENDLESS)
