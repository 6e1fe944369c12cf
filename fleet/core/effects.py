"""What is to be done to the world; each is idempotent, and named after what it serves.

Effects of one lane never overlap. Each ends in at least one event, after which `plan` no longer
asks for it.
"""

from datetime import datetime

from msgspec import Struct

from fleet.core.change import Member
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.line import Car
from fleet.core.policy import MergeMethod
from fleet.core.proof import Kind


class Effect(Struct, frozen=True, tag=True):
    """Something to do; `lane` is what it must have to itself."""

    @property
    def lane(self) -> str:
        raise NotImplementedError

    @property
    def work(self) -> object:
        """What is done: while that stays the same, what is under way goes on."""
        return self


class OnTask(Effect, frozen=True):
    """Something to do for one task, one thing at a time."""

    task: TaskId

    @property
    def lane(self) -> str:
        return f"task:{self.task}"


class StartRun(OnTask, frozen=True):
    """Fence what ran before, prepare the workspace, start the agent in its pane."""

    attempt: int


class EndRun(OnTask, frozen=True):
    """End every process of the run, keep its last words, close the pane."""

    attempt: int


class Tell(OnTask, frozen=True):
    """Give the live agent a message."""

    attempt: int
    message: int


class PassAnswer(OnTask, frozen=True):
    """Give the live agent a person's answer to what it asks."""

    attempt: int
    ask: str


class Seal(OnTask, frozen=True):
    """Pin the state of the workspace as a revision."""

    revision: int


class RunChecks(OnTask, frozen=True):
    """Run the acceptance checks in the workspace."""

    revision: int


class LookAgain(OnTask, frozen=True):
    """See whether the target moved up to `onto` inside the files that were approved."""

    revision: int
    onto: Commit


class Reconsider(OnTask, frozen=True):
    """See whether approvals still hold, upon what is now below the change in its stack."""

    revision: int


class Assess(OnTask, frozen=True):
    """Measure the change for whoever reviews it, beside all else that is done to its task."""

    revision: int

    @property
    def lane(self) -> str:
        return f"assess:{self.task}"


class FreeWorkspace(OnTask, frozen=True):
    """Archive what the workspace holds, then give it back to the pool."""


class RestoreWorkspace(OnTask, frozen=True):
    """Put the archived state into a workspace again."""


class Forget(OnTask, frozen=True):
    """Delete for good what a removed task left in its repository and in the home."""


class Notify(OnTask, frozen=True):
    """Tell a person that a task needs them; one after the other, and beside all other work."""

    need: str
    since: datetime

    @property
    def lane(self) -> str:
        return "notify"


class OnQueue(Effect, frozen=True):
    """Something to do for a change in the merge queue of one target."""

    repo: RepoId
    target: str
    task: TaskId
    revision: int

    @property
    def lane(self) -> str:
        return f"queue:{self.repo}:{self.target}"


class Merge(OnQueue, frozen=True):
    """Merge `cars` one after the other onto `onto`, as they would land; no reference moves."""

    onto: Commit
    method: MergeMethod
    cars: tuple[Car, ...]

    @property
    def lane(self) -> str:
        return f"merge:{self.repo}:{self.target}"


class Gate(OnQueue, frozen=True):
    """Run on `tree` those gates of `cars` that have not been green there.

    `commit` is the last of `cars` as it was merged; without any, it is the target itself that is
    tried. `failures` is how often the tree was red before: one retry tells flaky from red.
    """

    commit: Commit
    tree: str
    cars: tuple[Car, ...]
    failures: int = 0

    @property
    def lane(self) -> str:
        return gate_lane(self.repo, self.target, self.tree)

    @property
    def work(self) -> object:
        # Those in front may land meanwhile, or somebody approve it: the tree stays as it is.
        return self.lane, self.failures


def gate_lane(repo: RepoId, target: str, tree: str) -> str:
    """Return the lane of the checks of one tree: whether it is taken tells whether they run."""
    return f"gate:{repo}:{target}:{tree}"


class Remerge(OnQueue, frozen=True):
    """See whether the change still merges with `onto`, without running anything."""

    onto: Commit


class Land(OnQueue, frozen=True):
    """Move the target as the recorded intent says; finish or undo what a crash left.

    `behind` are the changes that land with it in the same move, in landing order: the target goes
    from the first one's `basis` to the last one's `commit`.
    """

    behind: tuple[Member, ...] = ()


class Prove(OnTask, frozen=True):
    """Run the tests of one side on the code of the other, merged with the target at `onto`."""

    revision: int
    kind: Kind
    onto: Commit

    @property
    def lane(self) -> str:
        return f"prove:{self.task}"


class OnPull(OnTask, frozen=True):
    """Something to ask of a forge for the pull request of a task; it may take its time."""

    @property
    def lane(self) -> str:
        return f"pull:{self.task}"


class Propose(OnPull, frozen=True):
    """Push `commit` to the branch of the pull request, and open that or bring it up to date."""

    revision: int
    commit: Commit


class MergePull(OnPull, frozen=True):
    """Ask the forge to merge the pull request at exactly `head`, as the policy's `method` says."""

    number: int
    head: Commit
    method: MergeMethod


class ClosePull(OnPull, frozen=True):
    """Close the pull request unmerged, as a person asked for."""

    number: int


class OnSlot(Effect, frozen=True):
    """Something to do to one pooled worktree."""

    repo: RepoId
    slot: int

    @property
    def lane(self) -> str:
        return f"slot:{self.repo}:{self.slot}"


class MakeSlot(OnSlot, frozen=True):
    pass


class RecycleSlot(OnSlot, frozen=True):
    pass


class DropSlot(OnSlot, frozen=True):
    pass


AT_MOST_ONCE = (Tell,)  # what came of it counts, also where it was broken off
# Broken off, they have found out nothing.
ONLY_LOOK = (Seal, RunChecks, Assess, Merge, Gate, Remerge, LookAgain, Reconsider, Prove)

AnyEffect = (
    StartRun
    | EndRun
    | Tell
    | PassAnswer
    | Seal
    | RunChecks
    | LookAgain
    | Reconsider
    | Assess
    | FreeWorkspace
    | Forget
    | RestoreWorkspace
    | Notify
    | Merge
    | Gate
    | Remerge
    | Land
    | Prove
    | Propose
    | MergePull
    | ClosePull
    | MakeSlot
    | RecycleSlot
    | DropSlot
)
