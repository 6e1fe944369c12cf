"""Agents that share an account: limited together, and let go on one after the other."""

from datetime import datetime, timedelta

import histories as h
import pytest
from histories import NOON, A, B, C, history
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.accounts import account, going_on, hold, shut, waits_for
from fleet.core.activity import Activity, Idle, Waiting, Working
from fleet.core.ids import TaskId
from fleet.core.limited import (
    CALM,
    LONGEST,
    MOST_LIMITS,
    PROOF,
    STAGGER,
    Account,
    hit,
    is_over,
    next_at,
)
from fleet.core.model import Fleet, Spec
from fleet.core.plan import plan
from fleet.core.planned import Circumstances, Plan
from fleet.core.policy import FleetPolicy
from fleet.core.rows import Ask
from fleet.core.status import ToStop
from fleet.core.turns import GO_ON, MOST_ERRORS
from fleet.core.views import needs

TALKS = h.talker(done="manual")
UNTIL = NOON + h.minutes(10)
LIMITED = Waiting("its rate limit", "rate-limit", UNTIL)
LOGIN = Waiting("a login", "login")
ONE_S = timedelta(seconds=1)


def does(task: TaskId, activity: Activity, source: str = "hook") -> e.ActivityChanged:
    return e.ActivityChanged(task=task, attempt=1, activity=activity, source=source)


def running(*tasks: TaskId, spec: Spec = TALKS, account: str | None = None) -> Fleet:
    fleet = history()
    for slot, task in enumerate(tasks, start=1):
        added, *rest = h.running(task, spec, slot=slot)
        assert isinstance(added, e.TaskAdded)
        fleet = h.fold(fleet, [replace(added, account=account), *rest])
    return fleet


def queued(fleet: Fleet, *tasks: TaskId, slot: int = 9) -> Fleet:
    """Add tasks that want to start, each with a clean workspace for it."""
    for number, task in enumerate(tasks, start=slot):
        ready = (e.SlotPlanned(repo=h.REPO, slot=number), e.SlotReady(repo=h.REPO, slot=number))
        fleet = h.fold(fleet, [h.added(task, TALKS), *ready])
    return fleet


def told(task: TaskId) -> e.GoOnTold:
    return e.GoOnTold(task=task, attempt=1, text=GO_ON)


def gone(facts: list[e.AnyEvent]) -> list[TaskId]:
    """Return who was let go on, or started."""
    return [it.task for it in facts if isinstance(it, e.GoOnTold | e.AttemptBegan)]


def on(fleet: Fleet, now: datetime, given: Circumstances = h.GIVEN) -> tuple[Fleet, list[TaskId]]:
    """Let what is due at `now` happen: the state, and who was let go on."""
    fleet, _, facts = h.settle(fleet, given, now)
    return fleet, gone(facts)


def heard(fleet: Fleet, task: TaskId, at: datetime) -> Fleet:
    """It was told to go on, and works."""
    number = fleet.tasks[task].messages[0].id
    said = e.MessageSettled(task=task, message=number, outcome="delivered")
    return h.fold(fleet, [said, does(task, Working())], at)


def wanted(fleet: Fleet) -> list[str]:
    return [task.id for task in fleet.tasks.values() if needs(fleet, task, h.CHECKED)]


def reason(fleet: Fleet, task: TaskId, now: datetime = NOON) -> str | None:
    return waits_for(fleet, fleet.tasks[task], shut(fleet), now)


# A limit ----------------------------------------------------------------------------------------


def test_a_limit_that_has_passed_is_gone_on_from_once_and_needs_nobody() -> None:
    fleet = h.fold(running(A), [does(A, LIMITED)])

    assert wanted(fleet) == []
    assert reason(fleet, A) == "its rate limit: goes on at 12:10:00 UTC"
    assert on(fleet, UNTIL - ONE_S)[1] == []
    assert h.settle(fleet)[1].wake_at == UNTIL
    fleet, let_go = on(fleet, UNTIL)
    assert let_go == [A]
    assert h.effects(fleet, now=UNTIL) == (f.Tell(A, 1, 1),)
    assert fleet.tasks[A].messages[0].by == "fleet"


