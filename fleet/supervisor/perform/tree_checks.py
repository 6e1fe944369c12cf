"""Running checks on a tree that is in nobody's workspace: in a borrowed gate, one by one."""

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from fleet.core.causes import CheckResult
from fleet.core.model import Task
from fleet.core.policy import Check, RepoPolicy
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.judging import judge
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import gates as worktrees
from fleet.tools.git.repository import Place


def run_checks_on(
    tools: Tools,
    place: Place,
    task: Task,
    policy: RepoPolicy,
    *,
    commit: str,
    checks: tuple[Check, ...],
    stem: str,
    stop: threading.Event,
    already: tuple[CheckResult, ...] = (),
    again: bool = False,
) -> tuple[CheckResult, ...]:
    """Run `checks` on the tree of `commit`, up to the first that is red, and say what each said.

    Waits for one of the worktrees that the machine lends. Environment and token are
    those of `task`; a log is named after `stem` and its check. Of `already`, what these checks
    said of the same tree before, what is green is not run again, and what failed and passes now
    is flaky. `again` is as in `judge`. Once `stop` is set the last result is `cancelled`.

    Raises:
        RefusedError, ToolError: the tree cannot be checked out, or a process cannot be ended.
    """
    before = {result.name: result for result in already}
    if all(check.name in before and before[check.name].green for check in checks):
        return tuple(before[check.name] for check in checks)
    with tools.gates.borrow(task.repo, workers=tools.workers, stop=stop) as path:
        if path is None:
            return (CheckResult(name=checks[0].name, state="cancelled", seconds=0.0, log=""),)
        worktrees.check_out(place, path, commit, keep=policy.keep, lock=tools.lock(task.repo))
        environment = surroundings.agent_environment(tools, task, policy)
        run = _runner(tools, task, path, environment, stem=stem, stop=stop, again=again)
        return tuple(_until_red(run, checks, before))


def _runner(
    tools: Tools,
    task: Task,
    path: Path,
    environment: dict[str, str],
    *,
    stem: str,
    stop: threading.Event,
    again: bool,
) -> Callable[[Check], CheckResult]:
    def run(check: Check) -> CheckResult:
        name = f"{stem}-{check.name}"
        token, log = tools.token(task.id, task.attempt, name), tools.home.check_log(task.id, name)
        return judge(check, path, environment, log=log, token=token, stop=stop, again=again)

    return run


def _until_red(
    run: Callable[[Check], CheckResult],
    checks: tuple[Check, ...],
    before: Mapping[str, CheckResult],
) -> Iterator[CheckResult]:
    for check in checks:
        known = before.get(check.name)
        result = known if known and known.green else _again(run(check), known)
        yield result
        if not result.green:
            return


def _again(result: CheckResult, before: CheckResult | None) -> CheckResult:
    """Return a result as it reads beside an earlier one of the same check on the same tree."""
    if result.green and before and before.state in {"failed", "timeout"}:
        return replace(result, state="flaky", log=before.log, code=None)
    return result
