"""The one writer: records what happened, plans from the state, and has effects carried out."""

import asyncio
import threading
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.commands import AnyCommand
from fleet.core.decide import PERSON, decide
from fleet.core.effects import AT_MOST_ONCE, ONLY_LOOK, AnyEffect, OnQueue, OnSlot, OnTask
from fleet.core.facts import Facts
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.core.plan import plan
from fleet.core.planned import Circumstances, Plan
from fleet.errors import FleetError
from fleet.ledger import Ledger
from fleet.supervisor.book import Book, Watcher
from fleet.supervisor.world import World

FLEET = "fleet"  # the actor of what follows from the state
_MOST_ROUNDS = 10_000  # of facts that lead to facts; a fleet of a thousand tasks needs fewer
_SLOT_PAUSE = timedelta(minutes=5)  # before a worktree on which fleet itself failed is made anew


class InternalError(Exception):
    """Fleet contradicts itself: it stops loudly instead of turning in circles."""


@dataclass
class _Work:
    """An effect under way."""

    effect: AnyEffect
    begun: datetime
    stop: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """Decides, records, reduces, plans; all on one event loop, so that nothing runs in between.

    `crashed` is set, and `on_crash` called, when an internal error makes going on unsafe.
    """

    def __init__(
        self,
        ledger: Ledger,
        world: World,
        *,
        now: Callable[[], datetime],
        given: Callable[[], Circumstances],
    ) -> None:
        self._world, self._now, self._given = world, now, given
        self._book = Book(ledger, now)
        self._book.watch(lambda _: self._notify())
        self._lanes: dict[str, _Work] = {}
        self._fruitless: dict[str, tuple[AnyEffect, object]] = {}  # what left all as it was
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._due: asyncio.Handle | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._outcomes: list[tuple[_Work, object, Sequence[e.AnyEvent]]] = []
        self.crashed: BaseException | None = None
        self.on_crash: Callable[[], None] = lambda: None
        self.closing = False

    @property
    def fleet(self) -> Fleet:
        """The state as the ledger has it."""
        return self._book.fleet

    # What others may do ---------------------------------------------------------------------

    def submit(
        self, command: AnyCommand, facts: Facts = None, *, actor: str = PERSON
    ) -> dict[str, Any]:
        """Judge a command, and return the answer once its events are on disk.

        Raises:
            FleetError: it was refused; nothing was recorded.
        """
        decision = decide(self.fleet, command, facts, actor=actor)
        self.record(decision.events, actor=actor)
        return decision.answer

    def record(self, events: Sequence[e.AnyEvent], *, actor: str = FLEET) -> None:
        """Put facts on disk, fold them, tell whoever follows, and plan again soon."""
        self._book.append(events, actor)
        self.reconcile_soon()

    def reconcile_soon(self) -> None:
        """Plan again, as soon as whatever runs now is through; also when circumstances changed."""
        if self._due is None and not self.closing:
            self._due = asyncio.get_running_loop().call_soon(self._reconcile_now)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with every batch of new entries, until the returned function is called."""
        return self._book.watch(watcher)

    def is_under_way(self, effect: AnyEffect) -> bool:
        """Whether this very effect is being carried out."""
        work = self._lanes.get(effect.lane)
        return work is not None and work.effect == effect

    async def until(self, condition: Callable[[Fleet], bool]) -> None:
        """Return when the state satisfies `condition`.

        Raises:
            FleetError: an internal error struck first, after which nothing changes any more.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self.fleet) or self.crashed is not None)
        if not condition(self.fleet):
            raise FleetError(
                "the supervisor met an internal error and begins anew", hint="type it once more"
            )

    async def changed_from(self, seen: Fleet) -> None:
        """Return when the state is another than `seen`; as `until`."""
        await self.until(lambda fleet: fleet is not seen)

    async def settled(self) -> None:
        """Return when nothing is under way, and nothing is due before some time has passed."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: (not self._lanes and self._due is None) or self.crashed is not None
            )

    def entries(self, after: int) -> list[e.Entry]:
        """Return what the ledger holds after `after`."""
        return self._book.entries(after)

    async def close(self) -> None:
        """Begin nothing more; ask what is under way to stop, and wait for it."""
        self.closing = True
        for handle in (self._wake, self._due):
            if handle is not None:
                handle.cancel()
        self._wake = self._due = None
        for work in self._lanes.values():
            work.stop.set()
        self._take_outcomes()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # The cycle ------------------------------------------------------------------------------

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._spawn(notify())

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reconcile_now(self) -> None:
        self._due = None
        if self.closing:
            return
        try:
            self._reconcile()
        except Exception as error:  # noqa: BLE001 (unknown: stop loudly, the keeper restarts us)
            self._crash(error)

    def _reconcile(self) -> None:
        with self._book.together():
            self._take_outcomes()
            planned = self._facts()
        if planned.facts:
            endless = InternalError(f"facts without end: {planned.facts[:3]}")
            tasks = {fact.task for fact in planned.facts if isinstance(fact, e.TaskEvent)}
            self._blame(sorted(tasks), endless)
            raise endless
        self._wake_at(planned.wake_at)
        self._stop_unwanted(planned)
        for effect in planned.effects:
            if effect.lane not in self._lanes and not self.closing:
                self._begin(effect)
        self._notify()

    def _facts(self) -> Plan:
        """Record the facts that follow from the state, until there are none left but effects."""
        planned = self._plan()
        for _ in range(_MOST_ROUNDS):
            if not planned.facts:
                break
            self._book.append(planned.facts, FLEET)
            planned = self._plan()
        return planned

    def _plan(self) -> Plan:
        begun = {lane: work.begun for lane, work in self._lanes.items()}
        given = replace(self._given(), under_way=frozenset(begun), begun=begun)
        return plan(self.fleet, given, self._now())

    def _wake_at(self, when: datetime | None) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if when is not None:
            seconds = max((when - self._now()).total_seconds(), 0.0)
            self._wake = asyncio.get_running_loop().call_later(seconds, self.reconcile_soon)

    def _stop_unwanted(self, planned: Plan) -> None:
        wanted = [effect.work for effect in planned.effects]
        for lane, under_way in self._lanes.items():
            if under_way.effect.work not in wanted and lane not in planned.keep:
                under_way.stop.set()

    def _begin(self, effect: AnyEffect) -> None:
        if self._fruitless.get(effect.lane) == (effect, self._subject(effect)):
            error = InternalError(f"{effect} was carried out and changed nothing")
            self._note_crash(effect, error)
            raise error
        work = self._lanes[effect.lane] = _Work(effect, self._now())
        self._spawn(self._carry_out(work))

    def _subject(self, effect: AnyEffect) -> object:
        """What an effect is about; an effect that leaves it as it was would run for ever."""
        match effect:
            case OnTask(task=task):
                return self.fleet.tasks.get(task)
            case OnQueue(task=task, repo=repo, target=target):
                return self.fleet.tasks.get(task), self.fleet.repos[repo].lines.get(target)
            case OnSlot(repo=repo, slot=slot):
                return self.fleet.repos[repo].slots.get(slot)

    async def _carry_out(self, work: _Work) -> None:
        effect = work.effect
        try:
            before = self._subject(effect)
            events = await self._world.perform(effect, self.fleet, work.stop)
            self._outcomes.append((work, before, events))
            if self.closing:
                self._take_outcomes()
            self.reconcile_soon()
        except Exception as error:  # noqa: BLE001 (unknown: stop loudly, the keeper restarts us)
            self._lanes.pop(effect.lane, None)
            self._note_crash(effect, error)
            self._crash(error)

    def _take_outcomes(self) -> None:
        """Record what the effects that ended came to."""
        while self._outcomes:
            work, before, events = self._outcomes.pop(0)
            effect = work.effect
            del self._lanes[effect.lane]
            if not self._broken_off(work):
                self._book.append(events, FLEET)
            self._fruitless.pop(effect.lane, None)
            if before == self._subject(effect) and not work.stop.is_set():
                self._fruitless[effect.lane] = (effect, before)

    def _broken_off(self, work: _Work) -> bool:
        """Whether it has judged nothing: it is done again, now or by the next supervisor."""
        again = self.closing and not isinstance(work.effect, AT_MOST_ONCE)
        return work.stop.is_set() and (again or isinstance(work.effect, ONLY_LOOK))

    def _note_crash(self, effect: AnyEffect, error: Exception) -> None:
        match effect:
            case OnTask(task=task) | OnQueue(task=task):
                self._blame((task,), error)
            case OnSlot(repo=repo, slot=slot):
                why, later = _words(error), self._now() + _SLOT_PAUSE
                self._last_words(e.SlotBroken(repo=repo, slot=slot, reason=why, not_before=later))

    def _blame(self, tasks: Sequence[TaskId], error: Exception) -> None:
        """Name the tasks: the second crash in a row that names one gives it up, not the fleet."""
        self._last_words(*(e.CrashNoted(task=task, error=_words(error)) for task in tasks))

    def _last_words(self, *events: e.AnyEvent) -> None:
        if not self.closing:
            with suppress(FleetError):  # a ledger that cannot be written may be the very crash
                self._book.append(events, FLEET)

    def _crash(self, error: Exception) -> None:
        traceback.print_exception(error)
        self.crashed = error
        self.closing = True
        self._notify()
        self.on_crash()


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
