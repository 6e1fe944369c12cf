"""Finding status reports (OSC 7501) in what an agent writes, however the reads cut it.

A report is a number, a body of printable ASCII, and an end in one of two forms. Whatever else looks
like the beginning of one is no report, and passes with every byte it has.
"""

START = b"\x1b]7501;"
QUERY = b"?"  # the body that asks whether reports are read; the answer is the same sequence
LONGEST = 4096  # bytes of a whole sequence, by the protocol
_ESCAPE, _BELL, _STRING_END = b"\x1b", b"\x07", b"\x1b\\"
_PLAIN = bytes(range(0x20, 0x7F))


class Sieve:
    """Takes reports out of a stream; at most `LONGEST` bytes wait in it for their continuation.

    What waits is the beginning of a sequence of which no terminal would show anything.
    """

    def __init__(self) -> None:
        self._held = b""
        self._escaped = False  # whether the last byte that passed is an escape

    def feed(self, data: bytes) -> tuple[bytes, list[bytes]]:
        """Return what passes, and the sequences that were taken out, whole."""
        data = self._held + data
        passed, taken, begin, look = [], [], 0, 0
        while (start := data.find(START, look)) >= 0:
            # Escapes are doubled in what is wrapped for a multiplexer: that is one string, and
            # cutting a piece out of it would leave it without its end.
            doubled = data[start - 1 : start] == _ESCAPE if start else self._escaped
            end = None if doubled else _end(data, start)
            if end == _OPEN:
                break
            look = start + len(START) if end is None else end
            if end is not None:
                passed.append(data[begin:start])
                taken.append(data[start:end])
                begin = end
        keep = start if start >= 0 else max(_beginning(data), begin)
        passed.append(data[begin:keep])
        self._held = data[keep:]
        return self._passed(b"".join(passed)), taken

    def rest(self) -> bytes:
        """Return what still waits, as nothing follows it."""
        held, self._held = self._held, b""
        return held

    def _passed(self, data: bytes) -> bytes:
        if data:
            self._escaped = data.endswith(_ESCAPE)
        return data


class Pace:
    """Lets `burst` through at once, and from then on one each `every_s` seconds."""

    def __init__(self, *, burst: int, every_s: float) -> None:
        self._left, self._burst, self._every_s = float(burst), burst, every_s
        self._at = 0.0

    def wait(self, now: float) -> float:
        """Return for how many seconds the next has to wait."""
        self._left = min(self._left + (now - self._at) / self._every_s, self._burst)
        self._at = now
        return max(1.0 - self._left, 0.0) * self._every_s

    def take(self, now: float) -> bool:
        """Return whether one more may pass now, and count it if so."""
        free = self.wait(now) == 0
        self._left -= free
        return free


def body(sequence: bytes) -> bytes:
    """Return what stands between the number and the end of a sequence."""
    return sequence[len(START) : -1 if sequence.endswith(_BELL) else -2]


_OPEN = -1  # its end may still come


def _end(data: bytes, start: int) -> int | None:
    """Return where the sequence ends that begins at `start`; None where it is no report."""
    window = data[start + len(START) : start + LONGEST]
    rest = window.lstrip(_PLAIN)
    end = start + len(START) + len(window) - len(rest)
    if rest.startswith(_BELL):
        return end + 1
    if rest.startswith(_STRING_END):
        return end + 2
    return _OPEN if rest in (b"", _ESCAPE) and len(data) < start + LONGEST else None


def _beginning(data: bytes) -> int:
    """Return where the beginning of a sequence stands at the end; the length where none does."""
    last = data.rfind(_ESCAPE, -len(START) + 1)
    return last if last >= 0 and START.startswith(data[last:]) else len(data)
