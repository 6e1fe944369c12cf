"""What a reviewer is told of one change: how it stands, what checks said, what was asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from msgspec import Struct

from fleet.core.causes import CheckResult
from fleet.core.packet import Packet
from fleet.core.packet_text import parts
from fleet.core.rows import LiveRow, QueueRow, TaskDetail, WhyView
from fleet.core.spans import span
from fleet.core.verdicts import sentence
from fleet.tui.cells import Line, Span, cropped, spread, tidy, wrapped
from fleet.tui.views.reading import Document, Row, Section

PANES = ("diff", "checks", "task", "packet")
SHORT = 10  # digits of a commit
RISKS = {"low": "good", "medium": "wanted", "high": "bad"}
_LONGEST_OUTPUT = 5000  # lines of one check's output that are shown: its last ones
_STATES = {
    "passed": ("✓", "good"),
    "flaky": ("✓", "good"),
    "running": ("…", "busy"),
    "cancelled": ("·", "quiet"),
}


class Shown(Struct, frozen=True, kw_only=True):
    """The revision that is on the screen; `seen` is what this person was shown before, or 0."""

    task: str
    head: str
    base: str
    revision: int
    seen: int = 0
    auto_commit: bool = False
    sealed: bool = True
    files: int = 0
    added: int = 0
    removed: int = 0
    cut: bool = False  # there is more than fits on a screen
    since: int = 0  # the revision from which on it shows what has changed
    unfit: tuple[str, ...] = ()  # where that one does not fit onto the newer target


class Standing(Struct, frozen=True, kw_only=True):
    """All that is known of the change now: what is on the screen, and what the fleet says of it."""

    task: str
    shown: Shown | None = None
    live: LiveRow | None = None
    entry: QueueRow | None = None
    detail: TaskDetail | None = None
    why: WhyView | None = None
    packet: Packet | None = None
    open: tuple[str, ...] = ()  # what is still to be done about comments


def newer(now: Standing) -> bool:
    """Whether a newer revision is in the queue than the one on the screen."""
    return now.shown is not None and now.entry is not None and now.entry.head != now.shown.head


def header(now: Standing, columns: int) -> list[Line]:
    """Return what the change is, how it stands, and what a reviewer must not overlook."""
    lines = [_title(now, columns)]
    if now.shown is not None:
        lines.append(spread(_what(now, now.shown), _where(now), columns))
    if now.entry is not None and now.entry.policy is not None:
        lines.append(cropped((Span(f" {tidy(sentence(now.entry.policy))}", "quiet"),), columns))
    lines += [cropped((Span(f" ! {text}", style),), columns) for text, style in _warnings(now)]
    return lines


def _title(now: Standing, columns: int) -> Line:
    row = now.live.row if now.live else now.detail.row if now.detail else None
    title = tidy(row.title) if row else ""
    left = (Span(f" {tidy(now.task)}", "strong"), Span(f"  {title}", "quiet"))
    return spread(left, (*_risk(now), *_verdict(now), Span(" ")), columns)


def _risk(now: Standing) -> Line:
    if now.entry is None or now.entry.risk is None:
        return ()
    return (Span(f"{now.entry.risk} risk", RISKS[now.entry.risk]), Span("  "))


def _verdict(now: Standing) -> Line:
    if now.entry is not None and now.entry.approved_by:
        return (Span(f"approved by {tidy(now.entry.approved_by)}", "good"),)
    if now.live is None:
        return ()
    if now.entry is not None:
        return (Span("not approved", "wanted"),)
    return (Span(tidy(now.live.row.status), "quiet"),)


def _what(now: Standing, shown: Shown) -> Line:
    target = now.live.row.target if now.live else ""
    said = [Span(f" → {tidy(target)}" if target else " ", "")]
    if shown.sealed:
        said.append(Span(f"  revision {shown.revision}", ""))
        if 0 < shown.seen < shown.revision:
            said.append(Span(f" (you saw {shown.seen})", "wanted"))
        if shown.since:
            said.append(Span(f"  since revision {shown.since}", "wanted"))
    else:
        said.append(Span("  the branch so far", "wanted"))
    said.append(Span(f"  {tidy(shown.head)[:SHORT]}", "quiet"))
    more = "over " if shown.cut else ""
    said.append(Span(f"  {more}+{shown.added}", "added"))
    said.append(Span(f" -{shown.removed}", "removed"))
    noun = "file" if shown.files == 1 else "files"
    said.append(Span(f"  {shown.files} {noun}", "quiet"))
    return tuple(said)


def _where(now: Standing) -> Line:
    if now.entry is None:
        return (Span(""),)
    waits = f", waits for {tidy(now.entry.waits_for)}" if now.entry.waits_for else ""
    return (Span(f"#{now.entry.position} {tidy(now.entry.state)}{waits} ", "quiet"),)


def _warnings(now: Standing) -> list[tuple[str, str]]:
    said = []
    if newer(now):
        said.append(("a newer revision has come; r reads it", "wanted"))
    if now.shown is not None and now.shown.auto_commit:
        said.append(("it has uncommitted work that fleet committed", "wanted"))
    if now.shown is not None and now.shown.unfit:
        files = "  ".join(map(tidy, now.shown.unfit))
        news = f"revision {now.shown.since} conflicts with the newer target, whose news shows, too"
        said.append((f"{news}: {files}", "wanted"))
    said += [(text, "wanted") for text in now.open]
    if now.live is not None and now.live.conflicts:
        said.append((f"conflicts: {'  '.join(map(tidy, now.live.conflicts))}", "bad"))
    return said


def tabs(pane: str, results: Sequence[CheckResult], place: str, columns: int) -> Line:
    """Return the names of the panes, of which one is open, and where in it the reader is."""
    line: list[Span] = [Span(" ")]
    for name in PANES:
        line.append(Span(f" {name} ", "tab" if name == pane else "quiet"))
        line.append(Span(_tally(results) if name == "checks" else "", _tally_style(results)))
        line.append(Span(" "))
    return spread(tuple(line), (Span(f"{place} ", "quiet"),), columns)


def _tally(results: Sequence[CheckResult]) -> str:
    red = sum(not it.green for it in results)
    return (f"✗{red} " if red else f"✓{len(results)} ") if results else ""


def _tally_style(results: Sequence[CheckResult]) -> str:
    return "good" if all(it.green for it in results) else "bad"


def sign(state: str) -> tuple[str, str]:
    """Return the sign of a check's state, and its style."""
    return _STATES.get(state, ("✗", "bad"))