def test_the_others_wait_for_the_first_one_to_be_answered() -> None:
    limits = [does(B, LIMITED), does(A, LIMITED)]
    fleet = h.fold(running(A, B, C), limits)
    fleet = h.fold(fleet, [does(C, LIMITED)], NOON + ONE_S)

    fleet, let_go = on(fleet, UNTIL)
    assert let_go == [A]  # of those that wait for as long, the first by name
    fleet = heard(fleet, A, UNTIL)
    assert reason(fleet, B, UNTIL) == "its rate limit: goes on when a does"
    assert on(fleet, UNTIL + STAGGER)[1] == []
    fleet = h.fold(fleet, [does(A, Idle())], UNTIL + ONE_S)

    fleet, let_go = on(fleet, UNTIL + STAGGER)
    assert let_go == [B]
    fleet = heard(fleet, B, UNTIL + STAGGER)
    assert on(fleet, UNTIL + 2 * STAGGER - ONE_S)[1] == []
    assert on(fleet, UNTIL + 2 * STAGGER)[1] == [C]


@pytest.mark.parametrize(
    "answer",
    [
        does(A, Waiting("may it", "permission", None, Ask(id="1.1"))),
        does(A, Idle()),
        e.RunExited(task=A, attempt=1, code=0),
    ],
)
def test_what_only_an_answered_agent_does_proves_that_the_limit_is_over(answer: e.AnyEvent) -> None:
    fleet, _ = on(h.fold(running(A, B), [does(A, LIMITED), does(B, LIMITED)]), UNTIL)
    fleet = h.fold(heard(fleet, A, UNTIL), [answer], UNTIL + ONE_S)

    assert fleet.accounts["shell"].proved == UNTIL + ONE_S


@pytest.mark.parametrize(
    "word",
    [
        does(A, Working()),
        does(A, Idle(), "presence"),  # somebody has pressed Escape
        does(B, Idle()),  # another one's turn, which may have ended before
        e.UsageReported(task=A, cost_usd=0.5, tokens=0),  # which may have been used before
        e.RunExited(task=A, attempt=1, code=1),
    ],
)
def test_a_word_that_needs_no_answer_proves_nothing(word: e.AnyEvent) -> None:
    fleet, _ = on(h.fold(running(A, B), [does(A, LIMITED), does(B, LIMITED)]), UNTIL)
    fleet = h.fold(heard(fleet, A, UNTIL), [word], UNTIL + ONE_S)

    assert fleet.accounts["shell"].proved is None


def test_one_that_is_heard_of_no_more_keeps_nobody_waiting_for_ever() -> None:
    fleet, _ = on(h.fold(running(A, B), [does(A, LIMITED), does(B, LIMITED)]), UNTIL)
    fleet = heard(fleet, A, UNTIL)

    assert on(fleet, UNTIL + PROOF - ONE_S)[1] == []
    assert on(fleet, UNTIL + PROOF)[1] == [B]


def test_a_fresh_limit_prolongs_it_for_all() -> None:
    fleet, _ = on(h.fold(running(A, B), [does(A, LIMITED), does(B, LIMITED)]), UNTIL)
    later = UNTIL + h.minutes(30)
    fleet = h.fold(heard(fleet, A, UNTIL), [does(A, replace(LIMITED, until=later))], UNTIL + ONE_S)

    assert on(fleet, later - ONE_S)[1] == []
    assert on(fleet, later)[1] == [B]  # which waits for longer
    assert fleet.accounts["shell"].hits == 2


def test_while_it_is_closed_the_latest_end_counts_and_all_that_meet_it_meet_it_once() -> None:
    late, early = replace(LIMITED, until=UNTIL + ONE_S), replace(LIMITED, until=NOON)
    fleet = h.fold(running(A, B, C), [does(A, late), does(B, early), does(C, LIMITED)])

    assert fleet.accounts["shell"] == Account(until=UNTIL + ONE_S, hits=1, met=frozenset({A, B, C}))


def test_without_a_time_the_pauses_grow() -> None:
    known, at, pauses = Account(), NOON, []
    for _ in range(8):
        known = hit(known, A, at, None)
        assert known.until is not None
        pauses.append((known.until - at).total_seconds() / 60)
        at = known.until
        known = replace(known, gone=at, probe=A)

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_an_end_that_passed_long_ago_is_not_believed_for_ever_nor_one_in_another_age() -> None:
    known, pauses = Account(), []
    for _ in range(8):
        known = hit(known, A, NOON, NOON - h.minutes(1))
        pauses.append(((known.until or NOON) - NOON).total_seconds())
        known = replace(known, gone=NOON, probe=A)

    assert pauses == [0, 10, 20, 40, 80, 160, 300, 300]
    assert hit(Account(), A, NOON, NOON + 10 * LONGEST).until == NOON + LONGEST


