"""Starting a tmux client that speaks through a socket: every one that stays open begins here."""

import socket
import subprocess
from collections.abc import Mapping, Sequence

from fleet.errors import ToolError

Started = tuple[subprocess.Popen[bytes], socket.socket]


def started(argv: Sequence[str], *, env: Mapping[str, str], complaints: bool = True) -> Started:
    """Run `argv`, and return it with our end of the socket that it reads and writes.

    The socket does not block. What the client complains of comes through it, too, unless that is
    not wanted. A server started here keeps its directory: one that never goes away. And Ctrl-C in
    our terminal is not meant for it.

    Raises:
        ToolError: tmux cannot be started.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=theirs.fileno() if complaints else subprocess.DEVNULL,
                cwd="/",
                env=env,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ToolError(f"cannot start tmux: {error.strerror}", argv=argv) from error
    ours.setblocking(False)  # noqa: FBT003 (the standard library's own signature)
    return process, ours
