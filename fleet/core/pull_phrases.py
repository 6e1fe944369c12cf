"""How the pull request of a task reads: what it waits for, and what a person is wanted for."""

from collections.abc import Iterator

from fleet.core.change import Proposed
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy
from fleet.core.pulls import Pull, PullCheck, PullRow, Seen
from fleet.core.terminal import clean

_NAMED = 3
_REVIEWS = {
    "approved": "approved",
    "changes-requested": "changes requested",
    "required": "review required",
}
_MERGES = {"behind": "behind its target", "conflict": "conflicts with its target"}


def pull_phrase(task: Task) -> str:
    """Return what a change waits for that is in a pull request, or on its way there."""
    pull, state = task.pull, task.change and task.change.state
    commit = state.commit if isinstance(state, Proposed) else None
    if pull is None or pull.head != commit:
        trouble = f": {task.pull_trouble.reason}" if task.pull_trouble else ""
        return f"its pull request to be opened{trouble}"
    return f"{pull.noun}: {', '.join(_parts(pull))}"


def _parts(pull: Pull) -> Iterator[str]:
    seen = pull.seen
    if seen is None or seen.head != pull.head:
        yield "just pushed"
        return
    if seen.state != "open":
        yield seen.state
    if seen.checks:
        counted = [check for check in seen.checks if check.state != "skipped"]
        passed = sum(check.state == "passed" for check in counted)
        yield f"checks {passed}/{len(counted)}"
    yield from (word for word in (_REVIEWS.get(seen.review), _MERGES.get(seen.merge)) if word)
    if pull.asked == pull.head and not seen.over and not pull.refused:
        yield "about to be merged"
    elif seen.state == "open" and seen.merge == "clean":
        yield "may be merged"


def pull_need(task: Task, policy: RepoPolicy) -> str | None:
    """Return what a person is wanted for, whose change is in a pull request; else None."""
    pull = task.pull
    if task.pull_trouble is not None:
        return f"{'pull request' if pull is None else pull.noun}: {task.pull_trouble.reason}"
    if pull is None or pull.seen is None:
        return None
    why = _stray(task, pull, pull.seen) or (
        _wanted(pull, pull.seen, policy) if pull.seen.head == pull.head else None
    )
    return f"{pull.noun}: {why}" if why else None


def is_foreign(task: Task, seen: Seen) -> bool:
    """Whether somebody else pushed to the branch of the pull request."""
    return seen.head not in task.offered


def _stray(task: Task, pull: Pull, seen: Seen) -> str | None:
    """Return what is wrong with it, whatever it holds."""
    if seen.over:
        reopen = f"reopen it there, or fleet return {task.id}, or fleet withdraw {task.id}"
        return f"closed without being merged: {reopen}" if seen.state == "closed" else None
    if is_foreign(task, seen):
        return (
            f"its branch has {seen.head[:10]}, which fleet did not push and nobody approved here: "
            f"take it off {pull.branch} there, or fleet withdraw {task.id}"
        )
    if seen.target != task.target:
        return f"it aims at {clean(seen.target)} there, and was approved for {task.target}"
    return None


def _wanted(pull: Pull, seen: Seen, policy: RepoPolicy) -> str | None:
    if seen.state == "draft":
        return f"it was made a draft there: {pull.url}"
    if seen.failed and not seen.pending:
        return f"{named(seen.failed)} failed: {pull.url}"
    if seen.review == "changes-requested":
        return f"changes are requested: {pull.url}"
    if pull.refused:
        return f"it was not merged: {pull.refused}"
    if seen.state == "open" and seen.merge == "clean" and policy.pr == "open":
        return f"ready to be merged: {pull.url}"
    return None


def named(checks: tuple[PullCheck, ...]) -> str:
    """Return a few of these checks, and how many more there are."""
    more = len(checks) - _NAMED
    names = ", ".join(clean(check.name) for check in checks[:_NAMED])
    return f"{names} and {more} more" if more > 0 else names


def left_open(task: Task) -> dict[str, str]:
    """Return as `pr` what is to be known of a pull request that outlives its task; else nothing."""
    pull = task.pull
    if pull is None or not pull.open:
        return {}
    return {"pr": f"{pull.noun} is still open; to close it: fleet pr {task.id} --close"}


def pull_row(task: Task) -> PullRow | None:
    """Return the pull request of a task as scripts read it."""
    pull, trouble = task.pull, task.pull_trouble
    if pull is None:
        return None
    seen = pull.seen
    return PullRow(
        number=pull.number,
        url=pull.url,
        branch=pull.branch,
        revision=pull.revision,
        head=pull.head,
        state=seen.state if seen else "open",
        checks=seen.checks if seen else (),
        review=seen.review if seen else "none",
        merge=seen.merge if seen else "unknown",
        merged_as=seen.merged_as if seen else None,
        seen_at=pull.seen_at,
        trouble=trouble.reason if trouble else None,
        says=f"{pull.noun}: {', '.join(_parts(pull))}",
    )
