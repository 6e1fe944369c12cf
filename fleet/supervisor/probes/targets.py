"""Noticing that targets moved without us; no git is run until a file of the repository changed."""

import asyncio

from fleet.core import events as e
from fleet.core.change import Landing
from fleet.core.ids import Commit, RepoId
from fleet.core.model import Fleet, Repo, Task
from fleet.core.status import Landed, Submitted
from fleet.errors import FleetError
from fleet.supervisor.host import Host
from fleet.supervisor.perform.publishing import apart
from fleet.supervisor.policies import uncommitted_file
from fleet.tools.git.intent import Rewound, is_ancestor
from fleet.tools.git.pushing import last_known
from fleet.tools.git.recovery import check_history
from fleet.tools.git.repository import Place, branch_tip, signature


class Targets:
    """Looks at each target that a living task has; `look` costs a few stat calls for each."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._seen: dict[tuple[RepoId, str], object] = {}

    async def look(self) -> None:
        """Record each target's tip that changed, freeze where history was rewritten."""
        fleet = self._host.supervisor.fleet
        for repo_id, target in _watched(fleet):
            try:
                mark = self._mark(fleet.repos[repo_id], target)
            except FleetError as error:
                self._host.tools.policies.complaints[repo_id, target] = error.message
                continue
            if mark == self._seen.get((repo_id, target)):
                continue
            if await self._examine(repo_id, target):
                self._seen[repo_id, target] = mark

    def _mark(self, repo: Repo, target: str) -> object:
        place = self._host.tools.place(repo)
        try:
            changed = uncommitted_file(repo.root).stat().st_mtime_ns
        except OSError:
            changed = 0
        # With the tip on record: after a landing, the target may go back to where it was seen.
        return signature(place, target), changed, repo.tips.get(target)

    async def _examine(self, repo_id: RepoId, target: str) -> bool:
        """Compare with what is on record; False where a landing of ours is just moving it."""
        host = self._host
        before = host.supervisor.fleet.repos[repo_id]
        if _is_landing(host.supervisor.fleet, repo_id, target):
            return False
        try:
            facts = await asyncio.to_thread(self._facts, before, target)
        except FleetError as error:
            host.tools.policies.complaints[repo_id, target] = error.message
            return True
        fleet = host.supervisor.fleet
        moved = fleet.repos[repo_id].tips.get(target) != before.tips.get(target)
        if moved or _is_landing(fleet, repo_id, target):
            return False
        host.supervisor.record(facts)
        host.supervisor.reconcile_soon()  # the policy may be another one
        return True

    def _facts(self, repo: Repo, target: str) -> list[e.AnyEvent]:
        place = self._host.tools.place(repo)
        known, there = repo.tips.get(target), self._on_forge(repo, place, target)
        tip = there or branch_tip(place, target)
        if tip is not None:
            self._read_policy(repo, place, tip, target)
        elif not place.git_dir.is_dir():
            gone = "the repository is gone: move it back there, or remove its tasks"
            self._host.tools.policies.complaints[repo.id, target] = gone
        if tip == known or there is not None:
            return []  # whoever follows pull requests tells where such a target stands
        if tip is not None and self._lags(repo, place, target, tip):
            self._note_lag(repo, place, target, tip)
            return []
        seen = e.TargetSeen(repo=repo.id, target=target, tip=Commit(tip) if tip else None)
        why = self._alarm(repo, place, target, tip)
        if why is None or target in repo.frozen:
            return [seen]
        return [e.QueueFrozen(repo=repo.id, target=target, reason=why), seen]

    def _read_policy(self, repo: Repo, place: Place, tip: str, target: str) -> None:
        policies = self._host.tools.policies
        try:
            policies.keep(repo.id, target, policies.read(place, tip))
        except FleetError as error:
            policies.complaints[repo.id, target] = (
                f"{error.message}; what was in force before still is"
            )

    def _alarm(self, repo: Repo, place: Place, target: str, tip: str | None) -> str | None:
        """Return what is wrong with how a target moved; None where it only grew by others' work."""
        known = repo.tips.get(target)
        if tip is None:
            return None  # while it is gone, nothing lands on it, and `fleet queue` says so
        known = known or self._newest_landed(repo, target)
        if known is None:
            return None
        if isinstance(check_history(place, target, known), Rewound):
            if (remote := self._remote_at(repo, place, target, known)) is not None:
                return apart(target, remote)
            return f"{target} was taken back from {known[:12]} to {tip[:12]}"
        for task in self._host.supervisor.fleet.tasks.values():
            if _is_unlanded(task, repo, target) and _slipped_in(place, task, tip, known):
                return (
                    f"the commits of {task.id} are on {target} and did not land through the queue"
                )
        return None

    def _newest_landed(self, repo: Repo, target: str) -> Commit | None:
        """Return what landed last on a target: one that was gone must have it, once it is back."""
        landed = [
            (task.status.at, task.status.commit)
            for task in self._host.supervisor.fleet.tasks.values()
            if isinstance(task.status, Landed) and (task.repo, task.target) == (repo.id, target)
        ]
        return max(landed)[1] if landed else None

    def _on_forge(self, repo: Repo, place: Place, target: str) -> str | None:
        """Return where the remote has a target that takes pull requests; None for all others."""
        policy = self._host.tools.target_policy(repo.id, target)
        if policy.pr == "off" or policy.digest not in repo.trusted:
            return None
        return last_known(place, policy.remote, target)

    def _lags(self, repo: Repo, place: Place, target: str, tip: str) -> bool:
        """Whether the branch is only behind the remote, whose word counts where we push."""
        known = repo.tips.get(target)
        if known is None or self._remote_at(repo, place, target, known) is None:
            return False
        return is_ancestor(place, tip, known)

    def _remote_at(self, repo: Repo, place: Place, target: str, known: str) -> str | None:
        """Return the remote to which the target is pushed, if it is that which stood at `known`."""
        policy = self._host.tools.target_policy(repo.id, target)
        there = policy.push and last_known(place, policy.remote, target) == known
        return policy.remote if there else None

    def _note_lag(self, repo: Repo, place: Place, target: str, tip: str) -> None:
        """Say that the branch lacks what has landed: it could not follow, or somebody took it back.

        It follows with the next change that lands.
        """
        landed = self._newest_landed(repo, target)
        if landed is not None and not is_ancestor(place, landed, tip):
            remote = self._host.tools.target_policy(repo.id, target).remote
            why = f"{target} lacks what has landed on {remote}: git pull {remote} {target}"
            self._host.tools.policies.complaints[repo.id, target] = why


def _watched(fleet: Fleet) -> set[tuple[RepoId, str]]:
    return {
        (task.repo, task.target)
        for task in fleet.tasks.values()
        if not task.ended and task.removed_at is None
    }


def _is_landing(fleet: Fleet, repo: RepoId, target: str) -> bool:
    """Whether we are moving the target ourselves, and may be the reason why it has moved."""
    return any(
        isinstance(task.status, Submitted)
        and (task.repo, task.target) == (repo, target)
        and task.change is not None
        and isinstance(task.change.state, Landing)
        for task in fleet.tasks.values()
    )


def _is_unlanded(task: Task, repo: Repo, target: str) -> bool:
    ours = (task.repo, task.target) == (repo.id, target)
    return ours and task.spec.agent is not None and not isinstance(task.status, Landed)


def _slipped_in(place: Place, task: Task, tip: str, known: str) -> bool:
    """Whether the target has the newest commit of a task, that it did not have before."""
    head = task.head or branch_tip(place, task.branch)
    if head is None or head == task.base:
        return False
    return is_ancestor(place, head, tip) and not is_ancestor(place, head, known)
