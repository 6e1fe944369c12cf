"""The private tmux server of one fleet home: started, adopted and stopped here, and only here."""

import contextlib
import os
import select
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

from fleet.errors import ToolError
from fleet.tools.tmux.control import Control, TmuxGoneError
from fleet.tools.tmux.language import line
from fleet.tools.tmux.push import Push
from fleet.tools.tmux.settings import COMMANDS, HUB, label

T = TypeVar("T")

_STARTS = 40  # tries, 50 ms apart: a server that is just ending refuses its successor for 0.1 s
_END_S = 10
_STUCK_S = 2
_INSTALL = {
    "apt-get": "sudo apt-get install tmux",
    "dnf": "sudo dnf install tmux",
    "pacman": "sudo pacman -S tmux",
    "apk": "sudo apk add tmux",
    "zypper": "sudo zypper install tmux",
    "brew": "brew install tmux",
}


class Server:
    """The tmux server behind `socket`; safe to use from many threads.

    `env` is the whole environment of a server that is started here, less what points to another
    tmux. `conf` is written by `ensure`. Nothing but `ensure` ever starts a server.
    """

    def __init__(self, socket: Path, *, conf: Path, env: Mapping[str, str]) -> None:
        self.socket = socket
        self._conf = conf
        self._env = {name: env[name] for name in env if name not in ("TMUX", "TMUX_PANE")}
        self._control: Control | None = None
        self._connecting = threading.Lock()
        self._starting = threading.Lock()

    def ensure(self) -> None:
        """Have the server running and configured: adopt the one that is there, or start one.

        Raises:
            ToolError: tmux is missing or too old, or does not start.
        """
        with self._starting:
            fresh = self._control is None
            if fresh:
                self._write_configuration()
            if self.pid() is None:
                require_tmux(self._env)
                self._start()
            elif fresh:
                self.connection().pipeline(COMMANDS)

    def pid(self) -> int | None:
        """Return the server's process, or None where no server is running."""
        if not self.socket.exists():
            return None  # without asking tmux, which may not even be installed
        try:
            [pid] = self.ask(lambda control: control.command("display-message", "-p", "#{pid}"))
        except TmuxGoneError:
            return None
        return int(pid)

    def stop(self) -> None:
        """End this server and everything in it, and return when it is gone; none is fine.

        Raises:
            ToolError: it does not answer, or is still there after 10 seconds.
        """
        if (pid := self.pid()) is not None:
            self._end(pid)
        self.disconnect()
        self.socket.unlink(missing_ok=True)

    def disconnect(self) -> None:
        """Give our connection back; the server and the agents in it live on."""
        with self._connecting:
            if self._control:
                self._control.close()
            self._control = None

    def attach_argv(self, session: str, *, back: str = "") -> list[str]:
        """Return the program that shows `session` in the terminal it is run in.

        `back` is what the status line says of the way out, from `settings.way_back`.
        """
        target = f"={session}:"
        return [
            *("env", "-u", "TMUX", "-u", "TMUX_PANE"),  # tmux refuses to nest, and this is no nest
            *("tmux", "-u", "-N", "-S", str(self.socket)),
            *("set-option", "-t", target, "@fleet_back", label(back), ";"),
            *("attach-session", "-t", target),
        ]

    def push(self, pane_id: str, session_id: str) -> Push:
        """Return a client that is told when something is drawn in a pane.

        Raises:
            ToolError: tmux cannot be started.
        """
        return Push.open(self.socket, pane_id, session_id, env=self._env)

    def connection(self) -> Control:
        """Return the control connection, made anew where the last one ended.

        Raises:
            TmuxGoneError: no server is running; `ensure` starts one.
        """
        with self._connecting:
            if self._control is None or self._control.closed:
                self._control = self._open("-N")  # -N: never start a server by looking for one
            return self._control

    def ask(self, question: Callable[[Control], T]) -> T:
        """Return what `question` learns, asked once more if only our connection was lost.

        What it says over the connection it is given, it says to one and the same server.

        Raises:
            TmuxGoneError: the server itself is gone.
        """
        try:
            return question(self.connection())
        except TmuxGoneError:
            return question(self.connection())

    def _start(self) -> None:
        for left in reversed(range(_STARTS)):
            try:
                with self._connecting:
                    self._control = self._open("-f", str(self._conf))
            except TmuxGoneError as error:
                if not left:
                    raise ToolError(
                        f"tmux does not start: {error.message}",
                        hint="fleet doctor looks at tmux",
                    ) from error
                time.sleep(0.05)  # nothing tells when the old server lets go of the socket
            else:
                return

    def _open(self, *flags: str) -> Control:
        # A client that takes pane output and falls behind would stop every agent (no-output),
        # and one with a size would resize them (ignore-size).
        return Control.open(
            [
                *("tmux", "-u", *flags, "-S", str(self.socket), "-C"),
                *("new-session", "-A", "-s", HUB, "-f", "no-output,ignore-size", "exec cat"),
            ],
            env=self._env,
        )

    def _end(self, pid: int) -> None:
        try:
            process = psutil.Process(pid)  # before it is told to end: afterwards the number is free
        except psutil.NoSuchProcess:
            return
        clients: list[psutil.Process] = []
        with contextlib.suppress(TmuxGoneError):  # one of its ways of answering
            clients = self._control_clients()
            self.connection().command("kill-server")
        if not _ends(process, _STUCK_S):
            # It waits for the client of one who was killed before he had read all of an answer.
            for client in clients:
                with contextlib.suppress(psutil.NoSuchProcess):
                    client.kill()
        if not _ends(process, _END_S):
            raise ToolError(f"the tmux server (process {pid}) does not end")

    def _control_clients(self) -> list[psutil.Process]:
        rows = self.connection().command(
            "list-clients", "-F", "#{client_control_mode} #{client_pid}"
        )
        found = []
        for row in rows:
            control, _, pid = row.partition(" ")
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [psutil.Process(int(pid))] if control == "1" else []
        return found

    def _write_configuration(self) -> None:
        new = self._conf.with_name(f"{self._conf.name}.{os.getpid()}.new")
        new.touch(mode=0o600)
        new.write_text("".join(line([command]) for command in COMMANDS))
        new.replace(self._conf)


def _ends(process: psutil.Process, seconds: float) -> bool:
    """Wait so long for the end of a process; to psutil, it lasts until init has collected it."""
    if not hasattr(os, "pidfd_open"):
        return not psutil.wait_procs([process], timeout=seconds)[1]
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return not process.is_running() or bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)


def require_tmux(env: Mapping[str, str]) -> None:
    """Return if a tmux that we can work with is in the PATH of `env`.

    Raises:
        ToolError: there is none, or it is too old; the hint is the command that installs it.
    """
    # Importing libtmux takes 100 ms, and only the start of a server needs it.
    from libtmux.common import get_version_str, has_minimum_version  # noqa: PLC0415

    found = shutil.which("tmux", path=env.get("PATH"))
    if found is None:
        raise ToolError("tmux is not installed", hint=_how_to_install(env))
    if not has_minimum_version(raises=False, tmux_bin=found):
        raise ToolError(
            f"{found} is version {get_version_str(found)}, and fleet needs 3.2a or newer",
            hint=_how_to_install(env),
        )


def _how_to_install(env: Mapping[str, str]) -> str:
    for manager, command in _INSTALL.items():
        if shutil.which(manager, path=env.get("PATH")):
            return f"type: {command}"
    return "install tmux 3.2a or newer with your system's package manager"
