"""The description of one kind of agent: adapters are pure, they describe and fleet acts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from fleet.core.commands import Verdict
from fleet.core.policy import Done
from fleet.core.rows import Ask

# Set by the place that a person started us in, they would send an agent's git commands to another
# repository, or have it take itself for a part of the agent that surrounds us.
SCRUB = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"),
    *("GIT_NAMESPACE", "GIT_PREFIX", "GIT_CEILING_DIRECTORIES", "AI_AGENT"),
    *("CLAUDECODE", "CLAUDE_PID", "CLAUDE_EFFORT", "CLAUDE_ENV_FILE", "CLAUDE_CODE_EXECPATH"),
    *("CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT"),
    *("CLAUDE_CODE_MESSAGING_SOCKET", "CLAUDE_CODE_MESSAGING_TOKEN"),
    *("CLAUDE_CODE_CHILD_NOTES_DIR", "CLAUDE_CODE_SESSION_ATTENDED"),
)


class Request(Struct, frozen=True, kw_only=True):
    """A run that is to be started; `worktree`, `run_dir`, `home` and `notes` are absolute paths.

    `conversation` is the one to take up again, None for a fresh context; `messages` are words
    for the agent that it has not been told; `notes` is the file that earlier attempts left.
    """

    task: str
    prompt: str
    worktree: str
    run_dir: str
    home: str
    notes: str
    model: str | None = None
    effort: str | None = None
    conversation: str | None = None
    attempt: int = 1
    messages: tuple[str, ...] = ()
    fresh: str = ""  # a new UUID, by which a new conversation may be called
    repo: str = ""  # the repository's main working tree
    version: str | None = None  # what the program says of its version, in digits and dots
    permission: str | None = None  # the agent's permission mode, as the policy names it
    allow: tuple[str, ...] = ()  # tools that need no permission, as the policy names them
    environment: dict[str, str] = {}  # what the agent will find
    config: dict[str, str | None] = {}  # the texts of `config_files`, None where there is none
    consents: frozenset[str] = frozenset()  # what a person agreed to have answered beforehand


class Seed(Struct, frozen=True):
    """A file of the user's that is to say more before an agent starts, with a person's consent.

    It is replaced whole, and only if it still holds what the adapter was shown.
    """

    path: str
    text: str


class Launch(Struct, frozen=True):
    """How a run is started: in its worktree, with `files` written before, readable by us alone.

    `argv` is never read by a shell; `env` is added to the task's environment, of which `unset`
    is removed first; the names of `files` are relative to the run's directory.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    unset: tuple[str, ...] = ()
    files: dict[str, str] = {}
    seeds: tuple[Seed, ...] = ()


class SaysWorking(Struct, frozen=True, tag="working"):
    """It has begun, or goes on."""


class SaysWaiting(Struct, frozen=True, tag="waiting"):
    """It stands still until a person does something, or until `until` (UTC)."""

    need: str
    kind: str = "question"
    until: datetime | None = None
    ask: Ask | None = None  # without its id, which whoever heard the hook knows
    hides: bool = False  # its own dialog, until the hook that asks has decided nothing


class SaysHeard(Struct, frozen=True, tag="heard"):
    """It was given these words, and works on them."""

    text: str


class SaysDoing(Struct, frozen=True, tag="doing"):
    """What it does now, in one line: a vital, never recorded."""

    text: str


class SaysFailed(Struct, frozen=True, tag="failed"):
    """Its turn broke off, and goes on when it is told to, after `until` where that is known."""

    reason: str
    kind: str = "error"  # error, overloaded, rate-limit, login, budget, context
    until: datetime | None = None
    retrying: bool = False  # it makes its request again by itself: soon, or after a long wait


class SaysIdle(Struct, frozen=True, tag="idle"):
    """Its turn has ended; `background` where something of it still runs.

    With `broken_off` it rests, and its work is not done: it was interrupted, or was given none.
    """

    background: bool = False
    broken_off: bool = False


class SaysUsage(Struct, frozen=True, tag="usage"):
    """What this run has used so far, where it knows.

    An agent that counts from nothing again within one run names each `meter` that it reads: the
    run has used the sum of them.
    """

    cost_usd: float | None = None
    tokens: int | None = None
    context: float | None = None  # share of the context window in use, from 0 to 1
    meter: str = ""


