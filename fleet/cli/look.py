"""Looks at tasks: all of them, one of them, why it stands where it stands, where it lies."""

from collections.abc import Iterable
from typing import Any

import click
import msgspec

from fleet.cli.common import ask, examples, here, json_option, task_argument
from fleet.cli.output import Cell, Output, Style, emit, say, status_style
from fleet.cli.rows import short, task_table
from fleet.cli.text import age, changes, clock, now
from fleet.core.rows import ProofRow, TaskDetail, TaskRow, WhyView
from fleet.core.spans import span
from fleet.core.terminal import clean_lines
from fleet.core.verdicts import sentence
from fleet.protocol import List, Next, Path, Show, Why

_LABEL = 11


@click.command(
    epilog=examples("fleet ls", "fleet ls --all --here", "fleet ls --json | jq -r '.[].task'")
)
@click.option("-a", "--all", "every", is_flag=True, help="Also what has ended.")
@click.option("--here", "around", is_flag=True, help="Only of the repository around you.")
@json_option
@click.pass_obj
def ls(out: Output, *, every: bool, around: bool, as_json: bool) -> None:
    """List the tasks that have not ended."""
    answer = ask(List(all=every, cwd=here() if around else None))
    if as_json:
        emit(answer)
    elif answer:
        task_table(out, msgspec.convert(answer, list[TaskRow]), now())
    else:
        say('no tasks; begin with: fleet spawn -p "PROMPT"')


@click.command(epilog=examples("fleet show importer", "fleet show importer --json"))
@task_argument
@json_option
@click.pass_obj
def show(out: Output, *, task: str, as_json: bool) -> None:
    """Show all that is known of a task."""
    answer = ask(Show(task=task))
    if as_json:
        emit(answer)
        return
    detail = msgspec.convert(answer, TaskDetail)
    _show_head(out, detail.row)
    _facts(out, _facts_of(detail))
    for result in detail.results:
        good = result.green
        words = f"{result.name}: {result.state} after {span(result.seconds)}, see {result.log}"
        _fact(out, "check", Cell(words, "good" if good else "bad"))
    for proof in detail.proofs:
        _fact(out, "proof", Cell(_proof(proof), _PROOF.get(proof.state, "quiet")))
    _block("prompt", detail.prompt)
    _block("notes", detail.notes)
    wait = f" ({detail.messages_wait})" if detail.messages_wait else ""
    _block(f"messages{wait}", "\n".join(detail.messages))


_PROOF: dict[str, Style] = {"proven": "good", "refuted": "bad", "unbuildable": "wanted"}


def _proof(proof: ProofRow) -> str:
    """Say what a proof came to, and where a check says more."""
    red = [check for check in proof.checks if check.state not in ("passed", "flaky")]
    return f"{proof.says}, see {red[0].log}" if red else proof.says


def _show_head(out: Output, row: TaskRow) -> None:
    status = Cell(f"  {row.status}", status_style(row.status))
    out.line(Cell(row.task, "strong"), status, Cell(f"  {age(row.updated_at, now())}", "quiet"))
    out.line(row.title)
    print()
    if row.needs:
        _fact(out, "needs you", Cell(row.needs, "wanted"))
    if row.waits:
        _fact(out, "waits", Cell(row.waits, "quiet"))


