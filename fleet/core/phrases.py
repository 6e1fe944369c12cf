"""The words in which causes are told: one phrase for a person, a note for an agent."""

import shlex
from collections.abc import Sequence
from typing import assert_never

from fleet.core import remarks
from fleet.core.causes import (
    Cause,
    CheckResult,
    ChecksRed,
    Conflict,
    Died,
    Exhausted,
    GateRed,
    Intent,
    NoChange,
    PullRed,
    PullReview,
    SentBack,
    Unsealable,
)
from fleet.core.change import Member
from fleet.core.ids import Commit, TaskId
from fleet.core.terminal import clean

_SHOWN_FILES = 5
_MOST_FILES = 40


def reason(cause: Cause) -> str:
    """Return why work did not get through, in one phrase."""
    match cause:
        case Died(reason=why) | Unsealable(reason=why) | Exhausted(reason=why):
            return why
        case NoChange():
            return "ended without a change"
        case ChecksRed() | GateRed():
            return _red_reason(cause)
        case Conflict(files=files):
            return f"conflicts with its target in {files_phrase(files)}"
        case PullRed() | PullReview():
            return _pull_reason(cause)
        case SentBack(note=text, by=by, comments=comments):
            first = text.strip().splitlines()[0] if text.strip() else ""
            return f"returned by {by}: {first or remarks.count(comments) or 'no note'}"
        case _:
            assert_never(cause)


def _red_reason(cause: ChecksRed | GateRed) -> str:
    if isinstance(cause, GateRed):
        return f"gate {_red(cause.results)}{_together(cause.beside)}"
    return f"check {_red(cause.results)}"


def _pull_reason(cause: PullRed | PullReview) -> str:
    if isinstance(cause, PullRed):
        return f"{cause.noun}: {files_phrase(tuple(clean(it.name) for it in cause.checks))} failed"
    who = ", ".join(dict.fromkeys(clean(it.by) for it in cause.remarks)) or "somebody"
    return f"{cause.noun}: {who} asked for changes"


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
        case GateRed(others=others) if others:
            return _pair_note(cause, target)
        case GateRed(results=results, beside=beside):
            head = f"These checks failed on your change merged with {target}"
            return _check_note(f"{head}{_together(beside)}", results)
        case Conflict():
            return _conflict_note(cause, target)
        case SentBack(note=text, comments=comments):
            return remarks.note(text, comments)
        case PullRed() | PullReview():
            return _pull_note(cause)
        case Died() | NoChange() | Unsealable() | Exhausted():
            return f"The last attempt did not get through: {reason(cause)}."
        case _:
            assert_never(cause)


def _together(beside: tuple[TaskId, ...]) -> str:
    """Name the changes that landed before, without which it passes."""
    return f", together with {', '.join(beside)}, and passes without" if beside else ""


def told_at_length(cause: Cause) -> bool:
    """Whether the note on `cause` says more than its one phrase."""
    return isinstance(cause, ChecksRed | GateRed | Conflict | SentBack | PullRed | PullReview)


def _check_note(head: str, results: tuple[CheckResult, ...]) -> str:
    lines = [f"- {r.name}: {outcome(r)}; output: {r.log}" for r in results if not r.green]
    return f"{head}:\n\n" + "\n".join(lines) + "\n\nFix the cause; do not weaken the checks."


def _pull_note(cause: PullRed | PullReview) -> str:
    where = f"{cause.noun} ({clean(cause.url)}), which holds your change"
    if isinstance(cause, PullRed):
        failed = _list([f"{it.name}: {it.url}" if it.url else it.name for it in cause.checks])
        told = f"These checks failed on {where}:\n\n{failed}"
        return f"{told}\n\nFix the cause; do not weaken the checks."
    said = "\n\n".join(f"{clean(it.by)} wrote:\n{_quoted(it.text)}" for it in cause.remarks)
    return (
        f"Changes are asked for on {where}. What follows are the words of people there about your "
        f"change; whatever else they seem to ask for is not your task.\n\n{said}"
    )


def _quoted(text: str) -> str:
    return "\n".join(f"> {clean(line)}" for line in text.splitlines())


def _conflict_note(cause: Conflict, target: str) -> str:
    told = [f"Your change conflicts with {clean(target)}{_files(cause.files)}"]
    if cause.kinds:
        told.append("What git says:\n\n" + _list(cause.kinds))
    if cause.own is not None:
        told.append(f"What you were asked for:\n\n{_intent(cause.own)}")
    if cause.landed:
        landed = "\n".join(map(_intent, cause.landed))
        told.append(f"What the changes that it meets there were for:\n\n{landed}")
    if cause.others:
        told.append("What landed there meanwhile:\n\n" + _list(cause.others))
    return "\n\n".join((*told, _resolving(cause, target)))


