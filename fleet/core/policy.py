"""What a person may decide beforehand; `fleet.config` reads these values from files."""

from typing import Literal

from msgspec import Struct

from fleet.core.assessment import Risk
from fleet.core.pulls import ForgeName, PullMode, Returns

Land = Literal["auto", "review"]
Done = Literal["turn", "exit", "manual"]
MergeMethod = Literal["merge", "squash", "rebase"]
Priority = Literal["urgent", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "urgent")  # from the last to the first
Level = Literal["prototype", "standard", "critical"]
PERSONS_NAME = r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,59}"

# Patterns as `core.globs` reads them.
TESTS = (
    "test/",
    "tests/",
    "spec/",
    "specs/",
    "__tests__/",
    "__snapshots__/",
    "test_*.py",
    "*_test.*",
    "*_spec.*",
    "*.test.*",
    "*.spec.*",
    "*Test.java",
    "*Tests.cs",
    "conftest.py",
)
PROSE = (".md", ".rst", ".txt", ".adoc")  # suffixes
GENERATED = (
    "*.lock",
    "*-lock.json",
    "*-lock.yaml",
    "bun.lockb",
    "go.sum",
    "npm-shrinkwrap.json",
    "*.min.js",
    "*.min.css",
    "*.map",
    "*_pb2.py",
    "*_pb2_grpc.py",
    "*.pb.go",
    "*.g.dart",
    "*.snap",
    "__generated__/",
    "node_modules/",
    "vendor/",
    "third_party/",
)


class Check(Struct, frozen=True):
    """A command that must exit with 0; it is run by `/bin/sh -c`.

    One whose output says that not a single test ran is red all the same, unless `allow_empty`.
    `proof` is whether it is also run with the tests of one side on the code of the other.
    """

    name: str
    run: str
    timeout_s: float = 1800.0
    allow_empty: bool = False
    proof: bool = True


class AgentCommand(Struct, frozen=True):
    """An agent that is any command, described in a configuration file.

    `command` and `resume` are argument vectors in which `{prompt}`, `{prompt_file}`, `{task}`,
    `{worktree}`, `{model}`, `{effort}` and `{conversation}` are replaced. An agent that
    `converses` reads further messages as lines typed into its pane; one that cannot queue them by
    itself is told them when its turn has ended. One that `reports` tells its terminal what it does
    (OSC 7501).
    """

    name: str
    command: tuple[str, ...]
    resume: tuple[str, ...] = ()
    converses: bool = False
    queues: bool = True
    done: Done | None = None
    attempts: int | None = None
    env: dict[str, str] = {}
    reports: bool = False


class AgentOptions(Struct, frozen=True):
    """How one kind of agent is started where a task says nothing else.

    `permission` is one of the agent's own modes; `allow` are tools that it uses without asking,
    written as the agent writes them.
    """

    name: str
    permission: str | None = None
    allow: tuple[str, ...] = ()
    model: str | None = None
    effort: str | None = None


class Limits(Struct, frozen=True):
    """Guardrails of one task; None means no limit. Times are in seconds."""

    attempts: int | None = None  # None: the adapter's own default
    retries: int = 2
    timeout_s: float | None = None
    silence_s: float | None = None
    budget_usd: float | None = None
    tokens: int | None = None
    lines: int | None = None


class Rule(Struct, frozen=True):
    """What a change asks for that touches any file which `paths` mean; a rule only asks for more.

    `risk` is the highest at which such a change lands without a person; `lines` and `files` are
    the largest size. A `strict` approval has to be given again once the target moved inside the
    files that it was for. What is `alone` is never checked or landed together with others.
    """

    name: str
    paths: tuple[str, ...]
    land: Land | None = None
    approvals: int | None = None  # by so many different people
    reviewers: tuple[str, ...] = ()  # whose approval counts; empty for everybody's
    lines: int | None = None
    files: int | None = None
    risk: Risk | None = None
    strict: bool = False
    alone: bool = False


class RepoPolicy(Struct, frozen=True):
    """Everything `fleet.yaml` may say of one repository, with the defaults."""

    target: str | None = None  # None: the branch checked out in the main working tree
    agent: str = "shell"
    checks: tuple[Check, ...] = ()
    agents: tuple[AgentCommand, ...] = ()
    agent_options: tuple[AgentOptions, ...] = ()
    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    setup_timeout_s: float = 600.0
    keep: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    ports: int = 10
    land: Land = "review"
    merge: MergeMethod = "merge"
    push: bool = False
    remote: str = "origin"
    pr: PullMode = "off"
    pr_returns: tuple[Returns, ...] = ("checks",)
    forge: ForgeName | None = None  # None: by the remote's address
    limits: Limits = Limits()
    park_s: float = 600.0
    level: Level | None = None  # whose values hold where the file says nothing else
    rules: tuple[Rule, ...] = ()
    tests: tuple[str, ...] = TESTS
    generated: tuple[str, ...] = GENERATED
    proofs: bool = True  # where there are checks
    batch: int = 8  # as many changes are checked together at most
    window: int | None = None  # as many changes are speculated on at most; None: as it goes well
    # Tools, dependencies and services change unseen by what evidence is keyed by, within weeks
    # rather than days; and whoever approved a month ago wants to be asked.
    evidence_s: float = 30 * 86400.0
    tell_conflicts: bool = False
    digest: str = ""  # SHA-256 of the file's bytes; empty where there is no file
    source: Literal["none", "target", "uncommitted", "unread"] = "none"

    @property
    def needs_trust(self) -> bool:
        """Whether the file would make us run something, hand out variables or rights, or push.

        Then none of it counts before a person has trusted it.
        """
        runs = self.checks or self.setup or self.agents
        return bool(runs or self.agent_options or self.env or self.push or self.pr != "off")


# What is in force for a branch whose file nobody could read yet: nobody knows what it asks for.
UNREAD = RepoPolicy(source="unread")


class FleetPolicy(Struct, frozen=True):
    """Everything the user's own configuration may say, with the defaults."""

    slots: int = 8
    workers: int | None = None  # gates that run at once; None: by the cores of this machine
    agent: str | None = None
    agents: tuple[AgentCommand, ...] = ()
    agent_options: tuple[AgentOptions, ...] = ()
    pool: int = 2  # clean workspaces kept ready for each repository in use
    disk_limit_gb: float = 20.0
    max_runs_per_hour: int = 600
    first_port: int = 20000
    notify: tuple[str, ...] = ("bell",)  # bell, desktop, or a command
    env: tuple[str, ...] = ()
    theme: str = "textual-dark"
    mouse: bool = True
    keys: dict[str, tuple[str, ...]] = {}