def stem(result: CheckResult) -> str:
    """Return the name by which the supervisor knows this output of this check."""
    return PurePath(result.log).stem if result.log else result.name


def checks(
    results: Sequence[CheckResult], outputs: Mapping[str, str], commands: Sequence[str] = ()
) -> Document:
    """Return what each check printed, the red ones first; `outputs` are by `stem`.

    `commands` are the task's own checks, which have numbers for names.
    """
    named = {f"check-{number}": command for number, command in enumerate(commands, 1)}
    rows: list[Row] = []
    sections: list[Section] = []
    for result in sorted(results, key=lambda it: it.green):
        mark, style = sign(result.state)
        sections.append(Section(len(rows), tidy(result.name), (Span(mark, style),)))
        rows.append(Row(_told(result, named), f"{style} strong", " ", f"{mark} "))
        rows += _output(outputs.get(stem(result)))
    return Document(tuple(rows or [Row("it has no checks", "wanted", " ")]), tuple(sections))


def _told(result: CheckResult, commands: Mapping[str, str]) -> str:
    place = "on the merged tree" if stem(result).startswith("gate-") else "in the workspace"
    code = f" with {result.code}" if result.state in ("failed", "killed") else ""
    said = f"{tidy(result.name)}  {result.state}{code}  {result.seconds:.1f}s  {place}"
    return f"{said}  $ {tidy(commands[result.name])}" if result.name in commands else said