class SaysConversation(Struct, frozen=True, tag="conversation"):
    """The name by which this conversation can be taken up again: safe as an argument."""

    id: str


class SaysDone(Struct, frozen=True, tag="done"):
    """Its work is to be taken as it stands."""


class BadHook(Struct, frozen=True, tag="bad"):
    """A hook told something that cannot be understood, which `reason` names."""

    reason: str


Signal = (
    SaysWorking
    | SaysHeard
    | SaysDoing
    | SaysWaiting
    | SaysFailed
    | SaysIdle
    | SaysUsage
    | SaysConversation
    | SaysDone
    | BadHook
)


class Presence(Struct, frozen=True):
    """What a presence file says: a signal, and since when."""

    signal: Signal
    at: datetime


@runtime_checkable
class AgentAdapter(Protocol):
    """One kind of coding agent, as `fleet.agents` entry points provide it.

    `converses`: a live agent can be told more in the same context, by lines typed into its pane.
    `queues`: what it is told while it works it takes up later by itself. `repeats`: it reports
    each prompt that it was given, in the same words. `enter_after_s`: Enter is not taken earlier
    after a text. `clear_line`: the bytes that empty its input line, or a row of that.
    `done`: when its runs end unless the task says otherwise; None where `default_done` may judge.
    `attempts`: how many fresh contexts a task gets by default. `scrub`: environment variables
    that must not reach it. `reports`: it tells its terminal what it does (OSC 7501), so that it
    is given one which hears that. `accounts`: the variables of its environment that tell one
    account from another; without any all of its agents share one, None: they share nothing.
    `usage`: which of COST and TOKENS (of `fleet.core.facts`) it tells; None: nobody knows.
    """

    name: str
    converses: bool
    done: Done | None
    attempts: int
    scrub: tuple[str, ...]
    accounts: tuple[str, ...] | None
    usage: frozenset[str] | None
    reports: bool
    queues: bool
    repeats: bool
    enter_after_s: float
    clear_line: bytes

    def launch(self, request: Request) -> Launch:
        """Return how to start the run, whatever the texts in `request` hold."""
        ...

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what a hook told, oldest first; never raises, whatever the payload."""
        ...

    def program(self) -> str | None:
        """Return the executable that must be on the agent's PATH; None where none can be named."""
        ...

    def version_argv(self) -> tuple[str, ...] | None:
        """Return what prints the version of its program; None where nothing depends on it."""
        ...

    def config_files(self, request: Request) -> tuple[str, ...]:
        """Return the user's files whose texts `launch` wants to see in `request.config`."""
        ...

    def presence_file(self, environment: Mapping[str, str], pid: int) -> str | None:
        """Return the file in which the agent's process `pid` says what it does, if it has one."""
        ...

    def read_presence(self, content: bytes, *, pid_start: int) -> Presence | None:
        """Return what that file says; None where it is another process's or not understood."""
        ...

    def read_title(self, title: str) -> tuple[Signal, ...]:
        """Return what the title of its pane tells; nothing where it is not one of its own."""
        ...

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        """Return what a screen shows at its bottom that no hook tells; most often nothing."""
        ...

    def input_line(self, screen: str) -> str | None:
        """Return what stands in its input line, on a screen with colours; None: it is not known."""
        ...

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        """Return what a hook that asked with `payload` is to print; None where it cannot be."""
        ...


class Silent:
    """What an adapter is without: version, presence file, title, screen, questions, habits."""

    accounts: tuple[str, ...] | None = ()
    usage: frozenset[str] | None = None
    reports: bool = False
    queues: bool = True
    repeats: bool = False
    enter_after_s: float = 0.0
    clear_line: bytes = b""

    def version_argv(self) -> tuple[str, ...] | None:
        return None

    def config_files(self, request: Request) -> tuple[str, ...]:
        return ()

    def presence_file(self, environment: Mapping[str, str], pid: int) -> str | None:
        return None

    def read_presence(self, content: bytes, *, pid_start: int) -> Presence | None:
        return None

    def read_title(self, title: str) -> tuple[Signal, ...]:
        return ()

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        return ()

    def input_line(self, screen: str) -> str | None:
        return None

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        return None


def overrides(adapter: AgentAdapter, method: str) -> bool:
    """Return whether an adapter says more than `Silent` does."""
    return getattr(type(adapter), method, None) is not getattr(Silent, method)
