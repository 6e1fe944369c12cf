"""A second client on one agent's tmux session: it is told at once when something is drawn there.

Its promise: it never slows the agent down, even where nobody reads what it is told. As long as the
control connection is attached, which takes none of this output, tmux goes on reading the agent's;
and `pause-after` leaves this client out when it falls behind, instead of keeping all that for it.
"""

import contextlib
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from fleet.tools.tmux.starting import started
from fleet.tools.tmux.view import checked

_CHUNK = 1 << 16
_PAUSE_AFTER_S = 1
_OUTPUT = (b"%output", b"%extended-output")


class Push:
    """One such client; `fileno` is readable when `drawn` has something to say."""

    def __init__(self, process: subprocess.Popen[bytes], ours: socket.socket, pane: bytes) -> None:
        self._process, self._connection, self._pane = process, ours, pane
        self._rest = b""
        self.ended = False

    @classmethod
    def open(
        cls, server_socket: Path, pane_id: str, session_id: str, *, env: Mapping[str, str]
    ) -> Self:
        """Attach to the tmux session of a pane; whether it is still there is told by `drawn`.

        Raises:
            ToolError: tmux cannot be started.
        """
        flags = f"ignore-size,pause-after={_PAUSE_AFTER_S}"
        argv = [
            *("tmux", "-u", "-N", "-S", str(server_socket), "-C"),
            *("attach-session", "-t", session_id, "-f", flags),
        ]
        process, ours = started(argv, env=env, complaints=False)
        return cls(process, ours, checked(pane_id).encode())

    def fileno(self) -> int:
        return self._connection.fileno()

    def drawn(self) -> bool:
        """Take what tmux has said, and return whether the pane may look different now.

        `ended` is true once the session is gone, or we are not in it any more.
        """
        try:
            data = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        concerned = [self._concerns(line) for line in lines]
        return any(concerned)

    def close(self) -> None:
        """End this client; the session stays as it is."""
        self.ended = True
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _concerns(self, line: bytes) -> bool:
        word, pane, *_ = (*line.split(b" ", 2), b"", b"")
        if word == b"%pause":
            self._go_on(pane)
        if word == b"%exit":
            self.ended = True
        return word not in _OUTPUT or pane == self._pane

    def _go_on(self, pane: bytes) -> None:
        """Be told again of a pane that tmux left out because we were behind."""
        with contextlib.suppress(OSError):
            self._connection.send(b'refresh-client -A "%s:continue"\n' % pane)