def _facts_of(detail: TaskDetail) -> Iterable[tuple[str, str | None]]:
    row = detail.row
    saved = " (with uncommitted work, committed by fleet)" if detail.auto_commit else ""
    expected = f", about {detail.expect_lines} lines expected" if detail.expect_lines else ""
    limits = (f"{name} {value}" for name, value in detail.limits.items() if value is not None)
    cost = f"${row.cost_usd:.2f}, {row.tokens} tokens" if row.cost_usd or row.tokens else None
    return (
        ("reason", detail.reason),
        ("repository", row.repo),
        ("branch", f"{row.branch} from {short(row.base)} into {row.target}"),
        ("change", f"{short(row.head)} {changes(row.added, row.removed)}{saved}{expected}"),
        ("files", ", ".join(detail.files)),
        ("comments", _comments(detail)),
        *(("conflicts", f"with {it.task} in {', '.join(it.files)}") for it in row.conflicts_with),
        ("stale", f"conflicts with {row.target} in {', '.join(row.stale)}" if row.stale else None),
        ("worktree", row.worktree),
        ("agent", f"{row.agent or 'by hand'}, attempt {row.attempt}, done: {detail.done}"),
        ("pane", f"{row.pane}, process {row.pid}" if row.pane else None),
        ("after", ", ".join(row.after)),
        ("stack", f"{', '.join(row.stack)}, in this order" if row.stack else None),
        ("priority", row.priority if row.priority != "normal" else None),
        ("lands by", detail.land),
        ("verdict", sentence(detail.policy) if detail.policy else None),
        ("checks", "; ".join(detail.checks) or "no checks"),
        ("limits", ", ".join(limits)),
        ("cost", cost),
        ("created", clock(detail.created_at)),
        ("archived", detail.archived),
    )


def _comments(detail: TaskDetail) -> str | None:
    missing = f", {detail.unanswered} unanswered" if detail.unanswered else ""
    return (
        f"{detail.comments}{missing}: fleet comments {detail.row.task}" if detail.comments else None
    )


def _facts(out: Output, facts: Iterable[tuple[str, str | None]]) -> None:
    for label, value in facts:
        if value:
            _fact(out, label, Cell(value))


def _fact(out: Output, label: str, value: Cell) -> None:
    out.line(Cell(f"{label:{_LABEL}}", "quiet"), value)


def _block(label: str, text: str) -> None:
    if text.strip():
        print(f"\n{label}")
        _indented(text.strip("\n"))


def _indented(text: str) -> None:
    print("\n".join(f"  {line}".rstrip() for line in clean_lines(text).splitlines()))


@click.command(epilog=examples("fleet why importer"))
@task_argument
@json_option
@click.pass_obj
def why(out: Output, *, task: str, as_json: bool) -> None:
    """Say why a task stands where it stands, and what comes next."""
    answer = ask(Why(task=task))
    if as_json:
        emit(answer)
        return
    view = msgspec.convert(answer, WhyView)
    status = Cell(view.status, status_style(view.status))
    since = Cell(f" for {age(view.since, now())}", "quiet")
    out.line(Cell(view.task, "strong"), " is ", status, since)
    if view.needs:
        out.line(Cell(f"needs you: {view.needs}", "wanted"))
    for because in view.because:
        if because != view.needs:
            _indented(because)
    if view.signals:
        print()
        rows = [
            [
                Cell("wins" if signal.wins else "", "good"),
                Cell(signal.source),
                Cell(signal.says),
                Cell(f"{span(signal.age_s)} ago", "quiet"),
            ]
            for signal in view.signals
        ]
        out.table(("", "SIGNAL", "SAYS", "WHEN"), rows, give=(2, 1))
    if view.next:
        print()
        out.line(f"next: {view.next}")


@click.command(name="next", epilog=examples("fleet next", 'fleet attach "$(fleet next)"'))
@json_option
@click.pass_obj
def next_(out: Output, *, as_json: bool) -> int:
    """Name the task that has needed a person for longest; exit with 1 where none does."""
    answer: dict[str, Any] | None = ask(Next())
    if as_json:
        emit(answer)
    elif answer is None:
        say("nothing needs you")
    elif out.terminal:
        task_table(out, [msgspec.convert(answer, TaskRow)], now())
    else:
        print(answer["task"])
    return 0 if answer else 1


@click.command(epilog=examples('cd "$(fleet path importer)"'))
@task_argument
@json_option
def path(*, task: str, as_json: bool) -> None:
    """Print where a task's worktree is."""
    answer = ask(Path(task=task))
    if as_json:
        emit(answer)
    else:
        print(answer["path"])


COMMANDS = (ls, show, why, next_, path)
