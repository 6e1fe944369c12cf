"""All that lives below one process of the pane: who it is, and how it is made to end."""

import _signal as signal  # type: ignore[import-not-found] # typeshed has no name for it
import posix as os
import time

from fleet.pane.plain import exists, may_fail

TYPE_CHECKING = False  # importing it takes 4 ms
if TYPE_CHECKING:
    from fleet.pane.terminal import Terminal

LEAST_GRACE_S = 1.0  # for what is left once the agent ended late in its own, or was killed
_RETRY_S = 0.1  # between two rounds of SIGKILL
_NEVER = float("inf")
_END = (signal.SIGTERM, signal.SIGHUP)
_FORWARD = (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
_AWAITED = {*_END, *_FORWARD, signal.SIGCHLD, signal.SIGALRM}
_TERMINAL_STOPS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
BLOCKED = _AWAITED | _TERMINAL_STOPS  # so that none of them stops or ends us


class Tree:
    """Everything below this process; `child` is the one whose end ends all.

    `code` is how it ended (-9: by signal 9), `swept` who outlived it. The keeper's child is the
    agent, which leads a group and has `grace_s` to obey; the guard's is the keeper, at no limit.
    `terminal` is the agent's where that is not the pane's own.
    """

    def __init__(
        self, child: int, *, grace_s: float, is_agent: bool, terminal: "Terminal | None" = None
    ) -> None:
        self.code: int | None = None
        self.swept: set[tuple[int, int]] = set()
        self._child = child
        self._grace_s = grace_s
        self._is_agent = is_agent
        self._terminal = terminal
        self._kill_at = _NEVER

    def outlive(self) -> None:
        """Return when no descendant is left: the kernel says so, for we are their subreaper."""
        while self._reap():
            signum = _wait(self._press())
            if signum == signal.SIGWINCH and self._terminal:
                self._terminal.resize()
            elif signum in _END or signum in _FORWARD:
                self._forward(signum)
            if signum in _END:
                self._forward(signal.SIGCONT)  # one that is stopped could not obey
                self._limit(at_least=0.0)

    def _reap(self) -> bool:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._child:
                self._note(status)

    def _note(self, status: int) -> None:
        if not os.WIFSTOPPED(status):
            self.code = os.waitstatus_to_exitcode(status)
            self._limit(at_least=LEAST_GRACE_S)
        elif os.WSTOPSIG(status) in _TERMINAL_STOPS:
            # No shell is here to continue what Ctrl-Z stopped.
            give_terminal(self._child, self._terminal.agents if self._terminal else 0)
            self._forward(signal.SIGCONT)

    def _limit(self, *, at_least: float) -> None:
        """Count the grace from the first reason to end, and leave `at_least` so much of it."""
        if self._is_agent or self.code is not None:
            now = time.monotonic()
            self._kill_at = min(self._kill_at, now + self._grace_s)
            self._kill_at = max(self._kill_at, now + min(at_least, self._grace_s))

    def _forward(self, signum: int) -> None:
        if self.code is not None:
            return  # its number, once reaped, may be anyone's
        with may_fail:  # gone, or another user's by now: then we wait for it
            (os.killpg if self._is_agent else os.kill)(self._child, signum)

    def _press(self) -> float | None:
        """Signal what has to end by now; return the seconds until this must be done again."""
        if self._kill_at == _NEVER:
            return None
        late = time.monotonic() >= self._kill_at
        if late:
            self._forward(signal.SIGKILL)
        for process in _descendants() if late or self.code is not None else ():
            if late:
                _signal(process, signal.SIGKILL)
            elif process not in self.swept:
                _signal(process, signal.SIGTERM, signal.SIGCONT)
            if self.code is not None:
                self.swept.add(process)
        return _RETRY_S if late else self._kill_at - time.monotonic()


def give_terminal(group: int, terminal: int = 0) -> None:
    with may_fail:  # the pane has no terminal, or has lost it
        os.tcsetpgrp(terminal, group)


def _wait(seconds: float | None) -> int:
    """Return the next signal, SIGALRM after `seconds`."""
    if seconds is not None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    signum: int = signal.sigwait(_AWAITED)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return signum


def stat(pid: int | str) -> tuple[int, int, bytes]:
    """Return (parent, start time, state) of a process, dead if there is none."""
    with may_fail, open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 (see `plain`)
        fields = file.read().rpartition(b")")[2].split()
        return int(fields[1]), int(fields[19]), fields[0]
    return 0, 0, b"X"


def _descendants() -> list[tuple[int, int]]:
    """Return (pid, start time) of each living descendant, parents first."""
    children: dict[int, list[tuple[int, int]]] = {}
    for name in filter(str.isdigit, os.listdir("/proc") if exists("/proc/self") else ()):
        parent, start, state = stat(name)
        if state not in b"ZX":
            children.setdefault(parent, []).append((int(name), start))
    found = list(children.get(os.getpid(), []))
    for pid, _ in found:  # which grows on the way
        found += children.get(pid, [])
    return found


def _signal(process: tuple[int, int], *signals: int) -> None:
    """Signal the process that has this number and start time, and no other."""
    pid, start = process
    with may_fail:
        handle = os.pidfd_open(pid)
        for signum in signals if stat(pid)[1] == start else ():
            with may_fail:
                signal.pidfd_send_signal(handle, signum)
        os.close(handle)
