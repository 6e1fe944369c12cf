"""What may happen to a simulated fleet, in any order, and how to let it come to rest."""

from collections.abc import Callable
from datetime import timedelta

import histories as h
from msgspec.structs import replace
from simulation import POLICY, SLOTS, Simulation

from fleet.core import accounts
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.activity import Activity, Idle, Stalled, Unknown, Waiting, Working
from fleet.core.ids import Commit
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy, Rule
from fleet.core.rows import Ask
from fleet.core.schedule import occupied, waits_for
from fleet.core.status import Paused, Queued, Running
from fleet.core.views import needs

STRICT = RepoPolicy(checks=(h.CHECK,), rules=(Rule("all", ("**",), strict=True),), digest="d1")
POLICIES = (h.CHECKED, RepoPolicy(), RepoPolicy(checks=(h.CHECK, h.CHECK), digest="d1"), STRICT)
PLAIN = c.Spawn(cwd="/srv/shop", prompt="do it", environment={})
KINDS = (
    replace(PLAIN, attempts=3, retries=1, checks=("make test",), land="auto"),
    replace(PLAIN, attempts=2, done="exit"),
    replace(PLAIN, attempts=2, done="exit", timeout_s=600.0, land="auto"),
    replace(PLAIN, done="manual", budget_usd=5.0),
    replace(PLAIN, attempts=2, retries=0, checks=("make test",)),
)

# What may happen: each takes the simulation, which task, and how -----------------------------


def _signal(it: Simulation, which: int, how: int) -> None:
    live = [task for task in it.fleet.tasks.values() if task.run is not None]
    if not live:
        return
    task = live[which % len(live)]
    attempt, name = task.attempt, task.id
    activities: tuple[Activity, ...] = (
        *[Idle()] * 9,
        Working(),
        Working(),
        Waiting("a question"),
        Waiting("may it", "permission", None, Ask(id="1.1")),
        Waiting("the server failed", "error"),
        Waiting("its rate limit", "rate-limit", it.now + h.minutes(5)),
        Waiting("its rate limit", "rate-limit"),
        Waiting("a login", "login"),
        Stalled(it.now),
        Unknown(),
    )
    signals: tuple[e.AnyEvent, ...] = (
        *(
            e.ActivityChanged(task=name, attempt=attempt, activity=does, source="hook")
            for does in activities
        ),
        e.RunExited(task=name, attempt=attempt, code=0),
        e.RunExited(task=name, attempt=attempt, code=0),
        e.RunExited(task=name, attempt=attempt, code=1),
        e.RunExited(task=name, attempt=attempt - 1, code=1),
        e.RunLost(task=name, attempt=attempt, reason="tmux died", not_before=it.now),
        e.RunLost(task=name, attempt=attempt - 1, reason="tmux died"),
        e.UsageReported(task=name, cost_usd=1.0 + how % 7, tokens=10),
        e.CrashNoted(task=name, error="KeyError"),
    )
    it.now += h.minutes(0.1)
    it.record(signals[how % len(signals)])


def _asks(it: Simulation, which: int, how: int) -> None:
    """An agent asks, and is most often answered; or its turn breaks off."""
    live = [task for task in it.fleet.tasks.values() if task.run is not None]
    if not live:
        return
    task = live[which % len(live)]
    ask = Waiting("may it", "permission", None, Ask(id=f"{how}.1"))
    does = (ask, ask, Waiting("the server failed", "error"))[how % 3]
    changed = e.ActivityChanged(task=task.id, attempt=task.attempt, activity=does, source="hook")
    it.record(changed)
    it.submit(c.Answer(task=task.id, verdict=("allow", "deny")[how % 2]))
    if how % 5 == 0:
        it.pass_time(it.now + h.minutes(1))


def _command(it: Simulation, which: int, how: int) -> None:
    names = sorted(it.fleet.tasks)
    if not names:
        return
    name = names[which % len(names)]
    commands: tuple[c.AnyCommand, ...] = (
        *[c.Approve(task=name)] * 9,
        c.DeclareDone(task=name),
        c.Return(task=name, note="say more"),
        c.Send(task=name, text="mind the tests"),
        c.Answer(task=name, verdict="allow"),
        c.Answer(task=name, verdict="deny"),
        c.DeclareDone(task=name),
        c.Stop(task=name),
        c.Pause(task=name),
        c.Resume(task=name),
        c.Retry(task=name),
        c.Withdraw(task=name),
        c.Revoke(task=name),
        c.Remove(task=name),
        c.Restore(task=name),
        c.Clean(),
        c.Clean(forget_s=how * 60.0),
        c.Thaw(cwd="/srv/shop"),
    )
    it.submit(commands[how % len(commands)], actor="person" if how % 7 else "b")


def _new(it: Simulation, which: int, how: int) -> None:
    if len(it.fleet.tasks) >= 4:
        return
    if how % 6 == 5:
        it.submit(c.Submit(cwd="/srv/shop", branch=f"by-hand-{which % 2}", environment={}))
        return
    kind = KINDS[how % len(KINDS)]
    names = sorted(it.fleet.tasks)
    after = (names[0],) if names and which % 4 == 0 else ()
    it.submit(replace(kind, after=after))


