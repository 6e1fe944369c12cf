"""An agent that only listens, as real ones do, and keeps what it heard, byte for byte.

`listener.py KIND LOG PROMPT` reads its terminal and reports each prompt by fleet-hook. Beside LOG,
`LOG.bytes` holds all that the terminal gave it. KIND is one of:

    raw        every key by itself, as most agents' input lines do
    bracketed  the same, and asks that what is pasted is marked
    slow       the same, but takes its time to read
    busy       works on each prompt, and takes up what it is told meanwhile afterwards
    deaf       works on each prompt, and drops what it is told meanwhile
    canonical  lines, of which a terminal holds 4,096 bytes
    mute       the same, and reports nothing
    brief      lines, and ends after some
"""

import json
import os
import random
import select
import subprocess
import sys
import termios
import time
import tty
from collections import deque
from pathlib import Path

LINES = ("canonical", "mute", "brief")
BRIEF = 20  # prompts, after which it ends
WORK_S = 0.04
LONG_S, LONG_EVERY = 6.0, 150  # longer than anyone waits for a word, at some of the prompts
_BEGIN, _END = b"\x1b[200~", b"\x1b[201~"


class Listener:
    """One agent; `run` returns when its terminal is closed, or it has heard enough."""

    def __init__(self, kind: str, log: Path) -> None:
        self.kind, self.log = kind, log
        self.hook = Path(os.environ["FLEET_HOME"], "bin", "fleet-hook")
        self.bytes = log.with_suffix(".bytes").open("ab", buffering=0)
        self.prompts: deque[bytes] = deque()
        self.partly = b""
        self.heard = 0
        self.busy_until = 0.0

    def run(self) -> None:
        if self.kind not in LINES:
            tty.setraw(0)
        if self.kind == "bracketed":
            os.write(1, b"\x1b[?2004h")
        if self.kind != "mute":
            self.tell("idle", {})
        while not (self.kind == "brief" and self.heard >= BRIEF):
            wait = max(0.0, self.busy_until - time.monotonic()) if self.busy_until else None
            if select.select([0], [], [], wait)[0] and not self.read():
                return
            self.go_on()

    def read(self) -> bool:
        data = os.read(0, 16 if self.kind == "slow" else 65536)
        if self.kind == "slow":
            time.sleep(0.0005)
        self.bytes.write(data)
        if self.kind not in LINES:
            os.write(1, data.replace(b"\x1b", b"").replace(b"\r", b"\r\n"))
        if self.kind == "deaf" and self.busy_until:
            self.bytes.write(b"<dropped>")
            return True
        *whole, self.partly = (self.partly + data).split(b"\n" if self.kind in LINES else b"\r")
        self.prompts.extend(whole)
        return bool(data)

    def go_on(self) -> None:
        """Take up the next prompt, unless it still works on the one before."""
        if self.busy_until and time.monotonic() >= self.busy_until:
            self.busy_until = 0.0
            if not self.prompts:
                self.tell("idle", {})
        while self.prompts and not self.busy_until:
            self.take(self.prompts.popleft())

    def take(self, prompt: bytes) -> None:
        self.heard += 1
        text = prompt.removeprefix(_BEGIN).removesuffix(_END).decode()
        with self.log.open("a") as log:
            log.write(json.dumps(text) + "\n")
        if self.kind in ("busy", "deaf"):
            long = self.kind == "busy" and self.heard % LONG_EVERY == 0
            self.busy_until = time.monotonic() + (LONG_S if long else random.uniform(0, WORK_S))
        if self.kind != "mute":
            self.tell("heard", {"text": text})

    def tell(self, name: str, what: dict[str, str]) -> None:
        subprocess.run([self.hook, name], input=json.dumps(what).encode(), check=True)


if __name__ == "__main__":
    try:
        Listener(sys.argv[1], Path(sys.argv[2])).run()
    except (OSError, termios.error):
        sys.exit(0)  # its terminal is gone