def test_one_limit_too_many_is_told_once_and_fleet_goes_on_trying() -> None:
    fleet, at = h.fold(running(A, B), [does(A, LIMITED), does(B, LIMITED)]), UNTIL
    for _ in range(MOST_LIMITS - 1):
        assert wanted(fleet) == []
        fleet, [task] = on(fleet, at)
        fleet = h.fold(heard(fleet, task, at), [does(task, replace(LIMITED, until=at))], at)
        at = next_at(fleet.accounts["shell"]) or at

    assert len(wanted(fleet)) == 1
    assert len(on(fleet, at)[1]) == 1


def test_a_person_who_does_not_wait_may_prove_that_it_is_over() -> None:
    fleet = h.fold(running(A, B, C), [does(A, LIMITED), does(B, LIMITED)])
    fleet = h.fold(fleet, [does(C, Idle())], NOON + ONE_S)  # its turn began before

    assert on(fleet, NOON + h.minutes(1))[1] == []
    fleet = h.fold(fleet, [does(A, Working()), does(A, Idle())], NOON + ONE_S)
    assert on(fleet, NOON + STAGGER)[1] == []
    assert on(fleet, NOON + ONE_S + STAGGER)[1] == [B]


def test_who_answers_again_begins_to_count_anew() -> None:
    fleet, _ = on(h.fold(running(A), [does(A, LIMITED)]), UNTIL)
    at = UNTIL + ONE_S
    fleet = h.fold(heard(fleet, A, UNTIL), [does(A, Idle()), does(A, LIMITED)], at)

    assert fleet.accounts["shell"].hits == 1


def test_limits_are_no_failures_of_the_agent() -> None:
    fleet, _ = on(h.fold(running(A), [does(A, LIMITED)]), UNTIL)

    run = fleet.tasks[A].run
    assert run is not None
    assert run.nudges == 0


def test_a_person_in_the_pane_is_not_talked_over_and_holds_up_nobody_else() -> None:
    fleet = h.fold(running(A, B), [does(A, LIMITED), does(B, LIMITED)])

    assert on(fleet, UNTIL, h.circumstances(attached=frozenset({A})))[1] == [B]


def test_the_time_for_which_it_is_parked_is_no_time_at_work() -> None:
    spec = h.talker(done="manual", limits={"timeout_s": 120.0})
    fleet = h.fold(running(A, spec=spec), [does(A, LIMITED)], NOON + h.minutes(1))

    assert h.settle(fleet, now=UNTIL - ONE_S)[2] == []
    fleet, let_go = on(fleet, UNTIL)  # it was at work for a minute, and has another one
    assert let_go == [A]
    fleet = heard(fleet, A, UNTIL)
    assert h.settle(fleet, now=UNTIL + h.minutes(1) - ONE_S)[2] == []
    (ending, *_) = h.settle(fleet, now=UNTIL + h.minutes(1))[2]
    assert isinstance(ending, e.EndingBegan)
    assert ending.why == "stopped by its time limit of 120 s"


def test_an_agent_that_tries_again_by_itself_is_not_told_to() -> None:
    retries = Waiting("retry in 90 s", "rate-limit", retries=True)
    fleet = h.fold(running(A, B), [does(A, retries, "screen"), does(B, LIMITED)])

    assert wanted(fleet) == []
    assert reason(fleet, A) == "retry in 90 s: it tries again by itself"
    assert on(fleet, UNTIL)[1] == [B]


def test_who_cannot_be_told_needs_a_person() -> None:
    fleet = h.fold(running(A, spec=h.spec(done="manual")), [does(A, LIMITED)])

    assert wanted(fleet) == [A]
    assert on(fleet, UNTIL)[1] == []


# Starts -----------------------------------------------------------------------------------------


