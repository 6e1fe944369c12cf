"""What was found out about the world for one command, so that judging it stays pure."""

from datetime import datetime

from msgspec import Struct

from fleet.core.comments import Where
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.policy import Done, RepoPolicy

COST, TOKENS = "cost", "tokens"  # what an agent may tell of what it has used


class RepoFacts(Struct, frozen=True, kw_only=True):
    """A repository as found: where it is, its policy, and the target's tip."""

    id: RepoId
    root: str
    git_dir: str
    target: str
    tip: Commit
    policy: RepoPolicy


class AgentFacts(Struct, frozen=True):
    """What an adapter says of its agent.

    `account` is as `Task.account`; `usage` has which of cost and tokens it tells, None where
    nobody knows beforehand.
    """

    name: str
    converses: bool
    done: Done
    attempts: int
    account: str | None = None
    usage: frozenset[str] | None = None
    queues: bool = True


class SpawnFacts(Struct, frozen=True, kw_only=True):
    """What spawning needs to know.

    `base` is the commit named by `--base`, None where the branch is to start at the target;
    `branches` are the names after `fleet/` that git knows already, and `environment` is as
    `Task.environment`.
    """

    repo: RepoFacts
    agent: AgentFacts
    base: Commit | None
    branches: frozenset[str]
    environment: str = ""


class SubmitFacts(Struct, frozen=True, kw_only=True):
    """What submitting a branch needs to know; `head` is the branch's newest commit.

    `environment` is as `Task.environment`.
    """

    repo: RepoFacts
    branch: str
    head: Commit
    environment: str = ""


class RevertFacts(Struct, frozen=True, kw_only=True):
    """The branch that undoes what landed for `task`, on its target as that is now.

    `undone` is the commit by which it landed, and `message` what is to be said of that.
    """

    task: TaskId
    branch: str
    head: Commit
    tip: Commit
    undone: Commit
    message: str


class TrustFacts(Struct, frozen=True, kw_only=True):
    """The repository whose file is to be trusted, or whose queue is to move again."""

    repo: RepoFacts


class ChangeFacts(Struct, frozen=True, kw_only=True):
    """A change that is to be judged: what is in force for it, and the digest of what it changes."""

    task: TaskId
    sealed: Commit
    diff: str
    policy: RepoPolicy


class VerdictFacts(Struct, frozen=True):
    """What a person's verdict is about; tasks without a change are left out."""

    changes: tuple[ChangeFacts, ...] = ()


class LineFacts(Struct, frozen=True, kw_only=True):
    """A file as `revision` has it on one side: its blob, its number of lines, and one of them.

    `blob` is None where there is no such file; `lines` is None where it is no text.
    """

    revision: int
    blob: str | None = None
    lines: int | None = None
    quote: str = ""


class WhereFacts(Struct, frozen=True, kw_only=True):
    """Where commented lines are in `revision`, by the comments' ids."""

    revision: int
    places: dict[str, Where] = {}


class BlobFacts(Struct, frozen=True, kw_only=True):
    """The files that `revision` changes, each with its blob there."""

    revision: int
    blobs: dict[str, str] = {}


class CleanFacts(Struct, frozen=True, kw_only=True):
    """What time it is: what is old enough to be forgotten."""

    now: datetime


Facts = (
    SpawnFacts
    | SubmitFacts
    | RevertFacts
    | TrustFacts
    | CleanFacts
    | VerdictFacts
    | LineFacts
    | WhereFacts
    | BlobFacts
    | None
)
