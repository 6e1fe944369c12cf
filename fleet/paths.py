"""Where everything lies: the one module that knows file names and reads $FLEET_HOME and XDG."""

import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from fleet.errors import HomeError

# What `tempfile` would answer, which takes 2 ms to import; a private directory is made in it.
_TMP = "/tmp"  # noqa: S108 (see above)
PACKAGE = Path(__file__).resolve().parent
HOOK = PACKAGE / "fleet-hook"
# What Python is given to be `fleet-pane RUNDIR`: a module, which is compiled only once, and an end
# without tidying up.
_PANE = (
    f"import posix, sys; sys.path.append({str(PACKAGE.parent)!r}); "
    "from fleet.pane.main import main; posix._exit(main(sys.argv[1]))"
)
PANE = ("-I", "-S", "-c", _PANE)


class RunDir(Struct, frozen=True):
    """The files by which the supervisor and `fleet-pane` speak about one run."""

    root: Path

    @property
    def launch(self) -> Path:
        return self.root / "launch.json"  # written by the supervisor, 0600: argv, cwd, env, token

    @property
    def started(self) -> Path:
        return self.root / "started.json"  # written by fleet-pane: pid, start time, agent's pid

    @property
    def exit(self) -> Path:
        return self.root / "exit.json"  # written by fleet-pane last, when no descendant is left

    @property
    def alive(self) -> Path:
        return self.root / "alive"  # kept open by fleet-pane and inherited by its descendants

    @property
    def prompt(self) -> Path:
        return self.root / "prompt.txt"

    @property
    def screen(self) -> Path:
        return self.root / "screen.log"  # the pane's last words, kept when the pane goes

    @property
    def asks(self) -> Path:
        return self.root / "asks"  # what open questions of the agent's came with, by their ids


class Home(Struct, frozen=True):
    """A fleet home and the names of all that lies in it."""

    root: Path

    @property
    def identity(self) -> Path:
        return self.root / "home.json"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.db"

    @property
    def supervisor_lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.root / "keeper.lock"

    @property
    def boot(self) -> Path:
        return self.root / "boot.json"  # since which start of the machine a supervisor was here

    @property
    def down(self) -> Path:
        return self.root / "down"  # the wish to stay down, written before the supervisor ends

    @property
    def log(self) -> Path:
        return self.root / "supervisor.log"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"  # held by the one client that starts a keeper

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def asks(self) -> Path:
        return self.root / "asks"  # a pipe for each hook that waits for an answer

    @property
    def hook(self) -> Path:
        return self.root / "bin" / "fleet-hook"

    @property
    def command(self) -> Path:
        return self.root / "bin" / "fleet"  # for agents, wherever fleet itself is installed

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    def task(self, task: str) -> Path:
        return self.root / "tasks" / task

    def environment(self, task: str) -> Path:
        return self.task(task) / "environment.json"

    def notes(self, task: str) -> Path:
        return self.task(task) / "notes.md"

    def check_log(self, task: str, name: str) -> Path:
        return self.task(task) / "checks" / f"{name}.log"

    def run(self, task: str, attempt: int) -> RunDir:
        return RunDir(self.task(task) / "runs" / str(attempt))

    def slot(self, repo: str, number: int) -> Path:
        return self.root / "w" / repo / f"{number:03}"

    def gate(self, repo: str, name: str) -> Path:
        return self.root / "gate" / repo / name

    def worktree_lock(self, repo: str) -> Path:
        return self.root / "locks" / f"{repo}.lock"

    def landing(self, task: str) -> Path:
        return self.root / "landing" / f"{task}.json"

    def socket(self) -> Path:
        """The supervisor's socket; its name is short however deep the home lies."""
        return runtime_directory() / f"{self._digest}.sock"

    def tmux_socket(self) -> Path:
        """The private tmux server's socket."""
        return runtime_directory() / f"{self._digest}.tmux"

    @property
    def _digest(self) -> str:
        # 64 bits tell a user's own homes apart; hashlib, for more, takes 3 ms to import.
        path = os.fsencode(self.root.resolve())
        return f"{zlib.crc32(path):08x}{zlib.crc32(path[::-1]):08x}"


def home(environ: Mapping[str, str] | None = None) -> Home:
    """Return the fleet home that `environ` (else this process's environment) asks for."""
    env = os.environ if environ is None else environ
    if given := env.get("FLEET_HOME"):
        return Home(Path(given).expanduser().absolute())
    state = env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Home(Path(state) / "fleet")


def user_config(environ: Mapping[str, str] | None = None) -> Path:
    """Return the path of the user's own configuration file, which need not exist."""
    env = os.environ if environ is None else environ
    base = env.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "fleet" / "config.yaml"


def runtime_directory() -> Path:
    """Return the private directory for sockets, made with mode 0700 when it is missing.

    Raises:
        HomeError: the directory is not ours, or others may enter it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.access(base, os.W_OK):
        directory = Path(base) / "fleet"
    else:
        directory = Path(os.environ.get("TMPDIR") or _TMP) / f"fleet-{os.getuid()}"
    return private_directory(directory)


def private_directory(directory: Path) -> Path:
    """Make `directory` (mode 0700) where it is missing, and return it once it is surely ours.

    Raises:
        HomeError: it cannot be made, is a link, belongs to another user, or is open to others.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
    except OSError as error:
        raise HomeError(
            f"cannot make the directory {directory}: {error.strerror}",
            hint="set FLEET_HOME (and XDG_RUNTIME_DIR) to a directory that you can write",
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise HomeError(f"{directory} belongs to someone else", hint=f"remove {directory}")
    if status.st_mode & 0o077:
        raise HomeError(f"{directory} is open to other users", hint=f"type: chmod 700 {directory}")
    return directory