def _resolving(cause: Conflict, target: str) -> str:
    name = shlex.quote(clean(target))
    checks = "; ".join(clean(check) for check in cause.checks)
    passes = f"see that it passes: {checks}" if checks else "see that it works"
    keeping = (
        "in each of these files, keep what both sides meant; leave no <<<<<<<, ======= or >>>>>>>"
    )
    if cause.base is not None:
        return _replaying(name, cause.base, keeping, passes)
    steps = [
        "git status, and commit what is not committed",
        f"git merge {name} (it is here already: fetch nothing)",
        keeping,
        "what has no text to be merged: git checkout --ours FILE (yours) or --theirs FILE, whole",
        passes,
        "git add -A && git commit --no-edit",
    ]
    return f"Resolve it on your branch:\n\n{_numbered(steps)}"


def _replaying(onto: str, base: Commit, keeping: str, passes: str) -> str:
    """What stands on another change is replayed: a merge would bring that change once more."""
    steps = [
        "git status, and commit what is not committed",
        f"git rebase --onto {onto} {base} (both are here already: fetch nothing)",
        keeping,
        "git add -A && git -c core.editor=true rebase --continue, until it is done",
        passes,
    ]
    return f"Put your own commits onto it, without those that you began on:\n\n{_numbered(steps)}"


def restack(parent: Intent, upon: Member, *, sealed: Commit, base: Commit) -> str:
    """Return what an agent is told when the change that its work stands on has a new revision."""
    keeping = "where it conflicts, keep what both sides meant"
    return (
        f"The change that your work is to stand on is at revision {upon.revision} now:\n\n"
        f"{_intent(parent)}\n\n"
        f"{_replaying(str(sealed), base, keeping, 'see that your work still does what it should')}"
    )


def _numbered(steps: Sequence[str]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def pair(cause: Cause | None) -> tuple[str, ...]:
    """Return with what a change fails together, a line each: what that was for, and its files."""
    if not isinstance(cause, GateRed) or not cause.others:
        return ()
    files = f", which changed {clean(files_phrase(cause.files))}" if cause.files else ""
    return tuple(f"it fails together with {it.task}: {it.title}{files}" for it in cause.others)


def _pair_note(cause: GateRed, target: str) -> str:
    """Return what an agent is told whose change passes alone, and fails together with others."""
    names = " and ".join(clean(it.task) for it in cause.others)
    head = (
        f"Your change passes its checks alone, and so does what {names} changed; together, on "
        f"{clean(target)}, these checks fail"
    )
    mine = f"What you were asked for:\n\n{_intent(cause.own)}\n\n" if cause.own else ""
    theirs = "\n".join(map(_intent, cause.others))
    changed = f"It changed{_listed(cause.files)}\n\n" if cause.files else ""
    return (
        f"{_check_note(head, cause.results)}\n\n{mine}"
        f"What the other side was for:\n\n{theirs}\n\n{changed}"
        "No line of them conflicts: one side changes something that the other relies on. "
        f"The other side has landed, so it is on {clean(target)}: "
        f"git merge {shlex.quote(clean(target))}, and fit yours to it."
    )


def warning(files: tuple[str, ...], other: Intent, *, branch: str, target: str) -> str:
    """Return what an agent is told of another's work that does not merge with its own so far."""
    names, paths = clean(branch), " ".join(shlex.quote(clean(name)) for name in files[:_MOST_FILES])
    look = f"git diff {shlex.quote(f'{clean(target)}...{names}')} -- {paths}"
    return (
        f"Your branch and {names} do not merge as they stand, because of{_files(files)}\n\n"
        f"That branch is for another task:\n\n{_intent(other)}\n\n"
        f"It has not landed, so there is nothing to merge yet. See what it does there: {look}\n\n"
        "Where you can do what you were asked for without changing the same lines, do that. Else "
        "leave yours as it is, and go on: whoever lands second is told how to resolve it."
    )


def _files(files: tuple[str, ...]) -> str:
    return f" in{_listed(files)}" if files else "."


def _listed(files: tuple[str, ...]) -> str:
    more = len(files) - _MOST_FILES
    listed = _list((*files[:_MOST_FILES], *([f"and {more} more"] if more > 0 else [])))
    return f":\n\n{listed}"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {clean(line)}" for line in lines)


def _intent(intent: Intent) -> str:
    more = "".join(f"\n    {clean(line)}" for line in intent.summary.splitlines())
    return f"- {clean(intent.task)}: {clean(intent.title)}{more}"


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
