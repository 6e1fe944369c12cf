"""The pane's own process (`fleet-pane`) starts one agent and outlives all that the agent starts.

Two processes stand above the agent, both subreapers: the guard, which tmux sees, and its child,
the keeper, which starts the agent. So a descendant cannot escape them, whether by setsid, a double
fork or an empty environment; and if one of the two is killed, the other ends what is left.
An agent that reports gets a terminal of its own, which the keeper leads and joins to the pane's.
It runs before every agent, and imports only what is quick.
"""
# ruff: noqa: PTH123 (pathlib is not quick)

import _signal as signal  # type: ignore[import-not-found] # `signal` takes 6 ms: it has enums
import fcntl
import posix as os
import time

from fleet.pane.plain import decode, encode, exists, may_fail, prctl, run_program
from fleet.pane.tree import BLOCKED, LEAST_GRACE_S, Tree, give_terminal, stat

TYPE_CHECKING = False  # importing it takes 4 ms
if TYPE_CHECKING:
    from fleet.pane.terminal import Terminal

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_CANNOT_START = 127  # as a shell says it
_MOST_GRACE_S = 3600.0


class RefusedError(Exception):
    """The run cannot be started, and the message says why."""


class Launch:
    """What launch.json asks for, checked; strings that are not UTF-8 keep their bytes."""

    def __init__(self, text: bytes) -> None:
        try:
            asked = decode(text.decode("utf-8", "surrogatepass"))
            self.argv = [_raw(word) for word in asked["argv"]]
            self.env = {_raw(name): _raw(value) for name, value in asked["env"].items()}
            self.env[b"FLEET_RUN"] = _raw(asked["token"])
            if terminal := os.environ.get(b"TERM"):  # which kind it is knows who has opened it
                self.env.setdefault(b"TERM", terminal)
            self.cwd = _raw(asked["cwd"])
            self.grace_s = min(max(0.0, float(asked["grace_s"])), _MOST_GRACE_S)
            self.title = "".join(filter(str.isprintable, asked.get("title", "")))
            self.reports = asked.get("reports") is True
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RefusedError(f"launch.json is not understood: {error!r}") from error
        if not self.argv or isinstance(asked["argv"], str):
            raise RefusedError("launch.json is not understood: argv is no list of words")
        if not exists(self.cwd + b"/"):
            raise RefusedError(f"the directory {asked['cwd']} does not exist")


def _words(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL byte")
    return text.encode("utf-8", "surrogateescape")


def _say(text: str) -> None:
    """Show a line on the pane, unless the terminal is gone or stopped: nothing may hang on it."""
    with may_fail:
        os.set_blocking(1, False)
        os.write(1, f"\r\nfleet: {text}\r\n".encode("utf-8", "backslashreplace"))


def _publish(path: str, **what: object) -> None:
    """Write `path` whole or not at all; FileExistsError says that it was there before."""
    draft = f"{path}.{os.getpid()}"
    try:
        with open(draft, "w", encoding="utf-8") as file:
            file.write(encode(what))
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


def _own_terminal(launch: Launch) -> "Terminal | None":
    """Return a terminal that hears the agent's status reports, where that is asked for."""
    home = launch.env.get(b"FLEET_HOME")
    if not launch.reports or not home:
        return None
    from fleet.pane.terminal import opened  # noqa: PLC0415 (it takes 2 ms, and is seldom needed)
    from fleet.pane.told import Told  # noqa: PLC0415 (as above)

    return opened(Told(home, launch.env[b"FLEET_RUN"]))


def _become_agent(
    launch: Launch, terminal: "Terminal | None", *, keeper: int, go: int, failed: int
) -> None:
    """Turn this process, just forked, into the agent as soon as `go` has a byte."""
    try:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if terminal:
            terminal.enter()
        os.setpgid(0, 0)
        give_terminal(os.getpid())
        for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(signum, signal.SIG_DFL)  # some are ignored, here or under nohup
        if os.read(go, 1) and os.getppid() == keeper:
            os.chdir(launch.cwd)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            run_program(launch.argv, launch.env)
    except (OSError, ValueError) as error:
        os.write(failed, str(getattr(error, "strerror", error)).encode())
    finally:
        os._exit(_CANNOT_START)  # noqa: SLF001 (as in `os`)


def _start(rundir: str, launch: Launch, terminal: "Terminal | None", *, guard: int) -> int:
    """Return the agent's pid; started.json is there before its first instruction runs."""
    wait, go = os.pipe()
    failure, failed = os.pipe()
    if launch.title:
        os.write(1, f"\x1b]2;{launch.title}\x07".encode("utf-8", "replace"))
    keeper, agent = os.getpid(), os.fork()
    if agent == 0:
        os.close(go)
        _become_agent(launch, terminal, keeper=keeper, go=wait, failed=failed)
    os.close(failed)
    who = {"pid": guard, "start": stat(guard)[1], "agent": agent, "agent_start": stat(agent)[1]}
    _publish(f"{rundir}/started.json", **who, at=time.time())
    os.write(go, b"!")
    os.close(go)
    if reason := os.read(failure, 1000):  # nothing, once the agent's program has taken over
        raise RefusedError(f"cannot start {_words(launch.argv[0])}: {_words(reason)}")
    return agent


def _give_up(rundir: str, terminal: "Terminal | None", error: Exception) -> int:
    if terminal:
        terminal.finish()
    if isinstance(error, FileExistsError):
        _say("this run was started before; it never starts twice")
    else:
        _finish(rundir, code=None, error=str(error))
    return _CANNOT_START


def _keep(rundir: str, *, guard: int) -> int:
    """Start the agent, outlive all of its descendants, and return the code to exit with."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != guard:  # which died before that could be noticed
        return _CANNOT_START
    terminal = None
    try:
        alive = os.open(f"{rundir}/alive", os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(alive, True)  # noqa: FBT003 (the function's name says what it means)
        fcntl.flock(alive, fcntl.LOCK_SH)
        with open(f"{rundir}/launch.json", "rb") as file:  # once `alive` shows that we are here
            launch = Launch(file.read())
        terminal = _own_terminal(launch)
        agent = _start(rundir, launch, terminal, guard=guard)
    except (OSError, RefusedError) as error:
        return _give_up(rundir, terminal, error)
    if terminal:
        terminal.start()
    tree = Tree(agent, grace_s=launch.grace_s, is_agent=True, terminal=terminal)
    tree.outlive()
    if terminal:
        terminal.finish()
    return _finish(rundir, code=tree.code, swept=len(tree.swept))


def main(rundir: str) -> int:
    """Guard the keeper, finish its work if it is killed, and return the code to exit with."""
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    guard, keeper = os.getpid(), os.fork()
    if keeper == 0:
        return _keep(rundir, guard=guard)
    tree = Tree(keeper, grace_s=LEAST_GRACE_S, is_agent=False)
    tree.outlive()
    if tree.code != _CANNOT_START and not exists(f"{rundir}/exit.json"):
        return _finish(rundir, code=tree.code, swept=len(tree.swept), error="fleet-pane was killed")
    return tree.code or 0
