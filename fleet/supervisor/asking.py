"""Finding out what a command needs to know of the world before it can be judged."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fleet.agents.traits import account, default_done
from fleet.core import commands as c
from fleet.core.facts import (
    AgentFacts,
    ChangeFacts,
    CleanFacts,
    Facts,
    RepoFacts,
    SpawnFacts,
    SubmitFacts,
    TrustFacts,
    VerdictFacts,
)
from fleet.core.ids import Commit, RepoId
from fleet.core.model import Fleet
from fleet.core.names import find
from fleet.errors import RefusedError
from fleet.supervisor import lines
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.reverting import facts_for_revert
from fleet.tools.git.changes import digest
from fleet.tools.git.contents import features
from fleet.tools.git.repository import (
    Place,
    branch_tip,
    check_branch_name,
    names_below,
    resolve,
    target_branch,
)
from fleet.tools.programs import find_program

_NOTHING_KNOWN = Fleet()


def facts_for(tools: Tools, command: c.AnyCommand, fleet: Fleet = _NOTHING_KNOWN) -> Facts:
    """Return what judging `command` needs; called in a thread, for git is asked.

    `fleet` is the state by which tasks are found.

    Raises:
        FleetError: the repository, or something that the command names, is not as it must be.
    """
    match command:
        case c.Spawn():
            return _for_spawn(tools, command)
        case c.Submit():
            return _for_submit(tools, command)
        case c.Trust() | c.TrustAgents() | c.Thaw():
            target = command.target if isinstance(command, c.Thaw) else None
            return TrustFacts(repo=_repo(tools, _place(tools, command.cwd), target))
        case _:
            return _of_a_change(tools, command, fleet)


def _of_a_change(tools: Tools, command: c.AnyCommand, fleet: Fleet) -> Facts:
    match command:
        case c.Clean():
            return CleanFacts(now=datetime.now(UTC))
        case c.Approve() | c.Revoke():
            return VerdictFacts(tuple(_judged(tools, fleet, command)))
        case c.Revert():
            return facts_for_revert(tools, command.task, fleet)
        case c.Comment():
            return lines.line_facts(tools, fleet, command)
        case c.Return():
            return lines.where_facts(tools, fleet, command.task)
        case c.MarkSeen():
            return lines.blob_facts(tools, fleet, command.task)
        case _:
            return None


def _directory(cwd: str) -> Path:
    path = Path(cwd)
    if not path.is_dir():
        raise RefusedError(f"there is no directory {cwd}", hint="cd into a repository")
    return path


def _place(tools: Tools, cwd: str) -> Place:
    return tools.locate(_directory(cwd))


def _repo(tools: Tools, place: Place, target: str | None) -> RepoFacts:
    """Read repository, policy and target; an explicit target comes before the file's."""
    named = target or _configured_target(tools, place)
    branch = target_branch(place, named)
    tip = branch_tip(place, branch)
    if tip is None:
        raise RefusedError(
            f"there is no branch {branch} in {place.root}", hint="name one: --target BRANCH"
        )
    tools.know(place)
    policy = tools.policies.read(place, tip)
    tools.policies.keep(RepoId(place.id), branch, policy)
    return RepoFacts(
        id=RepoId(place.id),
        root=str(place.root),
        git_dir=str(place.git_dir),
        target=branch,
        tip=Commit(tip),
        policy=policy,
    )


def _configured_target(tools: Tools, place: Place) -> str | None:
    """The file at the tip of the branch checked out may name another target for all tasks."""
    tip = branch_tip(place, place.head_branch) if place.head_branch else None
    return tools.policies.read(place, tip).target if tip else None


def _for_spawn(tools: Tools, command: c.Spawn) -> SpawnFacts:
    tools.policies.read_user()
    place = _place(tools, command.cwd)
    repo = _repo(tools, place, command.target)
    base = Commit(resolve(place, command.base)) if command.base else None
    check_branch_name(place, "fleet/_")  # which is no task's: names never begin like that
    _refuse_unusable(place, base or repo.tip)
    return SpawnFacts(
        repo=repo,
        agent=_agent(tools, repo, command),
        base=base,
        branches=frozenset(_names_in_git(place)),
        environment=_digest(command.environment, salt=tools.home_id),
    )


def _names_in_git(place: Place) -> set[str]:
    return names_below(place, "refs/heads/fleet/") | names_below(place, "refs/fleet/trash/")


def _refuse_unusable(place: Place, commit: str) -> None:
    found = features(place, commit)
    if found.partial:
        raise RefusedError(
            f"{place.root} is a partial clone: a worktree would fetch while agents work",
            hint="git fetch --refetch --no-filter makes it whole",
        )


def _agent(tools: Tools, repo: RepoFacts, command: c.Spawn) -> AgentFacts:
    name = command.agent or tools.policies.default_agent(repo.policy)
    adapter = tools.policies.registry(repo.policy).get(name)
    program = adapter.program()
    if program is not None:
        find_program(program, path=command.environment.get("PATH"), cwd=repo.root)
    return AgentFacts(
        name=name,
        converses=adapter.converses,
        done=default_done(adapter, has_checks=bool(command.checks or repo.policy.checks)),
        attempts=adapter.attempts,
        account=account(adapter, command.environment, salt=tools.home_id),
        usage=adapter.usage,
        queues=adapter.queues,
    )


def _judged(tools: Tools, fleet: Fleet, command: c.Approve | c.Revoke) -> Iterator[ChangeFacts]:
    more = command.more if isinstance(command, c.Approve) else ()
    for task in (find(fleet, name) for name in (command.task, *more)):
        if task.change is not None:
            place = tools.place(fleet.repos[task.repo])
            yield ChangeFacts(
                task=task.id,
                sealed=task.change.sealed,
                diff=digest(place, task.change.base, task.change.sealed),
                policy=tools.target_policy(task.repo, task.target),
            )


def _for_submit(tools: Tools, command: c.Submit) -> SubmitFacts:
    place = _place(tools, command.cwd)
    repo = _repo(tools, place, command.target)
    branch = command.branch.removeprefix("refs/heads/")
    head = branch_tip(place, branch)
    if head is None:
        raise RefusedError(f"there is no branch {branch}", hint="git branch lists them")
    environment = _digest(command.environment, salt=tools.home_id)
    return SubmitFacts(repo=repo, branch=branch, head=Commit(head), environment=environment)


def _digest(environment: Mapping[str, str], *, salt: str) -> str:
    """Return by what an environment is known; no value can be told from it."""
    said = "\0".join(f"{name}={value}" for name, value in sorted(environment.items()))
    key = salt.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(
        said.encode(errors="surrogateescape"), digest_size=16, key=key
    ).hexdigest()
