"""What effects are carried out with: the home, the private tmux server, policies, repositories."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from fleet import paths
from fleet.agents.adapter import AgentAdapter
from fleet.core.ids import RepoId, TaskId
from fleet.core.model import Fleet, Repo, Task
from fleet.core.policy import UNREAD, RepoPolicy
from fleet.core.trust import withheld
from fleet.errors import ToolError
from fleet.supervisor.perform.gate_pool import GatePool
from fleet.supervisor.policies import Policies
from fleet.supervisor.reports import Reports
from fleet.tools.git.refs import stamp
from fleet.tools.git.repository import Place, locate
from fleet.tools.programs import Versions
from fleet.tools.tmux.input import Keyboard
from fleet.tools.tmux.panes import Panes


@dataclass
class Tools:
    """All that performing needs; safe to use from many threads."""

    home: paths.Home
    home_id: str
    panes: Panes
    keyboard: Keyboard
    policies: Policies
    note_garbage: Callable[[str], None]  # is told what lies where it does not belong
    reports: Reports = field(default_factory=Reports)
    ports: threading.Lock = field(default_factory=threading.Lock)
    seeding: threading.Lock = field(default_factory=threading.Lock)
    versions: Versions = field(default_factory=Versions)
    _places: dict[RepoId, Place] = field(default_factory=dict)
    _located: dict[Path, tuple[object, Place]] = field(default_factory=dict)
    gates: GatePool = field(init=False)

    def __post_init__(self) -> None:
        self.gates = GatePool(self.home, self._places.get)

    def place(self, repo: Repo) -> Place:
        """Return where a repository is; found once, for it is known not to move."""
        if repo.id not in self._places:
            self._places[repo.id] = locate(Path(repo.root))
        return self._places[repo.id]

    def locate(self, path: Path) -> Place:
        """Return the repository around `path`; git is asked again when its HEAD was touched.

        Raises:
            RefusedError: there is none, or nothing in it to start from.
        """
        known = self._located.get(path)
        if known is not None and known[0] == _stamps(path, known[1]):
            return known[1]
        place = locate(path)
        self._located[path] = (_stamps(path, place), place)
        return place

    def know(self, place: Place) -> None:
        self._places[RepoId(place.id)] = place

    def target_policy(self, repo: RepoId, target: str) -> RepoPolicy:
        """Return what is in force for all that is to land on one branch of a repository."""
        return self.policies.targets.get((repo, target), UNREAD)

    def kept_paths(self, repo: RepoId) -> tuple[str, ...]:
        """Return what stays in a workspace that is recycled: nobody knows for which target."""
        own = (it.keep for (name, _), it in self.policies.targets.items() if name == repo)
        return tuple(dict.fromkeys(chain.from_iterable(own)))

    def trusted_policy(self, fleet: Fleet, repo: RepoId, target: str) -> RepoPolicy:
        """Return the policy by which something is about to be run; ask once for all of it.

        Raises:
            ToolError: nobody has trusted it, or could read it; it may have come into force since
                the plan was made.
        """
        policy = self.target_policy(repo, target)
        if (why := withheld(fleet, repo, target, policy)) is not None:
            raise ToolError(why)
        return policy

    @property
    def workers(self) -> int:
        """How many gates may run at once: agents and people use the machine, too."""
        return self.policies.fleet.workers or min(max((os.cpu_count() or 1) // 2, 1), 4)

    def adapter(self, task: Task, policy: RepoPolicy | None = None) -> AgentAdapter:
        """Return the adapter of a task's agent, as `policy`, else that of its target, has it.

        Raises:
            RefusedError: it is not known any more.
        """
        registry = self.policies.registry(policy or self.target_policy(task.repo, task.target))
        return registry.get(task.spec.agent or "")

    def worktree(self, task: Task) -> Path | None:
        return None if task.slot is None else self.home.slot(task.repo, task.slot)

    def lock(self, repo: RepoId) -> Path:
        """The file by which worktrees of one repository are entered one at a time."""
        file = self.home.worktree_lock(repo)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        return file

    def token(self, task: TaskId, attempt: int, nonce: str) -> str:
        return f"{self.home_id}:{task}:{attempt}:{nonce}"

    def attempt_prefix(self, task: TaskId, attempt: int) -> str:
        return f"{self.home_id}:{task}:{attempt}:"


def _stamps(path: Path, place: Place) -> object:
    files = (path / ".git", place.git_dir, place.git_dir / "HEAD", place.git_dir / "config")
    return tuple(map(stamp, files))


def tip_for_slots(fleet: Fleet, repo: RepoId) -> str:
    """Return the commit at which clean worktrees of a repository should stand."""
    tips = fleet.repos[repo].tips
    return next(iter(tips.values()), "HEAD")
