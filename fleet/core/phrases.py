"""The words in which causes are told: one phrase for a person, a note for an agent."""

from typing import assert_never

from fleet.core.causes import (
    Cause,
    CheckResult,
    ChecksRed,
    Conflict,
    Died,
    Exhausted,
    GateRed,
    NoChange,
    SentBack,
    Unsealable,
)
from fleet.core.ids import TaskId

_SHOWN_FILES = 5


def reason(cause: Cause) -> str:
    """Return why work did not get through, in one phrase."""
    match cause:
        case Died(reason=why) | Unsealable(reason=why) | Exhausted(reason=why):
            return why
        case NoChange():
            return "ended without a change"
        case ChecksRed(results=results):
            return f"check {_red(results)}"
        case GateRed(results=results, beside=beside):
            return f"gate {_red(results)}{_together(beside)}"
        case Conflict(files=files):
            return f"conflicts with its target in {files_phrase(files)}"
        case SentBack(note=note, by=by):
            return f"returned by {by}: {note.splitlines()[0] if note else 'no note'}"
        case _:
            assert_never(cause)


def files_phrase(files: tuple[str, ...]) -> str:
    """Return a few of `files` and how many more there are."""
    shown = ", ".join(files[:_SHOWN_FILES])
    more = len(files) - _SHOWN_FILES
    return f"{shown} and {more} more" if more > 0 else shown


def note(cause: Cause, *, target: str) -> str:
    """Return what an agent is told, so that it can do better: what failed and where to look."""
    match cause:
        case ChecksRed(results=results):
            return _check_note("These checks failed in your workspace", results)
        case GateRed(results=results, beside=beside):
            head = f"These checks failed on your change merged with {target}"
            return _check_note(f"{head}{_together(beside)}", results)
        case Conflict():
            return _conflict_note(cause, target)
        case SentBack(note=text):
            return f"Your change was returned with this note:\n\n{text}"
        case Died() | NoChange() | Unsealable() | Exhausted():
            return f"The last attempt did not get through: {reason(cause)}."
        case _:
            assert_never(cause)


def _together(beside: tuple[TaskId, ...]) -> str:
    """Name the changes that landed before, without which it passes."""
    return f", together with {', '.join(beside)}, and passes without" if beside else ""


def told_at_length(cause: Cause) -> bool:
    """Whether the note on `cause` says more than its one phrase."""
    return isinstance(cause, ChecksRed | GateRed | Conflict | SentBack)


def _check_note(head: str, results: tuple[CheckResult, ...]) -> str:
    lines = [f"- {r.name}: {outcome(r)}; output: {r.log}" for r in results if not r.green]
    return f"{head}:\n\n" + "\n".join(lines) + "\n\nFix the cause; do not weaken the checks."


def _conflict_note(cause: Conflict, target: str) -> str:
    files = "\n".join(f"- {name}" for name in cause.files)
    others = "\n".join(f"- {line}" for line in cause.others)
    landed = f"\n\nWhat landed there meanwhile:\n\n{others}" if others else ""
    return (
        f"Your change conflicts with {target} in:\n\n{files}{landed}\n\n"
        f"Merge it into your branch (git merge {target}), keep what both sides meant, "
        "and commit the result."
    )


def _red(results: tuple[CheckResult, ...]) -> str:
    red = [result for result in results if not result.green]
    if not red:
        return "gave no verdict"
    more = f" (and {len(red) - 1} more)" if len(red) > 1 else ""
    return f"{red[0].name} {outcome(red[0])}{more}"


def outcome(result: CheckResult) -> str:
    """Return how a check ended, in a few words."""
    match result.state:
        case "failed":
            return f"failed with exit code {result.code}"
        case "empty":
            return "ran no tests"
        case "killed":
            return f"was killed by signal {result.code}"
        case "timeout":
            return f"took longer than its {result.seconds:.0f} s"
        case "unstartable":
            return "could not be started"
        case state:
            return state
