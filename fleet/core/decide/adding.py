"""Adding tasks: spawned for an agent, or submitted as a branch made by hand."""

from math import isfinite

from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import PERSON, Decision
from fleet.core.facts import COST, TOKENS, AgentFacts, RepoFacts, SpawnFacts, SubmitFacts
from fleet.core.ids import RepoId, TaskId
from fleet.core.model import Fleet, Spec, Task
from fleet.core.names import checked, find, free, slug
from fleet.core.policy import Check, Land, Limits
from fleet.core.status import Landed, Submitted
from fleet.core.trust import untrusted
from fleet.errors import RefusedError, UsageError

MOST_AT_ONCE = 200


def spawn(fleet: Fleet, command: c.Spawn, facts: SpawnFacts, actor: str) -> Decision:
    """Add `count` tasks."""
    if not command.prompt.strip():
        raise UsageError("the prompt is empty", hint="fleet spawn -p 'what to do'")
    if not 1 <= command.count <= MOST_AT_ONCE:
        raise UsageError(f"--count must be from 1 to {MOST_AT_ONCE}")
    _no_blank_checks(command.checks)
    may_land(command.land, facts.repo.policy.land, actor)
    _must_be_trusted(fleet, facts.repo)
    names = _names(fleet, command, facts)
    spec = _spec(fleet, command, facts)
    _must_be_counted(command, spec, facts.agent)
    added = [
        e.TaskAdded(
            task=name,
            repo=facts.repo.id,
            spec=spec,
            target=facts.repo.target,
            base=facts.base or facts.repo.tip,
            base_pinned=facts.base is not None,
            branch=f"fleet/{name}",
            owner=actor,
            account=facts.agent.account,
            environment=facts.environment,
        )
        for name in names
    ]
    return Decision((*_known(fleet, facts.repo), *added), {"tasks": names})


def _no_blank_checks(checks: tuple[str, ...]) -> None:
    if any(not check.strip() for check in checks):
        raise UsageError("a check is empty", hint="an empty command would pass everything")


def may_land(wanted: Land | None, usual: Land, actor: str) -> None:
    """An agent may not choose that nobody looks at what it makes."""
    if actor != PERSON and wanted == "auto" and usual != "auto":
        raise RefusedError(
            f"the agent of {actor} may not choose to land unseen", hint="a person has to"
        )


def _must_be_trusted(fleet: Fleet, facts: RepoFacts) -> None:
    if facts.policy.needs_trust and (
        facts.id not in fleet.repos or untrusted(fleet, facts.id, facts.policy)
    ):
        raise RefusedError(
            "fleet.yaml has commands that you have not trusted yet",
            hint="read it, then type: fleet trust",
        )


def _must_be_counted(command: c.Spawn, spec: Spec, agent: AgentFacts) -> None:
    """Refuse a limit that would limit nothing, as the agent never tells how much it has used.

    Of a cost and of tokens that the policy limits both, one is enough.
    """
    told, limits = agent.usage, spec.limits
    if told is None:
        return
    if command.budget_usd is not None and COST not in told:
        raise _uncounted(agent, "what it costs, so that --budget", "use --tokens")
    if command.tokens is not None and TOKENS not in told:
        raise _uncounted(agent, "its tokens, so that --tokens", "use --budget")
    kept = (limits.budget_usd and COST in told) or (limits.tokens and TOKENS in told)
    if limits.budget_usd is not None and not kept:
        raise _uncounted(agent, "what it costs, so that the budget of fleet.yaml", "use --tokens")
    if limits.tokens is not None and not kept:
        raise _uncounted(agent, "its tokens, so that the limit in fleet.yaml", "use --budget")


def _uncounted(agent: AgentFacts, what: str, instead: str) -> RefusedError:
    hint = f"{instead}, or another agent"
    return RefusedError(f"{agent.name} does not tell {what} would limit nothing", hint=hint)


def _known(fleet: Fleet, facts: RepoFacts) -> list[e.AnyEvent]:
    """The repository and its target as found, where that is news."""
    known = fleet.repos.get(facts.id)
    events: list[e.AnyEvent] = []
    if known is None or known.root != facts.root:
        events.append(e.RepoRegistered(repo=facts.id, root=facts.root, git_dir=facts.git_dir))
    if known is None or facts.target not in known.tips:
        events.append(e.TargetSeen(repo=facts.id, target=facts.target, tip=facts.tip))
    return events


def _names(fleet: Fleet, command: c.Spawn, facts: SpawnFacts) -> list[TaskId]:
    # A branch fleet/a/b leaves no room for a branch fleet/a.
    branches = {name.partition("/")[0].lower() for name in facts.branches}
    tasks = {name.lower() for name in fleet.tasks}
    taken = tasks | branches
    if command.name is not None and command.count == 1:
        name = checked(command.name)
        if name.lower() in taken:
            holder = "task" if name.lower() in tasks else f"branch fleet/{name}"
            raise RefusedError(
                f"the name {name} is taken by a {holder}",
                hint="choose another --name, or leave it out",
            )
        return [name]
    stem = checked(command.name) if command.name else slug(command.title or command.prompt)
    names: list[TaskId] = []
    for number in range(1, command.count + 1):
        wanted = f"{stem}-{number}" if command.count > 1 else stem
        names.append(free(wanted, taken | {name.lower() for name in names}))
    return names