def test_nobody_starts_on_a_limited_account_and_then_one_after_the_other() -> None:
    d = TaskId("d")
    fleet = queued(h.fold(running(A), [does(A, LIMITED)]), B, C, d)

    assert on(fleet, UNTIL - ONE_S)[1] == []
    assert h.settle(fleet)[1].wake_at == UNTIL
    assert reason(fleet, B) == "shell's account is limited until 12:10:00 UTC"
    fleet, let_go = on(fleet, UNTIL)
    assert let_go == [A]  # who has begun goes on first
    assert (reason(fleet, B, UNTIL) or "").endswith("so that one starts after the other")
    fleet = h.fold(heard(fleet, A, UNTIL), [does(A, Idle())], UNTIL + ONE_S)
    fleet, second = on(fleet, UNTIL + STAGGER)
    fleet, third = on(fleet, UNTIL + 2 * STAGGER)
    assert (second, third) == ([B], [C])
    assert on(fleet, UNTIL + ONE_S + CALM)[1] == [d]


def test_what_was_limited_long_ago_slows_nobody_down() -> None:
    stops = e.EndingBegan(task=A, attempt=1, outcome=ToStop("person"), why="stopped by person")
    fleet = h.fold(running(A), [does(A, LIMITED), stops, h.ended(A)])
    fleet = queued(fleet, B, C)

    assert on(fleet, UNTIL + CALM - ONE_S)[1] == [B]
    assert on(fleet, UNTIL + CALM)[1] == [B, C]
    assert reason(fleet, B, UNTIL + CALM) is None


def test_agents_of_other_accounts_start_meanwhile() -> None:
    fleet = h.fold(running(A, account="one"), [does(A, LIMITED)])
    fleet = queued(fleet, B, C)
    added = replace(fleet.tasks[C], account="one")
    fleet = replace(fleet, tasks=fleet.tasks | {C: added})

    assert on(fleet, NOON)[1] == [B]


def test_agents_that_share_nothing_wait_for_themselves_alone() -> None:
    fleet = h.fold(running(A, B, account=""), [does(A, LIMITED)])

    assert account(fleet.tasks[A]) != account(fleet.tasks[B])
    assert hold(fleet, fleet.tasks[B], shut(fleet), NOON) is None


def test_a_run_that_knows_its_account_better_is_believed() -> None:
    fleet = queued(history(), A)
    began = e.AttemptBegan(task=A, attempt=1, base=h.BASE)
    fleet = h.fold(fleet, [began, replace(h.started(A), account="claude 1f")])

    assert account(fleet.tasks[A]) == "claude 1f"


# What a person must see to ------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "why"), [("login", "a login"), ("budget", "credit")])
def test_what_only_a_person_can_give_is_asked_for_once_and_nobody_starts(
    kind: str, why: str
) -> None:
    fleet = queued(running(A, B), C)
    fleet = h.fold(fleet, [does(B, Waiting("it", kind))])
    fleet = h.fold(fleet, [does(A, Waiting("it", kind))], NOON + ONE_S)

    assert wanted(fleet) == [B]
    assert reason(fleet, A) == "it: goes on when b does"
    assert reason(fleet, C) == f"shell's account waits for {why}: see b"
    assert on(fleet, NOON + h.minutes(600))[1] == []


def test_once_one_is_answered_again_the_others_are_told_and_the_rest_starts() -> None:
    fleet = h.fold(queued(running(A, B), C), [does(A, LOGIN), does(B, LOGIN)])
    at = NOON + h.minutes(5)
    fleet = h.fold(fleet, [does(A, Working()), does(A, Idle())], at)  # a person has logged in

    fleet, let_go = on(fleet, at)
    assert let_go == [B, C]


def test_an_answer_from_before_tells_nobody_to_go_on() -> None:
    fleet = h.fold(running(A, B), [does(A, Idle())])
    fleet = h.fold(fleet, [does(B, LOGIN)], NOON + ONE_S)

    assert on(fleet, NOON + h.minutes(60))[1] == []


def test_one_that_fails_all_the_same_is_not_told_for_ever() -> None:
    fleet, at = h.fold(running(A, B), [does(B, LOGIN)]), NOON
    let_go = []
    for _ in range(2 * MOST_ERRORS):
        at += h.minutes(1)
        fleet, said = on(h.fold(fleet, [does(A, Working()), does(A, Idle())], at), at)
        let_go += said
        if said:
            fleet = h.fold(heard(fleet, B, at), [does(B, LOGIN)], at)

    assert let_go == [B] * MOST_ERRORS
    assert wanted(fleet) == [A, B]  # the turn of A has ended


