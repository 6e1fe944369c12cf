"""The pane's own process (`fleet-pane`) starts one agent and outlives all that the agent starts.

Two processes stand above the agent, both subreapers: the guard, which tmux sees, and its child,
the keeper, which starts the agent. So a descendant cannot escape them, whether by setsid, a double
fork or an empty environment; and if one of the two is killed, the other ends what is left.
It runs as `python -I -S pane.py RUNDIR` before every agent, and imports only what is quick.
"""
# pathlib takes longer to import than the rest of this program:
# ruff: noqa: PTH108, PTH110, PTH112, PTH123, PTH208

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_CANNOT_START = 127  # as a shell says it
_MOST_GRACE_S = 3600.0
_LEAST_GRACE_S = 1.0  # for what is left once the agent ended late in its own, or was killed
_RETRY_S = 0.1  # between two rounds of SIGKILL
_NEVER = float("inf")
_END = (signal.SIGTERM, signal.SIGHUP)
_FORWARD = (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
_AWAITED = {*_END, *_FORWARD, signal.SIGCHLD, signal.SIGALRM}
_TERMINAL_STOPS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


class RefusedError(Exception):
    """The run cannot be started, and the message says why."""


class Launch:
    """What launch.json asks for, checked; strings that are not UTF-8 keep their bytes."""

    def __init__(self, text: bytes) -> None:
        try:
            asked = json.loads(text)
            self.argv = [_raw(word) for word in asked["argv"]]
            self.env = {_raw(name): _raw(value) for name, value in asked["env"].items()}
            self.env[b"FLEET_RUN"] = _raw(asked["token"])
            self.cwd = _raw(asked["cwd"])
            self.grace_s = min(max(0.0, float(asked["grace_s"])), _MOST_GRACE_S)
            self.title = "".join(filter(str.isprintable, asked.get("title", "")))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RefusedError(f"launch.json is not understood: {error!r}") from error
        if not self.argv or isinstance(asked["argv"], str):
            raise RefusedError("launch.json is not understood: argv is no list of words")
        if not os.path.isdir(self.cwd):
            raise RefusedError(f"the directory {asked['cwd']} does not exist")


class Tree:
    """Everything below this process; `child` is the one whose end ends all.

    `code` is how it ended (-9: by signal 9), `swept` who outlived it. The keeper's child is the
    agent, which leads a group and has `grace_s` to obey; the guard's is the keeper, at no limit.
    """

    def __init__(self, child: int, *, grace_s: float, is_agent: bool) -> None:
        self.code: int | None = None
        self.swept: set[tuple[int, int]] = set()
        self._child = child
        self._grace_s = grace_s
        self._is_agent = is_agent
        self._kill_at = _NEVER

    def outlive(self) -> None:
        """Return when no descendant is left: the kernel says so, for we are their subreaper."""
        while self._reap():
            signum = _wait(self._press())
            if signum in _END or signum in _FORWARD:
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
            self._limit(at_least=_LEAST_GRACE_S)
        elif os.WSTOPSIG(status) in _TERMINAL_STOPS:
            _give_terminal(self._child)  # no shell is here to continue what Ctrl-Z stopped
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
        with contextlib.suppress(OSError):  # gone, or another user's by now: then we wait for it
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


def _raw(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL byte")
    return text.encode("utf-8", "surrogateescape")


def _wait(seconds: float | None) -> int:
    """Return the next signal, SIGALRM after `seconds`."""
    if seconds is not None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    signum = signal.sigwait(_AWAITED)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return signum


def _stat(pid: int | str) -> tuple[int, int, bytes]:
    """Return (parent, start time, state) of a process, dead if there is none."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
        return int(fields[1]), int(fields[19]), fields[0]
    return 0, 0, b"X"


def _descendants() -> list[tuple[int, int]]:
    """Return (pid, start time) of each living descendant, parents first."""
    children: dict[int, list[tuple[int, int]]] = {}
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc/self") else ()):
        parent, start, state = _stat(name)
        if state not in b"ZX":
            children.setdefault(parent, []).append((int(name), start))
    found = list(children.get(os.getpid(), []))
    for pid, _ in found:  # which grows on the way
        found += children.get(pid, [])
    return found


def _signal(process: tuple[int, int], *signals: int) -> None:
    """Signal the process that has this number and start time, and no other."""
    pid, start = process
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(pid)
        for signum in signals if _stat(pid)[1] == start else ():
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(handle, signum)
        os.close(handle)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _give_terminal(group: int) -> None:
    with contextlib.suppress(OSError):  # the pane has no terminal, or has lost it
        os.tcsetpgrp(0, group)


def _say(text: str) -> None:
    """Show a line on the pane, unless the terminal is gone or stopped: nothing may hang on it."""
    with contextlib.suppress(OSError):
        os.set_blocking(1, False)
        os.write(1, f"\r\nfleet: {text}\r\n".encode("utf-8", "backslashreplace"))


def _publish(path: str, **what: object) -> None:
    """Write `path` whole or not at all; FileExistsError says that it was there before."""
    draft = f"{path}.{os.getpid()}"
    try:
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(what, file)
        os.link(draft, path)
    finally:
        os.unlink(draft)


def _finish(rundir: str, *, code: int | None, swept: int = 0, error: str = "") -> int:
    """Write exit.json, show the end on the pane, and return the code to exit with."""
    signum = -code if code is not None and code < 0 else None
    end = {"code": None if signum else code, "signal": signum, "left": 0, "swept": swept}
    why = {"error": error} if error else {}
    try:
        _publish(f"{rundir}/exit.json", **end, **why, at=time.time())
    except OSError as failure:
        _say(f"cannot write {rundir}/exit.json: {failure.strerror}")
    _say(error or (f"ended by signal {signum}" if signum else f"ended with exit code {code}"))
    return 128 + signum if signum else code or 0


def _become_agent(launch: Launch, *, keeper: int, go: int, failed: int) -> None:
    """Turn this process, just forked, into the agent as soon as `go` has a byte."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setpgid(0, 0)
        _give_terminal(os.getpid())
        for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(signum, signal.SIG_DFL)  # some are ignored, here or under nohup
        if os.read(go, 1) and os.getppid() == keeper:
            os.chdir(launch.cwd)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.execvpe(launch.argv[0], launch.argv, launch.env)  # noqa: S606 - that is its purpose
    except (OSError, ValueError) as error:
        os.write(failed, str(getattr(error, "strerror", error)).encode())
    finally:
        os._exit(_CANNOT_START)


def _start(rundir: str, launch: Launch, *, guard: int) -> int:
    """Return the agent's pid; started.json is there before its first instruction runs."""
    wait, go = os.pipe()
    failure, failed = os.pipe()
    if launch.title:
        os.write(1, f"\x1b]2;{launch.title}\x07".encode("utf-8", "replace"))
    keeper, agent = os.getpid(), os.fork()
    if agent == 0:
        os.close(go)
        _become_agent(launch, keeper=keeper, go=wait, failed=failed)
    os.close(failed)
    who = {"pid": guard, "start": _stat(guard)[1], "agent": agent, "agent_start": _stat(agent)[1]}
    _publish(f"{rundir}/started.json", **who, at=time.time())
    os.write(go, b"!")
    os.close(go)
    if reason := os.read(failure, 1000):  # nothing, once the agent's program has taken over
        raise RefusedError(f"cannot start {os.fsdecode(launch.argv[0])}: {os.fsdecode(reason)}")
    return agent


def _keep(rundir: str, *, guard: int) -> int:
    """Start the agent, outlive all of its descendants, and return the code to exit with."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != guard:  # which died before that could be noticed
        return _CANNOT_START
    try:
        alive = os.open(f"{rundir}/alive", os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(alive, True)  # noqa: FBT003 - the function's name says what it means
        fcntl.flock(alive, fcntl.LOCK_SH)
        with open(f"{rundir}/launch.json", "rb") as file:  # once `alive` shows that we are here
            launch = Launch(file.read())
        agent = _start(rundir, launch, guard=guard)
    except FileExistsError:
        _say("this run was started before; it never starts twice")
        return _CANNOT_START
    except (OSError, RefusedError) as error:
        _finish(rundir, code=None, error=str(error))
        return _CANNOT_START
    tree = Tree(agent, grace_s=launch.grace_s, is_agent=True)
    tree.outlive()
    return _finish(rundir, code=tree.code, swept=len(tree.swept))


def main(rundir: str) -> int:
    """Guard the keeper, finish its work if it is killed, and return the code to exit with."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED | _TERMINAL_STOPS)  # none may stop or end us
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    guard, keeper = os.getpid(), os.fork()
    if keeper == 0:
        return _keep(rundir, guard=guard)
    tree = Tree(keeper, grace_s=_LEAST_GRACE_S, is_agent=False)
    tree.outlive()
    if tree.code != _CANNOT_START and not os.path.exists(f"{rundir}/exit.json"):
        return _finish(rundir, code=tree.code, swept=len(tree.swept), error="fleet-pane was killed")
    return tree.code or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
