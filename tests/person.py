"""Someone at a terminal."""

import contextlib
import os
import pty
import subprocess
import termios


class Person:
    """Someone at a terminal in which `argv` runs."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self._terminal, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 120))
        os.set_blocking(self._terminal, False)
        self.program = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env | {"TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = b""

    def sees(self, text: str) -> bool:
        """Say whether `text` was written to the terminal so far."""
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self._terminal, 65536):
                self._seen += data
        return text.encode() in self._seen

    def types(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def leave(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._terminal)
