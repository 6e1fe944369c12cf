"""Running one check to a verdict; what could not be run to its end is never green."""

import threading
from pathlib import Path
from typing import assert_never

from fleet.core.causes import CheckResult
from fleet.core.policy import Check
from fleet.core.vacuous import LONGEST, ran_nothing
from fleet.tools.processes.check import (
    Cancelled,
    CouldNotStart,
    Failed,
    Killed,
    Passed,
    TimedOut,
    run_check,
)
from fleet.tools.processes.check import CheckResult as Outcome


def judge(
    check: Check,
    cwd: Path,
    environment: dict[str, str],
    *,
    log: Path,
    token: str,
    stop: threading.Event,
    again: bool = False,
) -> CheckResult:
    """Run `check` in `cwd` and return its verdict.

    A check that was killed from outside said nothing, so it is run once more; with `again`, so is
    one that failed: green at the second run is flaky, and told so.
    """
    result = _once(check, cwd, environment, log=log, token=token, stop=stop)
    retried = result.state == "killed" or (again and result.state in {"failed", "timeout"})
    if not retried or stop.is_set():
        return result
    second = _once(
        check, cwd, environment, log=log.with_suffix(".2.log"), token=f"{token}-2", stop=stop
    )
    if second.state == "passed" and result.state != "killed":
        return CheckResult(name=check.name, state="flaky", seconds=second.seconds, log=str(log))
    return second


def _once(
    check: Check,
    cwd: Path,
    environment: dict[str, str],
    *,
    log: Path,
    token: str,
    stop: threading.Event,
) -> CheckResult:
    outcome = run_check(
        check.run,
        cwd=cwd,
        env=environment,
        timeout_s=check.timeout_s,
        log=log,
        token=token,
        stop=stop,
    )
    state, code = _state(outcome)
    if state == "passed" and not check.allow_empty and _ran_nothing(check, log):
        state = "empty"
    seconds = 0.0 if isinstance(outcome, CouldNotStart | Cancelled) else outcome.seconds
    return CheckResult(
        name=check.name, state=state, seconds=round(seconds, 3), log=str(log), code=code
    )


def _ran_nothing(check: Check, log: Path) -> bool:
    """Whether the check's own words say that it passed for want of a test."""
    with log.open(encoding="utf-8", errors="replace") as file:
        return ran_nothing(check.run, file.read(LONGEST + 1))


def _state(outcome: Outcome) -> tuple[str, int | None]:
    match outcome:
        case Passed():
            return "passed", 0
        case Failed(code=code):
            return "failed", code
        case Killed(signal=signal):
            return "killed", signal
        case TimedOut():
            return "timeout", None
        case CouldNotStart():
            return "unstartable", None
        case Cancelled():
            return "cancelled", None
        case _:
            assert_never(outcome)