def _spec(fleet: Fleet, command: c.Spawn, facts: SpawnFacts) -> Spec:
    policy, agent = facts.repo.policy, facts.agent
    after = _after(fleet, command, facts.repo)
    if command.stacked and facts.base is not None:
        raise UsageError("what is --stacked begins on another change, and so takes no --base")
    return Spec(
        prompt=command.prompt,
        title=command.title or command.prompt.strip().splitlines()[0][:72],
        agent=agent.name,
        done=command.done or agent.done,
        converses=agent.converses,
        queues=agent.queues,
        model=command.model,
        effort=command.effort,
        after=after,
        stacked=command.stacked,
        checks=task_checks(command.checks),
        limits=limits_of(command, policy.limits, agent.attempts),
        expect_lines=command.expect_lines,
        land=command.land or policy.land,
        priority=command.priority,
    )


def _after(fleet: Fleet, command: c.Spawn | c.Submit, repo: RepoFacts) -> tuple[TaskId, ...]:
    after = tuple(find(fleet, name).id for name in command.after)
    if command.stacked:
        may_stand_on(fleet, after, repo.id, repo.target)
    return after


def may_stand_on(fleet: Fleet, after: tuple[TaskId, ...], repo: RepoId, target: str) -> None:
    """Refuse a stack that could not be reviewed or landed as one.

    What stands on two changes would have no one base: a reviewer would be shown work that is
    neither its own nor anybody's, where the two were put together.
    """
    if len(after) != 1:
        raise UsageError(
            "what is --stacked stands on one task: name it with --after, once",
            hint="let it stand on the one that lands last, and that one on the others",
        )
    parent = fleet.tasks[after[0]]
    if (parent.repo, parent.target) != (repo, target):
        raise RefusedError(
            f"{parent.id} lands on {parent.target}, and this on {target}",
            hint="a stack lands on one branch of one repository",
        )


def task_checks(commands: tuple[str, ...]) -> tuple[Check, ...]:
    """Return a task's own checks, named so that their logs can be told apart."""
    return tuple(Check(f"check-{n}", run) for n, run in enumerate(commands, start=1))


def limits_of(command: c.Spawn | c.Edit, base: Limits, attempts: int) -> Limits:
    given = {
        "attempts": command.attempts,
        "retries": command.retries,
        "budget_usd": command.budget_usd,
        "tokens": command.tokens if isinstance(command, c.Spawn) else None,
        "timeout_s": command.timeout_s,
    }
    for name, value in given.items():
        if value is None or (value == 0 and name == "retries"):
            continue
        if not (value > 0 and isfinite(value)):
            raise UsageError(f"--{name.split('_')[0]} must be a number above zero")
    limits = replace(base, **{name: value for name, value in given.items() if value is not None})
    return limits if limits.attempts is not None else replace(limits, attempts=attempts)


def submit(fleet: Fleet, command: c.Submit, facts: SubmitFacts, actor: str) -> Decision:
    """Put a branch made by hand into the merge queue, or its next revision."""
    _no_blank_checks(command.checks)
    may_land(command.land, "review", actor)
    _must_be_trusted(fleet, facts.repo)
    if facts.branch == facts.repo.target:
        raise RefusedError(f"{facts.branch} is the target itself", hint="name another branch")
    known = _of_branch(fleet, facts)
    if known is not None:
        return _again(known, facts)
    stem = checked(command.name) if command.name else slug(facts.branch.removeprefix("fleet/"))
    name = free(stem, {name.lower() for name in fleet.tasks})
    after = _after(fleet, command, facts.repo)
    if command.stacked and not fleet.tasks[after[0]].revision:
        raise RefusedError(
            f"{after[0]} has no change yet that this could stand on",
            hint=f"fleet wait {after[0]} --for review",
        )
    spec = Spec(
        prompt="",
        title=command.title or facts.branch,
        agent=None,
        checks=task_checks(command.checks),
        land=command.land or "review",
        after=after,
        stacked=command.stacked,
        priority=command.priority,
    )
    added = e.TaskAdded(
        task=name,
        repo=facts.repo.id,
        spec=spec,
        target=facts.repo.target,
        base=facts.repo.tip,
        branch=facts.branch,
        owner=actor,
        environment=facts.environment,
    )
    return Decision((*_known(fleet, facts.repo), added), {"task": name, "head": facts.head})


def _of_branch(fleet: Fleet, facts: SubmitFacts) -> Task | None:
    same = (
        task
        for task in fleet.tasks.values()
        if (task.repo, task.branch) == (facts.repo.id, facts.branch)
        and not isinstance(task.status, Landed)
        and task.removed_at is None
    )
    return next(same, None)


def _again(task: Task, facts: SubmitFacts) -> Decision:
    if task.spec.agent is not None:
        raise RefusedError(
            f"{facts.branch} is the branch of {task.id}, whose agent hands it in",
            hint=f"take its work as it stands: fleet done {task.id}",
        )
    refuse_landing(task)
    same = task.change is not None and task.change.sealed == facts.head
    if same and isinstance(task.status, Submitted):
        raise RefusedError(
            f"{facts.branch} is in the queue already, at the same commit", hint="fleet queue"
        )
    return Decision((e.Resubmitted(task=task.id),), {"task": task.id, "head": facts.head})