def _output(text: str | None) -> list[Row]:
    if text is None:
        return [Row("reading its output", "quiet", "   "), Row("")]
    lines = text.rstrip("\n").split("\n")
    kept = [Row(line, "", "   ") for line in lines[-_LONGEST_OUTPUT:]]
    if not text.strip():
        kept = [Row("it printed nothing", "quiet", "   ")]
    if len(lines) > _LONGEST_OUTPUT:
        left_out = Row(f"{len(lines) - _LONGEST_OUTPUT} lines before these", "quiet", "   ")
        kept.insert(0, left_out)
    return [*kept, Row("")]


def task(now: Standing, columns: int, at: datetime) -> Document:
    """Return what was asked for, within which limits, what came of it, and why it stands there."""
    detail, rows, sections = now.detail, list[Row](), list[Section]()
    if detail is None:
        return Document((Row("asking for it", "quiet", " "),))
    why = now.why
    parts: list[tuple[str, list[str]]] = [
        ("prompt", [detail.prompt]),
        ("it must pass", list(detail.checks) or ["no check of its own"]),
        ("why it stands there", list(why.because) if why else []),
        ("what comes next", [why.next] if why and why.next else []),
        ("limits", _limits(detail)),
        ("run", _run(detail, at)),
        ("notes of its attempts", [detail.notes] if detail.notes.strip() else []),
        ("told to the agent", list(detail.messages)),
    ]
    for name, texts in parts:
        if texts:
            sections.append(Section(len(rows), name))
            rows.append(Row(name, "title", " "))
            lines = [line for text in texts for line in wrapped(text, columns - 4)]
            rows += [Row(line, "", "   ") for line in lines]
            rows.append(Row(""))
    return Document(tuple(rows), tuple(sections), indexed=False)


def packet(now: Standing, columns: int) -> Document:
    """Return what is computed about the change, its risk and the reasons for that first."""
    if now.packet is None:
        return Document((Row("it has no change to review yet", "quiet", " "),))
    rows, sections = list[Row](), list[Section]()
    named = sorted(parts(now.packet), key=lambda part: part.name != "risk")
    for part in named:
        sections.append(Section(len(rows), part.name))
        rows.append(Row(part.name, "title", " "))
        for it in part.rows:
            style = "" if it.style == "plain" else it.style
            rows += [Row(line, style, "   ") for line in wrapped(it.text, columns - 4)]
        rows.append(Row(""))
    return Document(tuple(rows), tuple(sections), indexed=False)


def _limits(detail: TaskDetail) -> list[str]:
    said = [f"{_WORDS.get(name, name)}: {_amount(name, it)}" for name, it in detail.limits.items()]
    land = "as soon as it is green" if detail.land == "auto" else "once a person approves it"
    return [*said, f"done: {detail.done}", f"lands {land}"]


_WORDS = {
    "attempts": "attempts",
    "retries": "red checks told to a live agent",
    "timeout_s": "wall time",
    "budget_usd": "budget",
}


def _amount(name: str, value: Any) -> str:
    if isinstance(value, float) and name.endswith("_s"):
        return span(value)
    return f"${value:.2f}" if name.endswith("_usd") else str(value)


def _run(detail: TaskDetail, at: datetime) -> list[str]:
    row = detail.row
    said = [f"agent: {row.agent or 'none, made by hand'}", f"attempt: {row.attempt}"]
    said.append(f"asked for {span((at - detail.created_at).total_seconds())} ago")
    if row.cost_usd or row.tokens:
        said.append(f"cost: ${row.cost_usd:.2f}, {row.tokens / 1000:.0f}k tokens")
    if row.stack:
        said.append(f"stack: {' → '.join(row.stack)}")
    elif row.after:
        said.append(f"after: {', '.join(row.after)}")
    said.append(f"branch: {row.branch}, from {row.base[:SHORT]}")
    if row.worktree:
        said.append(f"worktree: {row.worktree}")
    return said