@pytest.mark.parametrize("source", ["screen", "presence"])
def test_nothing_is_typed_into_a_dialog_that_asks_for_a_login(source: str) -> None:
    fleet = h.fold(running(A, B), [does(B, LOGIN, source)])
    fleet = h.fold(fleet, [does(A, Working()), does(A, Idle())], NOON + ONE_S)

    assert on(fleet, NOON + h.minutes(60))[1] == []


def test_an_account_whose_task_is_stopped_is_open_again() -> None:
    stops = e.EndingBegan(task=A, attempt=1, outcome=ToStop("person"), why="stopped by person")
    fleet = queued(h.fold(running(A), [does(A, LOGIN)]), B)

    assert on(fleet, NOON)[1] == []
    assert on(h.fold(fleet, [stops, h.ended(A)]), NOON)[1] == [B]


# Whatever happens -------------------------------------------------------------------------------

NAMES = tuple(TaskId(f"t{number}") for number in range(6))
ROOM = FleetPolicy(slots=20, pool=0, notify=())
WORDS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(("limit", "limit", "ends", "asks", "time")),
        st.integers(-2, 40),
    ),
    max_size=40,
)


class Story:
    """Half of the tasks run, half are queued; all share an account."""

    def __init__(self) -> None:
        self.fleet = queued(running(*NAMES[:3]), *NAMES[3:])
        self.fleet = h.fold(self.fleet, [does(NAMES[0], LIMITED)])
        self.now = NOON
        self.log: list[tuple[datetime, Account, TaskId]] = []

    def settle(self) -> None:
        """Let all happen that is due, and note each who was let go on, and on what account."""
        for _ in range(100):
            planned = self.plan()
            if not planned.facts:
                return
            for fact in planned.facts:
                self.log += [(self.now, self.fleet.accounts["shell"], it) for it in gone([fact])]
                self.fleet = h.fold(self.fleet, [fact], self.now)
                if isinstance(fact, e.AttemptBegan):
                    started = h.started(fact.task)
                    self.fleet = h.fold(self.fleet, [started], self.now)
                if isinstance(fact, e.GoOnTold):
                    self.fleet = heard(self.fleet, fact.task, self.now)
        raise AssertionError("no end")

    def plan(self) -> Plan:
        return plan(self.fleet, h.circumstances(fleet=ROOM), self.now)

    def word(self, task: TaskId, word: str, number: int) -> None:
        until = None if number % 3 == 0 else self.now + h.minutes(number)
        said: dict[str, Activity] = {
            "limit": replace(LIMITED, until=until),
            "ends": Idle(),
            "asks": Waiting("may it", "permission"),
        }
        if word == "time":
            self.now += h.minutes(max(number, 0) / 4)
        elif self.fleet.tasks[task].run is not None:
            self.fleet = h.fold(self.fleet, [does(task, said[word])], self.now)
        self.settle()


def play(words: list[tuple[TaskId, str, int]]) -> Story:
    story = Story()
    story.settle()
    for task, word, number in words:
        story.word(task, word, number)
    return story


@settings(deadline=None)
@given(WORDS)
def test_never_all_at_once(words: list[tuple[TaskId, str, int]]) -> None:
    for now, known, _ in play(words).log:
        if known.until is not None and not is_over(known, now):
            assert known.proved is not None or now >= known.until
            if known.gone is not None:
                assert now - known.gone >= (STAGGER if known.proved else PROOF)


@settings(deadline=None)
@given(WORDS)
def test_nobody_waits_for_ever(words: list[tuple[TaskId, str, int]]) -> None:
    story = play(words)
    for _ in range(4 * len(NAMES)):
        wake = story.plan().wake_at
        story.now = max(story.now, wake or story.now)
        story.settle()

    for task in story.fleet.tasks.values():
        assert task.run is not None
        waits = task.run.activity
        assert not isinstance(waits, Waiting) or waits.kind != "rate-limit"


@settings(deadline=None)
@given(WORDS)
def test_the_same_story_has_the_same_end(words: list[tuple[TaskId, str, int]]) -> None:
    one, other = play(words), play(words)
    shuffled = dict(reversed(other.fleet.tasks.items()))

    assert one.fleet == other.fleet
    assert one.plan() == other.plan()
    assert replace(other.fleet, tasks=shuffled).accounts == one.fleet.accounts
    assert going_on(replace(other.fleet, tasks=shuffled), h.GIVEN, one.now) == going_on(
        one.fleet, h.GIVEN, one.now
    )