def _seen(tip: Commit | None) -> e.TargetSeen:
    return e.TargetSeen(repo=h.REPO, target="main", tip=tip)


def _world(it: Simulation, which: int, how: int) -> None:
    tip = it.fleet.repos[h.REPO].tips.get("main", h.BASE)
    changes: tuple[Callable[[], None], ...] = (
        *(lambda: it.record(_seen(h.commit(f"on {tip}"))), lambda: it.record(_seen(h.BASE))),
        lambda: it.record(_seen(None)),
        lambda: it.record(e.QueueFrozen(repo=h.REPO, target="main", reason="it was rewound")),
    )
    changes[min(how // 5, len(changes) - 1)]()
    it.reconcile()


def _death(it: Simulation, which: int, how: int) -> None:
    it.crash()
    if how % 3 == 0:  # tmux died, too
        for task in tuple(it.fleet.tasks.values()):
            if task.run is not None:
                it.record(e.RunLost(task=task.id, attempt=task.attempt, reason="tmux died"))


def _finish(it: Simulation, which: int, how: int) -> None:
    it.finish(which, how // 3 if how % 3 == 0 else 0)  # mostly it goes well


def _time(it: Simulation, which: int, how: int) -> None:
    it.pass_time()


def _flow(it: Simulation, which: int, how: int) -> None:
    """Let all go well for a while: only so are late states reached often."""
    for _ in range(how):
        if it.lanes:
            it.finish(which, 0)
        elif not _agents_end(it):
            return


def _verdicts(it: Simulation, which: int, how: int) -> None:
    """A person approves what there is, and the target moves before or after."""
    moved = _seen(h.commit(f"moved {len(it.entries)}"))
    if how % 3 == 1:
        it.record(moved)
    for name in sorted(it.fleet.tasks):
        it.submit(c.Approve(task=name))
    if how % 3 == 2:
        it.record(moved)


def _rules(it: Simulation, which: int, how: int) -> None:
    """Somebody edits fleet.yaml: other checks, none, or the usual ones."""
    it.given = h.circumstances(POLICIES[how % len(POLICIES)], fleet=POLICY)
    it.reconcile()


MOVES: tuple[Callable[[Simulation, int, int], None], ...] = (
    *(_finish, _finish, _finish, _finish, _finish, _finish),
    *(_signal, _signal, _signal, _asks, _command, _command, _new, _time, _world, _death),
    *(_flow, _flow, _verdicts, _rules),
)


def play(moves: list[tuple[int, int, int]]) -> Simulation:
    """Spawn two tasks and make the moves; all that must always hold is checked after each."""
    it = Simulation()
    _new(it, 1, 0)
    _new(it, 1, 2)
    for what, which, how in moves:
        MOVES[what % len(MOVES)](it, which, how)
    return it


# To the end -------------------------------------------------------------------------------------


def drain(it: Simulation) -> None:
    """From now on nothing goes wrong: let all effects, agents and pauses come to their ends."""
    it.given = h.circumstances(fleet=POLICY)
    it.record(_seen(h.MOVED))
    it.submit(c.Thaw(cwd="/srv/shop"))
    for _ in range(2000):
        if it.lanes:
            it.finish(0, 0)
        elif not _agents_end(it) and not _is_soon(it):
            return
        elif not it.lanes and _is_soon(it):
            it.pass_time()
    raise AssertionError(f"no end: {it.entries[-12:]}")


def _is_soon(it: Simulation) -> bool:
    """Whether something is due before what waits for a person is only to be checked once more."""
    wake = it.planned.wake_at
    return wake is not None and wake - it.now < timedelta(days=15)


def _agents_end(it: Simulation) -> bool:
    """Let each agent that works end its turn, or its process where that is what counts."""
    for task in tuple(it.fleet.tasks.values()):
        run = task.run
        if run is None or run.leaving or not isinstance(task.status, Running):
            continue
        if isinstance(run.activity, Waiting | Stalled) or (
            isinstance(run.activity, Idle) and task.spec.done != "exit"
        ):
            continue
        end: e.AnyEvent = e.RunExited(task=task.id, attempt=run.attempt, code=0)
        if task.spec.done != "exit":
            idle, attempt = Idle(), run.attempt
            end = e.ActivityChanged(task=task.id, attempt=attempt, activity=idle, source="hook")
        it.now += h.minutes(1)
        it.record(end)
        return True
    return False


def rests(it: Simulation, task: Task) -> bool:
    """Whether a task to which nothing more happens has ended, or waits for what a person sees."""
    wanted = needs(it.fleet, task, it.given.target(task.repo, task.target)) is not None
    behind = isinstance(task.status, Queued) and (
        occupied(it.fleet) == SLOTS or bool(waits_for(it.fleet, task))
    )
    closed = accounts.shut(it.fleet)  # of which one task tells, for all that wait for it
    shut = bool(closed) and accounts.waits_for(it.fleet, task, closed, it.now) is not None
    return task.ended or wanted or behind or shut or isinstance(task.status, Paused)
