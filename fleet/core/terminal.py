"""Text that a terminal shows and does not obey: what others wrote is cleaned here alone."""

import re
import unicodedata
from collections.abc import Iterable

_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, modes
    r"|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS and other strings, to their end
    r"|[ -/]*[0-~])"  # two characters and more: character sets, reset
    r"|\x9b[0-?]*[ -/]*[@-~]"  # CSI as one character
)
_COLOUR = re.compile(r"(\x1b\[[0-9;:]*m)")
_RESET = "\x1b[0m"
_JOINER = "\u200d"  # makes one sign of several, and takes no room
# What ends each attribute: 22 ends bold and faint alike.
_ENDS = {22: (1, 2), 23: (3,), 24: (4, 21), 25: (5, 6), 27: (7,), 28: (8,), 29: (9,), 55: (53,)}
_ENDS |= {39: (38,), 49: (48,), 59: (58,)}
_TEXT, _BEHIND = {*range(30, 39), *range(90, 98)}, {*range(40, 49), *range(100, 108)}
_WORDS = {5: 3, 2: 5}  # how many numbers a colour takes after 38, 48 and 58, by the second of them


def clean(text: str) -> str:
    """Return `text` as one line without anything that a terminal obeys instead of showing it."""
    return "".join(_sign(sign, " ") for sign in _SEQUENCE.sub("", text))


def clean_lines(text: str) -> str:
    """Return `text` with its lines and tabs, without anything else that a terminal obeys."""
    if text.isprintable():
        return text
    return "".join(sign if sign in "\n\t" else _sign(sign, "") for sign in _SEQUENCE.sub("", text))


def clean_screen(text: str) -> str:
    """Return `text` like `clean_lines`, but with its colours, which end where it ends."""
    pieces = _COLOUR.split(text)
    return _kept(pieces) + (_RESET if len(pieces) > 1 else "")


def clean_row(row: str, colour: str = "") -> tuple[str, str]:
    """Return one row of a screen like `clean_screen`, and the colour in which the next begins.

    A terminal's colours go on over the ends of rows; `colour` is the one in which this one begins.
    """
    pieces = _COLOUR.split(row)
    after = _sum(colour, (piece[2:-1] for piece in pieces[1::2]))
    text = _kept(pieces).replace("\n", "").replace("\t", " ")
    begun = f"\x1b[{colour}m" if colour and text else ""
    return f"{begun}{text}{_RESET if text and (begun or len(pieces) > 1) else ''}", after


def _kept(pieces: list[str]) -> str:
    """Join what `_COLOUR` parted, with everything but the colours cleaned."""
    return "".join(
        piece if position % 2 else clean_lines(piece) for position, piece in enumerate(pieces)
    )


def _sum(colour: str, more: Iterable[str]) -> str:
    """Return the shortest parameters that have the effect of all these, one after the other."""
    state: dict[int, str] = {}
    for parameters in (*([colour] if colour else ()), *more):
        words = parameters.split(";")
        while words:
            _apply(state, _take(words))
    return ";".join(state.values())


def _take(words: list[str]) -> str:
    """Take one attribute off `words`: a colour is written as several."""
    size = 1
    if words[0] in ("38", "48", "58") and len(words) > 1 and words[1].isdecimal():
        size = _WORDS.get(int(words[1]), 2)
    attribute = ";".join(words[:size])
    del words[:size]
    return attribute


def _apply(state: dict[int, str], attribute: str) -> None:
    number = int(re.split("[;:]", attribute, maxsplit=1)[0] or 0)
    if number == 0:
        state.clear()
    elif attribute == "4:0":
        state.pop(4, None)
    elif number in _ENDS:
        for ended in _ENDS[number]:
            state.pop(ended, None)
    else:
        state[_slot(number)] = attribute


def _slot(number: int) -> int:
    """Return what an attribute replaces: there is one colour of the text, and one behind it."""
    return 38 if number in _TEXT else 48 if number in _BEHIND else number


def _sign(sign: str, control: str) -> str:
    if sign.isprintable() or sign == _JOINER:
        return sign
    category = unicodedata.category(sign)
    if category == "Zs":
        return " "
    return control if sign in "\n\r\t" else ""
