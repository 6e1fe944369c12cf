"""A supervisor that dies at any moment leaves a ledger from which another one ends the same way."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import fakes
import histories as h
import pytest
from fakes import Clock, Script, World

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.facts import AgentFacts, RepoFacts, SpawnFacts
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.core.plan import plan
from fleet.core.policy import FleetPolicy, Land
from fleet.core.status import Running
from fleet.core.views import needs, status_word
from fleet.supervisor.loop import Supervisor

# Of how many moments one is tried. The slow run tries each.
EVERY = int(os.environ.get("FLEET_RESTART_EVERY", "7"))
GIVEN = h.circumstances(fleet=FleetPolicy(slots=3, pool=1))
SCRIPTS = {
    TaskId(name): script
    for name, script in {
        "red": Script(red=frozenset({1})),
        "hopeless": Script(red=frozenset(range(1, 9))),
        "conflict": Script(conflict=frozenset({1})),
        "empty": Script(empty=frozenset(range(1, 9))),
        "gate-red": Script(gate_red=frozenset({1})),
        "dies": Script(dies=frozenset({1})),
        "stopped": Script(hangs=True),
        "slow": Script(hangs=True),
    }.items()
}
ENDS = {
    "plain": "landed",
    "red": "landed",
    "hopeless": "failed",
    "conflict": "landed",
    "empty": "failed",
    "gate-red": "landed",
    "dies": "landed",
    "stopped": "stopped",
    "slow": "failed",
    "returned": "landed",
    "later": "landed",
    "never": "blocked",
}


def spawns() -> Iterator[c.Spawn]:
    """What the person asked for, in order."""
    talks = {"red", "conflict", "returned"}
    for name in ENDS:
        land: Land = "review" if name in {"plain", "returned", "conflict"} else "auto"
        after = {"later": ("red", "plain"), "never": ("stopped",)}.get(name, ())
        yield c.Spawn(
            cwd="/srv/shop",
            prompt=f"do {name}",
            environment={},
            name=name,
            done="turn" if name in talks else "exit",
            attempts=2,
            retries=1,
            checks=("make test",),
            timeout_s=600.0 if name == "slow" else None,
            land=land,
            after=after,
        )


def wish(fleet: Fleet) -> c.AnyCommand | None:
    """What the person does next, going by what is shown."""
    for spawn in spawns():
        if TaskId(spawn.name or "") not in fleet.tasks:
            return spawn
    for task in fleet.tasks.values():
        if task.id == "stopped" and isinstance(task.status, Running):
            return c.Stop(task=task.id)
        if (needs(fleet, task, GIVEN.target(h.REPO, "main")) or "").startswith("review"):
            if task.id == "returned" and task.revision == 1:
                return c.Return(task=task.id, note="say more")
            return c.Approve(task=task.id)
    return None


def facts(command: c.AnyCommand) -> SpawnFacts | None:
    if not isinstance(command, c.Spawn):
        return None
    repo = RepoFacts(
        id=h.REPO,
        root="/srv/shop",
        git_dir="/srv/shop/.git",
        target="main",
        tip=h.BASE,
        policy=GIVEN.target(h.REPO, "main"),
    )
    agent = AgentFacts("shell", converses=command.done == "turn", done="exit", attempts=1)
    return SpawnFacts(repo=repo, agent=agent, base=None, branches=frozenset())


async def carry_on(supervisor: Supervisor, world: World, clock: Clock) -> None:
    """Let agents, the person and time go on until nothing more happens."""
    while True:
        await supervisor.settled()
        assert supervisor.crashed is None
        if signals := world.signals(supervisor.fleet):
            supervisor.record(signals)
        elif command := wish(supervisor.fleet):
            supervisor.submit(command, facts(command))
        elif (wake := plan(supervisor.fleet, GIVEN, clock.now).wake_at) is not None:
            clock.now = wake
            supervisor.reconcile_soon()
        else:
            return


async def finish(path: Path, *, lost: bool = False) -> tuple[dict[str, str], list[e.Entry]]:
    """Continue the ledger at `path` to the end: how each task stands, and all that is recorded."""
    clock, world = Clock(), World(GIVEN, SCRIPTS)
    async with fakes.running(path, world, clock) as supervisor:
        clock.now = max((entry.at for entry in supervisor.entries(0)), default=h.NOON)
        if lost:
            supervisor.record(
                [
                    e.RunLost(task=task.id, attempt=task.attempt, reason="tmux died")
                    for task in supervisor.fleet.tasks.values()
                    if task.run is not None
                ]
            )
        await carry_on(supervisor, world, clock)
        fleet = supervisor.fleet
        return {task.id: status_word(fleet, task) for task in fleet.tasks.values()}, (
            supervisor.entries(0)
        )


def write(path: Path, entries: list[e.Entry]) -> None:
    with fakes.open_ledger(path) as ledger:
        for (at, actor), group in groupby(entries, key=lambda entry: (entry.at, entry.actor)):
            ledger.append([entry.event for entry in group], at=at, actor=actor)


def landings(entries: list[e.Entry]) -> Counter[str]:
    events = (entry.event for entry in entries)
    return Counter(event.task for event in events if isinstance(event, e.ChangeLanded))


LANDED = Counter(name for name, end in ENDS.items() if end == "landed")


async def test_the_whole_run_shows_what_it_is_to_show(tmp_path: Path) -> None:
    ends, entries = await finish(tmp_path / "ledger.db")

    assert ends == ENDS
    assert landings(entries) == LANDED
    seen = {type(entry.event) for entry in entries}
    assert seen >= {
        *(e.ToldAgain, e.RetryScheduled, e.ChecksFailed, e.ConflictFound, e.GateRejected),
        *(e.Returned, e.SealFailed, e.TaskFailed, e.LeaveBegan, e.WorkspaceFreed, e.LandingBegan),
    }


@pytest.mark.parametrize(
    ("lost", "every"), [(False, EVERY), (True, 5 * EVERY)], ids=["agents live on", "tmux dies, too"]
)
async def test_a_restart_at_any_moment_ends_the_same_way(
    tmp_path: Path, *, lost: bool, every: int
) -> None:
    _, entries = await finish(tmp_path / "whole.db")
    for seq in range(1, len(entries), every):
        path = tmp_path / f"{seq}.db"
        write(path, entries[:seq])
        ends, continued = await finish(path, lost=lost)

        assert ends == ENDS, f"after {entries[seq - 1]}"
        assert landings(continued) == LANDED, f"after {entries[seq - 1]}"
        path.unlink()
