"""`fleet demo`: several agents at work in a throw-away place; succeeds only if all ends as told."""

import time
from collections.abc import Iterable

import msgspec

from fleet.cli.demo_cast import CAST, TOTAL, Part, surprises
from fleet.cli.demo_show import Show as Screen
from fleet.cli.demo_stage import Stage, stage
from fleet.cli.output import Cell, Output, Waiting, say, status_style
from fleet.cli.rows import short
from fleet.cli.text import count
from fleet.client import Client, Stream, agent_environment
from fleet.core.commands import Approve, Spawn
from fleet.core.rows import TaskDetail, TaskRow, WhyView
from fleet.errors import RefusedError, TimedOutError
from fleet.protocol import Diff, Events, List, Show, Why

_LIMIT_S = 55.0
_LOOK_S = 0.5  # how often the ages on the screen change
_ENDED = frozenset({"landed", "failed", "stopped", "withdrawn"})
_UNDER_WAY = frozenset(
    {
        *("blocked", "queued", "starting", "working", "waiting", "idle", "stalled", "unknown"),
        *("checking", "review", "approved", "landing", "stopping"),
    }
)


def main(out: Output, *, keep: bool) -> int:
    """Play the demonstration; return 0 if everything went as expected, else 1."""
    began = time.monotonic()
    with stage(keep=keep) as place:
        details, why = _play(out, place)
        found = surprises(details, why)
        _curtain(out, place, details, why)
        if keep:
            tell_way(place)
    for sentence in found:
        say(f"not as expected: {sentence}")
    landed = sum(detail.row.status == "landed" for detail in details.values())
    verdict = "all as expected" if not found else "not as expected"
    seconds = time.monotonic() - began
    out.line(
        Cell(verdict, "bad" if found else "good"),
        f": {landed} of {TOTAL} changes landed, in {seconds:.0f} s",
    )
    return 1 if found else 0


def _play(out: Output, place: Stage) -> tuple[dict[str, TaskDetail], dict[str, str]]:
    screen = Screen(out)
    screen.say(f"a repository and a fleet home of their own: {place.root}")
    waiting = Waiting("starting the supervisor")
    with Client.connect(place.home, start=True, waiting=waiting) as client:
        waiting.clear()
        spawn(client, place, CAST)
        screen.say(f"{TOTAL} agents start, each in a worktree of its own")
        with Client.connect(place.home, start=False) as other:
            _watch(client, other.stream(Events(follow=True)), screen)
        details = [client.ask(Show(task=part.name)) for part in CAST]
        views = [client.ask(Why(task=part.name)) for part in CAST]
    return (
        {it.row.task: it for it in msgspec.convert(details, list[TaskDetail])},
        {it.task: _reason(it) for it in msgspec.convert(views, list[WhyView])},
    )


def spawn(client: Client, place: Stage, parts: Iterable[Part]) -> None:
    """Give everyone their part."""
    environment = agent_environment()
    client.ask_all(
        [
            Spawn(
                cwd=str(place.repository),
                prompt=part.command,
                environment=environment,
                name=part.name,
                title=part.title,
                agent=part.agent,
                checks=part.checks,
                attempts=part.attempts,
                timeout_s=part.timeout_s,
            )
            for part in parts
        ]
    )


def _watch(client: Client, events: Stream, screen: Screen) -> None:
    """Follow the play, approve what a person would approve, and return once all is settled."""
    deadline = time.monotonic() + _LIMIT_S
    approved: set[str] = set()
    while time.monotonic() < deadline:
        rows = msgspec.convert(client.ask(List(all=True)), list[TaskRow])
        screen.update(rows)
        if len(rows) == TOTAL and all(_settled(row) for row in rows):
            return
        for row in rows:
            if row.status == "review" and row.task not in approved:
                _approve(client, row.task, screen, approved)
        if events.wait(_LOOK_S) is not None:
            while events.wait(0) is not None:
                pass  # one look shows what they all have changed
    raise TimedOutError(
        f"not all agents have settled within {_LIMIT_S:.0f} s",
        hint="fleet demo --keep leaves everything to look at",
    )


def _settled(row: TaskRow) -> bool:
    return row.status in _ENDED or (bool(row.needs) and row.status not in _UNDER_WAY)


def _approve(client: Client, task: str, screen: Screen, approved: set[str]) -> None:
    """Do what a person does: read the change, then approve exactly what was read."""
    try:
        head = client.ask(Diff(task=task))["head"]
        client.ask(Approve(task=task, head=head))
    except RefusedError:
        return  # it is not what it was a moment ago: the next look shows what it is
    approved.add(task)
    screen.say(f"approved for you: {task} at {short(head)} (fleet diff, then fleet approve)")


def _reason(view: WhyView) -> str:
    return view.needs or "; ".join(view.because)


def _curtain(
    out: Output, place: Stage, details: dict[str, TaskDetail], why: dict[str, str]
) -> None:
    print()
    rows = [
        [
            Cell(name, "strong"),
            Cell(detail.row.status, status_style(detail.row.status)),
            Cell(str(detail.row.attempt), "quiet"),
            Cell("" if detail.row.status == "landed" else why[name]),
        ]
        for name, detail in details.items()
    ]
    out.table(("AGENT", "ENDED AS", "ATTEMPT", "WHY IT DID NOT LAND"), rows, give=(3,))
    print()
    commits = place.git("log", "--first-parent", "--format=%h %s", "main").splitlines()
    _lines(out, f"main has {count(len(commits), 'commit')}:", commits)


def _lines(out: Output, head: str, lines: Iterable[str]) -> None:
    out.line(Cell(head, "strong"))
    for line in lines:
        out.line(f"  {line}")


def tell_way(place: Stage) -> None:
    """Say how to look around on a stage that was kept."""
    say(f"everything is left in {place.root}; to look around:")
    say(f"  export FLEET_HOME={place.home.root}")
    say(f"  cd {place.repository}; fleet ls --all")
    say(f"afterwards: fleet down --stop-agents; rm -r {place.root}; unset FLEET_HOME")
