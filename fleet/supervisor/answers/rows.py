"""Rows for clients: the state, joined with where things lie in this home."""

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import asdict, replace

from fleet import paths
from fleet.core import accounts, stacks, turns
from fleet.core.change import GateFailed, Landing, Proposed, Ready
from fleet.core.clashing import conflicts_with, stale_in
from fleet.core.comments import unanswered
from fleet.core.model import Fleet, Task
from fleet.core.phrases import reason
from fleet.core.planned import Circumstances
from fleet.core.proofs import proof_rows
from fleet.core.pull_phrases import pull_row
from fleet.core.rows import TaskDetail, TaskRow
from fleet.core.status import Failed, Held
from fleet.core.verdicts import policy_row
from fleet.core.views import needs, status_word
from fleet.supervisor.host import Host, now
from fleet.tools.git.repository import locate

_GARBAGE = 20  # what was not understood last


def task_row(
    fleet: Fleet,
    task: Task,
    given: Circumstances,
    home: paths.Home,
    *,
    waits: str | None = None,
    upper: stacks.Above | None = None,
) -> TaskRow:
    """Return a task as `fleet ls --json` shows it, with what others say of its place.

    `waits` is from `accounts.waits_for`, and `upper` from `stacks.above`, where that is known.
    """
    run = task.run
    row = TaskRow(
        task=task.id,
        repo=fleet.repos[task.repo].root,
        title=task.spec.title,
        agent=task.spec.agent,
        status=status_word(fleet, task),
        needs=needs(fleet, task, given.target(task.repo, task.target)),
        attempt=task.attempt,
        branch=task.branch,
        base=task.base,
        head=task.head,
        target=task.target,
        worktree=None if task.slot is None else str(home.slot(task.repo, task.slot)),
        pane=run.pane if run else None,
        pid=run.pid if run else None,
        added=task.added,
        removed=task.removed,
        cost_usd=task.cost_usd,
        tokens=task.tokens,
        started_at=run.started_at if run else None,
        updated_at=task.updated_at,
        after=tuple(task.spec.after),
        removed_at=task.removed_at,
        waits=waits,
    )
    return _placed(row, fleet, task, given, upper)


def _placed(
    row: TaskRow, fleet: Fleet, task: Task, given: Circumstances, upper: stacks.Above | None
) -> TaskRow:
    """Return the row with where it stands among others."""
    return replace(
        row,
        conflicts_with=conflicts_with(given, task),
        stale=stale_in(given, task),
        parent=stacks.parent_of(task),
        stack=stacks.stack(fleet, task, upper),
        priority=task.spec.priority,
        pr=pull_row(task),
    )


def task_detail(fleet: Fleet, task: Task, given: Circumstances, home: paths.Home) -> TaskDetail:
    """Return all that `fleet show` says of a task."""
    change, notes = task.change, home.notes(task.id)
    results = change.acceptance if change else ()
    match change.state if change else None:
        case Ready(evidence=evidence) | Landing(evidence=evidence) | Proposed(evidence=evidence):
            results = (*results, *evidence.results)
        case GateFailed(cause=red):
            results = (*results, *red.results)
        case _:
            pass
    return TaskDetail(
        row=task_row(fleet, task, given, home, waits=passing(fleet, task)),
        prompt=task.spec.prompt,
        done=task.spec.done,
        land=task.spec.land,
        checks=tuple(check.run for check in task.spec.checks),
        limits={
            name: value for name, value in asdict(task.spec.limits).items() if value is not None
        },
        expect_lines=task.spec.expect_lines,
        spent=task.spent,
        revision=task.revision,
        files=change.files if change else (),
        auto_commit=change.auto_commit if change else False,
        results=results,
        reason=_reason(task),
        created_at=task.created_at,
        notes=notes.read_text(errors="replace") if notes.is_file() else "",
        messages=tuple(message.text for message in task.messages),
        archived=task.archived,
        policy=policy_row(task, change, given.target(task.repo, task.target)) if change else None,
        messages_wait=turns.kept(task, task.messages[0].id) if task.messages else "",
        proofs=proof_rows(task, given.target(task.repo, task.target)),
        comments=sum(not it.resolved for it in task.comments),
        unanswered=len(unanswered(task.comments)),
    )


def passing(fleet: Fleet, task: Task) -> str | None:
    """Return what a task waits for now that needs nobody."""
    return accounts.waits_for(fleet, task, accounts.shut(fleet), now())


def task_rows(
    fleet: Fleet, tasks: Iterable[Task], given: Circumstances, home: paths.Home
) -> list[TaskRow]:
    """Return tasks as `fleet ls --json` shows them."""
    closed, upper, moment = accounts.shut(fleet), stacks.above(fleet), now()
    return [
        task_row(
            *(fleet, task, given, home),
            waits=accounts.waits_for(fleet, task, closed, moment),
            upper=upper,
        )
        for task in tasks
    ]


def _reason(task: Task) -> str | None:
    match task.status:
        case Failed(reason=why):
            return why
        case Held(cause=cause):
            return reason(cause)
        case _:
            return reason(task.last_cause) if task.last_cause else task.trouble


def repo_around(cwd: str) -> str:
    """Return the id of the repository that `cwd` is in."""
    return locate(Path(cwd)).id


def degraded(host: Host) -> list[str]:
    """Return what does not work as it should, a sentence each."""
    repos, complaints = host.supervisor.fleet.repos, host.tools.policies.complaints
    told = dict.fromkeys(f"{repos[repo].root}: {why}" for (repo, _), why in complaints.items())
    return [*told, *host.vitals.garbage[-_GARBAGE:]]
