"""Random texts to send, each with what must arrive of it, which is known from how it was made."""

import random
from dataclasses import dataclass
from pathlib import Path

LONGEST_LINE = 800
PLAIN = (
    "abcdefghijklmnopqrstuvwxyz ABCXYZ 0123456789 .,:;!?-_/\\|()[]{}<>@#$%^&*+=~`'\"",
    "éèüßøæłžñçåÿĀő €£¥§¶†‡“”‘’«»…–—",  # noqa: RUF001 - as people type them
    "日本語中文字漢字仮名交じり文한국어조선말ｆｕｌｌ",
    "🙂🚀🔑👩🏽\u200d💻🏳️\u200d🌈🇩🇪👨\u200d👩\u200d👧",
    "שלום עולם مرحبا بالعالم\u202babc\u202c\u200f\u200e",
    "e\u0301o\u0308a\u0328\u0301n\u0303q\u0307\u0323Z\u0351\u036b\u0343",
    "ไทยहिन्दीதமிழ்የአማርኛΕλληνικάРусский",
    "\u2028\u2029\u00a0\u3000\u200b\ufeff\U0001d518\U0001d52b\U0001d526𓀀\U0010fffd",
)
# As a shell, tmux or an agent would read them.
TRAPS = (";", "; ", "'", '"', "\\", "$(touch x)", "`id`", "#{pane_id}", "#(id)", "~", "-n", "C-c")
WORDS = ("Enter", "Escape", "%end 1 2 1", "/clear", "!ls", "@file", "{}", "\\;", "\\033[31m", "\\n")
ESCAPES = (
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[200~",
    "\x1b[201~",
    "\x1b[2J",
    "\x1b[?1049h",
    "\x1b[5;1H",
    "\x1b]0;title\x07",
    "\x1b]52;c;Y2xpcA==\x1b\\",
    "\x1b]8;;http://x\x1b\\",
    "\x1bPq#0;2\x1b\\",
    "\x1b_apc\x1b\\",
    "\x1b^pm\x1b\\",
    "\x1bc",
    "\x1b(B",
    "\x1b7",
    "\x9b31m",
    "\x9d0;t\x9c",
)
CONTROLS = [
    chr(code) for code in (*range(9), *range(14, 27), *range(28, 32), 11, 12, 127, 133, 153)
]


@dataclass(frozen=True)
class Text:
    """What is sent, and the line that must arrive; None where the text arrives in a file."""

    sent: str
    line: str | None


def make(rng: random.Random) -> Text:
    """Return a text of 1 to 5,000 characters."""
    length = rng.choice((1, rng.randint(1, 20), rng.randint(1, 300), rng.randint(300, 1000)))
    if rng.random() < 0.15:
        length = rng.randint(800, 5000)
    breaks = rng.choice((0.0, 0.0, 0.0, 0.02))
    odd = rng.choice((0.0, 0.02, 0.1))
    while True:
        pieces = list(_pieces(rng, length, breaks, odd))
        sent = "".join(piece for piece, _ in pieces)
        if sent.strip():  # what is nothing is refused
            return Text(sent, _line("".join(kept for _, kept in pieces)))


def _pieces(rng: random.Random, length: int, breaks: float, odd: float) -> list[tuple[str, str]]:
    alphabet = rng.choice((rng.choice(PLAIN), "".join(PLAIN), PLAIN[0]))
    pieces: list[tuple[str, str]] = []
    left = length
    while left > 0:
        chance = rng.random()
        if chance < breaks:
            piece, kept = rng.choice((("\n", "\n"), ("\r\n", "\n"), ("\r", "\n"), ("\n\n", "\n\n")))
        elif chance < breaks + odd:
            piece, kept = _odd(rng)
        else:
            piece = kept = rng.choice(alphabet)
        if len(piece) > left:
            piece = kept = rng.choice("xyz")
        # Carriage return and line feed side by side would be one end of a line.
        if not (pieces and pieces[-1][0].endswith("\r") and piece.startswith("\n")):
            pieces.append((piece, kept))
            left -= len(piece)
    if rng.random() < 0.1 and length > 1:
        pieces[-1] = (";", ";")
    return pieces


def _odd(rng: random.Random) -> tuple[str, str]:
    """Return what is to be taken out, or what is only strange."""
    kind = rng.randrange(5)
    if kind == 0:
        return rng.choice(ESCAPES), ""
    if kind == 1:
        return rng.choice(CONTROLS), ""
    if kind == 2:
        return "\t", "\t"
    piece = rng.choice(TRAPS if kind == 3 else WORDS)
    return piece, piece


def _line(kept: str) -> str | None:
    line = kept.strip().expandtabs(4)
    return line if line and "\n" not in line and len(line) <= LONGEST_LINE else None


def file_named_in(line: str) -> Path | None:
    """Return the file that a line names which was typed for a long text."""
    before, after = "Read ", " and act on it: it holds a message for you."
    if not (line.startswith(before) and line.endswith(after)):
        return None
    return Path(line.removeprefix(before).removesuffix(after))
