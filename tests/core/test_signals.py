"""Who is believed: a truth table of what sources say, and what holds whatever they say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from histories import NOON
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.activity import Activity, Idle, Stalled, Unknown, Waiting, Working
from fleet.core.rows import Ask
from fleet.core.signals import (
    DECAY,
    PAIR,
    PATIENCE,
    SOURCES,
    STAND,
    START,
    Judged,
    Life,
    Sign,
    Signs,
    began,
    heard,
    judge,
    silenced,
)

ASKS = Waiting("may it", "permission", None, Ask(id="1.1", tool="Bash", text="make"))
DIALOG = Waiting("a dialog", "question")
LIMITED = Waiting("too many requests", "rate-limit")
BEHIND = Working(background=True)
FAILED = Waiting("its turn broke off", "error")
BLOCKED = Waiting("approve make", "permission")
BROKEN_OFF = Idle(broken_off=True)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def signs(*said: tuple[str, Activity, float]) -> Signs:
    """What was heard since noon: the source, what it said, and when by its clock."""
    known = began(NOON)
    for source, says, at in said:
        known = heard(known, Sign(source, says, after(at)))
    return known


def does(*said: tuple[str, Activity, float], at: float = 30, **life: Any) -> Judged:
    return judge(signs(*said), after(at), Life(**life))


HOOK_WORKS, FILE_WORKS = ("hook", Working(), 10.0), ("presence", Working(), 10.1)
TABLE: dict[str, tuple[Sequence[tuple[str, Activity, float]], float, Activity, str]] = {
    "nothing was ever said": ((), 30, Working(), "process"),
    "and nothing for days": ((), 1e6, Working(), "process"),
    "a hook": ((HOOK_WORKS,), 20, Working(), "hook"),
    "the newer hook": ((HOOK_WORKS, ("hook", Idle(), 11)), 20, Idle(), "hook"),
    "a hook that was overtaken": ((("hook", Idle(), 11), HOOK_WORKS), 20, Idle(), "hook"),
    "a hook that asks": ((HOOK_WORKS, ("hook", ASKS, 11)), 11, ASKS, "hook"),
    "and the file sees the dialog": (
        (HOOK_WORKS, FILE_WORKS, ("hook", ASKS, 11), ("presence", DIALOG, 11.1)),
        *(30, ASKS, "hook"),
    ),
    "the file first": (
        (HOOK_WORKS, FILE_WORKS, ("presence", DIALOG, 10.9), ("hook", ASKS, 11)),
        *(30, ASKS, "hook"),
    ),
    "a hook that asks nothing, and its file": (
        (("hook", Waiting("a verdict", "plan"), 11), ("presence", DIALOG, 11.1)),
        *(30, Waiting("a verdict", "plan"), "hook"),
    ),
    "a request is made again": ((HOOK_WORKS, ("retry", LIMITED, 11)), 13.9, Working(), "hook"),
    "and it waits long before that": (
        (HOOK_WORKS, ("report", Working(), 10), ("title", Working(), 10), ("retry", LIMITED, 11)),
        *(14.1, LIMITED, "retry"),
    ),
    "and tells of the next one": (
        (HOOK_WORKS, ("retry", LIMITED, 11), ("hook", Working(), 15)),
        *(30, Working(), "hook"),
    ),
    "or was told more": (
        (HOOK_WORKS, ("retry", LIMITED, 11), ("fleet", Working(), 15)),
        *(20, Working(), "fleet"),
    ),
    "or was interrupted": (
        (HOOK_WORKS, ("retry", LIMITED, 11), ("hook", BROKEN_OFF, 15)),
        *(30, BROKEN_OFF, "hook"),
    ),
    "told once more, and less": (
        (("hook", ASKS, 11), ("hook", Waiting("may it", "permission"), 17)),
        *(30, ASKS, "hook"),
    ),
    "answered in the pane, says a hook": (
        (("hook", ASKS, 11), ("hook", Working(), 15)),
        *(15, Working(), "hook"),
    ),
    "answered in the pane, says the file": (
        (("hook", ASKS, 11), ("presence", DIALOG, 11.1), ("presence", Working(), 15)),
        *(15, Working(), "presence"),
    ),
    "broken off at the dialog": (
        (("hook", ASKS, 11), ("presence", DIALOG, 11.1), ("presence", Idle(), 15)),
        *(15, Idle(), "presence"),
    ),
    "something else goes on beside the dialog": (
        (("hook", ASKS, 11), ("presence", DIALOG, 11.1), ("hook", Working(), 13)),
        *(20, ASKS, "hook"),
    ),
    "the file is a little behind": (
        (("hook", ASKS, 11), ("presence", DIALOG, 11.1), ("hook", Working(), 13)),
        *(13.5, Working(), "hook"),
    ),
    "another dialog, of which no hook tells": (
        (("hook", ASKS, 11), ("presence", Working(), 15), ("presence", DIALOG, 20)),
        *(20, DIALOG, "presence"),
    ),
    "answered from outside": (
        (("hook", ASKS, 11), ("presence", DIALOG, 11.1), ("fleet", Working(), 14)),
        *(14.5, Working(), "fleet"),
    ),
    "answered, and asked again without a hook": (
        (("hook", ASKS, 11), ("fleet", Working(), 12), ("presence", DIALOG, 12.5)),
        *(20, DIALOG, "presence"),
    ),
    "the turn was broken off": (
        (HOOK_WORKS, FILE_WORKS, ("presence", Idle(), 12)),
        *(13.5, Idle(), "presence"),
    ),
    "not at once": (
        (HOOK_WORKS, FILE_WORKS, ("presence", Idle(), 12)),
        *(12.3, Working(), "hook"),
    ),
    "it is up, and has not read its prompt": (
        (("presence", Idle(), 1),),
        *(9, Working(), "process"),
    ),
    "it is up, and has no prompt to read": (
        (("presence", Idle(), 1),),
        *(11, Idle(), "presence"),
    ),
    "between two tools": (
        (HOOK_WORKS, FILE_WORKS, ("presence", Idle(), 12), ("presence", Working(), 12.3)),
        *(13.5, Working(), "presence"),
    ),
    "the turn ended": (
        (HOOK_WORKS, FILE_WORKS, ("hook", Idle(), 12), ("presence", Idle(), 12.1)),
        *(20, Idle(), "hook"),
    ),
    "the turn ended, and something runs on": (
        (("hook", BEHIND, 12), ("presence", Idle(), 12.1)),
        *(30, BEHIND, "hook"),
    ),
    "and goes on with it": (
        (("hook", BEHIND, 12), ("presence", Idle(), 12.1), ("presence", Working(), 20)),
        *(30, Working(), "presence"),
    ),
    "it failed, and rests": (
        (("hook", LIMITED, 12), ("presence", Idle(), 12.1)),
        *(30, LIMITED, "hook"),
    ),
    "it failed, and was told to go on": (
        (("hook", LIMITED, 12), ("presence", Idle(), 12.1), ("fleet", Working(), 20)),
        *(30, Working(), "fleet"),
    ),
    "told more, while the file is idle still": (
        (("hook", Idle(), 12), ("presence", Idle(), 12.1), ("fleet", Working(), 20)),
        *(30, Working(), "fleet"),
    ),
    "a report": ((("report", Working(), 5),), 20, Working(), "report"),
    "a report of no hook's agent": ((("report", BLOCKED, 5),), 5, BLOCKED, "report"),
    "it reports that it is up, and has not read its prompt": (
        (("report", BROKEN_OFF, 1),),
        *(9, Working(), "process"),
    ),
    "it reports that it is done, however soon": ((("report", Idle(), 1),), 1, Idle(), "report"),
    "the report is newer than the hook": (
        (HOOK_WORKS, ("report", BROKEN_OFF, 12)),
        *(13, BROKEN_OFF, "report"),
    ),
    "the hook is newer than the report": (
        (("report", Idle(), 10), ("hook", Working(), 12)),
        *(13, Working(), "hook"),
    ),
    "broken off, says the report, and at once": (
        (HOOK_WORKS, FILE_WORKS, ("report", BROKEN_OFF, 12)),
        *(12, BROKEN_OFF, "report"),
    ),
    "done, says the report, but not at once": (
        (HOOK_WORKS, ("report", Idle(), 12)),
        *(12.3, Working(), "hook"),
    ),
    "the turn ended, says the report first": (
        (HOOK_WORKS, ("report", Idle(), 12), ("hook", Idle(), 12.1)),
        *(20, Idle(), "report"),
    ),
    "the turn ended, says the hook first": (
        (HOOK_WORKS, ("hook", Idle(), 12), ("report", Idle(), 12.1)),
        *(20, Idle(), "hook"),
    ),
    "the turn ended, and something runs on, which no report says": (
        (HOOK_WORKS, ("report", Idle(), 12), ("hook", BEHIND, 12.1)),
        *(20, BEHIND, "hook"),
    ),
    "a report of what a hook asks": (
        (HOOK_WORKS, ("hook", ASKS, 11), ("report", BLOCKED, 11.1)),
        *(30, ASKS, "hook"),
    ),
    "a report before the hook that asks": (
        (HOOK_WORKS, ("report", BLOCKED, 10.9), ("hook", ASKS, 11)),
        *(30, ASKS, "hook"),
    ),
    "a report of a dialog leaves a hook its time": (
        (HOOK_WORKS, ("report", BLOCKED, 11)),
        *(11.2, Working(), "hook"),
    ),
    "a report of a dialog of which no hook tells": (
        (HOOK_WORKS, ("report", BLOCKED, 11)),
        *(11.4, BLOCKED, "report"),
    ),
    "report, file and hook of one dialog": (
        (HOOK_WORKS, ("report", BLOCKED, 10.9), ("presence", DIALOG, 11), ("hook", ASKS, 11.1)),
        *(30, ASKS, "hook"),
    ),
    "report and file of one dialog": (
        (("report", BLOCKED, 10.9), ("presence", DIALOG, 11)),
        *(30, BLOCKED, "report"),
    ),
    "something goes on beside the dialog, says a hook": (
        (("hook", ASKS, 11), ("report", BLOCKED, 11.1), ("hook", Working(), 13)),
        *(20, ASKS, "hook"),
    ),
    "answered in the pane, says the report": (
        (("hook", ASKS, 11), ("report", BLOCKED, 11.1), ("report", Working(), 15)),
        *(15, Working(), "report"),
    ),
    "broken off at the dialog, says the report": (
        (("hook", ASKS, 11), ("report", BLOCKED, 11.1), ("report", BROKEN_OFF, 15)),
        *(15, BROKEN_OFF, "report"),
    ),
    "it failed, says the report": (
        (HOOK_WORKS, ("report", FAILED, 12)),
        *(12.4, FAILED, "report"),
    ),
    "it failed, and a hook knows why": (
        (HOOK_WORKS, ("report", FAILED, 12), ("hook", LIMITED, 12.2)),
        *(30, LIMITED, "hook"),
    ),
    "it failed, says the hook first": (
        (HOOK_WORKS, ("hook", LIMITED, 12), ("report", FAILED, 12.2)),
        *(30, LIMITED, "hook"),
    ),
    "it failed, says the report, and the file that it rests": (
        (("report", FAILED, 12), ("presence", Idle(), 12.1)),
        *(30, FAILED, "report"),
    ),
    "it failed, says the report, and was told to go on": (
        (("report", FAILED, 12), ("fleet", Working(), 20)),
        *(30, Working(), "fleet"),
    ),
    "a file whose clock is ahead": ((("presence", DIALOG, 1e6),), 20, DIALOG, "presence"),
    "a report that it rests, after its turn": (
        (("report", Working(), 10), ("report", Idle(), 12), ("report", BROKEN_OFF, 15)),
        *(20, Idle(), "report"),
    ),
    "a report that it rests, after a failure": (
        (("report", Working(), 10), ("report", FAILED, 12), ("report", BROKEN_OFF, 15)),
        *(20, FAILED, "report"),
    ),
    "a report that it rests, and one that it works again": (
        (("report", Idle(), 12), ("report", BROKEN_OFF, 15), ("report", Working(), 16)),
        *(20, Working(), "report"),
    ),
    "a title alone": ((("title", Working(), 5),), 20, Working(), "title"),
    "a title alone, that has just been set": (
        (("title", DIALOG, 5),),
        *(6, Working(), "process"),
    ),
    "it is up, says its title, and has not read its prompt": (
        (("title", Idle(), 1),),
        *(9, Working(), "process"),
    ),
    "broken off, says the title": (
        (HOOK_WORKS, ("title", Idle(), 12)),
        *(13.5, Idle(), "title"),
    ),
    "a title between two others": (
        (HOOK_WORKS, ("title", Idle(), 12)),
        *(13.4, Working(), "hook"),
    ),
    "a title that a newer hook contradicts": (
        (("title", Idle(), 12), ("hook", Working(), 12.5)),
        *(30, Working(), "hook"),
    ),
    "a title that a newer report contradicts": (
        (("title", DIALOG, 12), ("report", Working(), 12.5)),
        *(30, Working(), "report"),
    ),
    "a title that action is required": (
        (HOOK_WORKS, ("title", DIALOG, 12)),
        *(13.5, DIALOG, "title"),
    ),
    "a title of what a hook asks": (
        (("hook", ASKS, 11), ("title", DIALOG, 12)),
        *(30, ASKS, "hook"),
    ),
    "a title of the next dialog": (
        (("hook", ASKS, 11), ("title", DIALOG, 20)),
        *(30, DIALOG, "title"),
    ),
    "a title that is looked at late, and is of the work before it asked": (
        (("hook", ASKS, 11), ("title", Working(), 15)),
        *(30, ASKS, "hook"),
    ),
    "a title that rests all the while that a hook is said to wait": (
        (("title", Idle(), 11), ("hook", ASKS, 12)),
        *(17, Idle(), "title"),
    ),
    "a title that rests still, just after a hook has asked": (
        (("title", Idle(), 11), ("hook", ASKS, 12)),
        *(16, ASKS, "hook"),
    ),
    "answered in the pane, says the title": (
        (("hook", ASKS, 11), ("title", Working(), 17)),
        *(30, Working(), "title"),
    ),
    "the turn ended, and the title says so as well": (
        (("hook", Idle(), 12), ("title", Idle(), 12.5)),
        *(30, Idle(), "hook"),
    ),
    "something runs on while the title rests": (
        (("hook", BEHIND, 12), ("title", Idle(), 12.5)),
        *(30, BEHIND, "hook"),
    ),
    "told more, while the title is idle still": (
        (("title", Idle(), 12), ("fleet", Working(), 20)),
        *(30, Working(), "fleet"),
    ),
    "a screen alone": ((("screen", DIALOG, 1),), 1, DIALOG, "screen"),
    "a screen and an old word": ((HOOK_WORKS, ("screen", LIMITED, 20)), 20, LIMITED, "screen"),
    "a screen and a fresh word": ((HOOK_WORKS, ("screen", LIMITED, 11)), 11, Working(), "hook"),
    "a screen against who asks": ((("hook", ASKS, 1), ("screen", DIALOG, 9)), 30, ASKS, "hook"),
    "silent for less than a minute": ((HOOK_WORKS,), 69, Working(), "hook"),
    "silent for a minute": ((HOOK_WORKS,), 70, Unknown(), "hook"),
    "silent for a minute, says its file": ((FILE_WORKS,), 71, Unknown(), "presence"),
    "who waits may be silent": ((("hook", ASKS, 11),), 1e5, ASKS, "hook"),
    "who rests may be silent": ((("hook", Idle(), 11),), 1e5, Idle(), "hook"),
}


@pytest.mark.parametrize("case", TABLE)
def test_who_is_believed(case: str) -> None:
    said, at, activity, source = TABLE[case]
    judged = does(*said, at=at)

    assert (judged.activity, judged.wins.source) == (activity, source)


def test_a_dialog_keeps_its_id_where_a_file_repeats_it() -> None:
    said = (("hook", ASKS, 11.0), ("presence", DIALOG, 11.1), ("hook", Working(), 13.0))
    judged = does(*said, at=13.5)

    assert judged.look_at == after(14)
    assert does(*said, at=14).activity == ASKS


@pytest.mark.parametrize("life", ["printed", "drawn", "told"])
def test_any_sign_of_life_keeps_it_known(life: str) -> None:
    assert does(HOOK_WORKS, at=100).activity == Unknown()
    assert does(HOOK_WORKS, at=100, **{life: after(41)}).activity == Working()
    assert does(HOOK_WORKS, at=101, **{life: after(41)}).activity == Unknown()
    assert does(HOOK_WORKS, at=100, **{life: after(41)}).look_at == after(41) + DECAY


def test_silence_that_is_limited_makes_it_stalled_whoever_speaks_for_it() -> None:
    limit = timedelta(seconds=90)

    assert does(at=89, silence=limit) == judge(began(NOON), after(80), Life(silence=limit))
    assert does(at=89, silence=limit).look_at == after(90)
    assert does(at=90, silence=limit).activity == Stalled(NOON)
    assert does(at=90, silence=limit, printed=after(5)).activity == Working()
    assert does(at=90, silence=limit, drawn=after(5)).activity == Working()
    assert does(HOOK_WORKS, at=99, silence=limit).activity == Unknown()
    assert does(HOOK_WORKS, at=100, silence=limit).activity == Stalled(after(10), 90.0)
    assert does(HOOK_WORKS, at=80, silence=limit).look_at == after(100)
    assert does(("hook", ASKS, 1), at=1e5, silence=limit).activity == ASKS


def test_who_says_that_it_works_and_only_draws_makes_no_progress() -> None:
    late = PATIENCE.total_seconds() + 10
    stalled = Stalled(after(10), PATIENCE.total_seconds())
    alive = {"printed": after(late - 1), "drawn": after(late - 1)}

    assert does(HOOK_WORKS, at=late, moved=NOON, **alive).activity == stalled
    assert does(HOOK_WORKS, at=late - 1, moved=NOON, **alive).activity == Working()
    assert does(HOOK_WORKS, at=late, moved=after(11), **alive).activity == Working()
    assert does(HOOK_WORKS, at=late, moved=NOON, told=after(11), **alive).activity == Working()
    assert does(FILE_WORKS, at=late + 1, moved=NOON, **alive).wins.source == "presence"
    assert isinstance(does(FILE_WORKS, at=late + 1, moved=NOON, **alive).activity, Stalled)


def test_where_nobody_reads_its_screen_drawing_counts() -> None:
    late = PATIENCE.total_seconds() + 10

    assert does(HOOK_WORKS, at=late, drawn=after(11)).activity == Unknown()
    assert does(HOOK_WORKS, at=late, drawn=after(late - 1)).activity == Working()
    assert isinstance(does(HOOK_WORKS, at=late, drawn=after(9)).activity, Stalled)


@pytest.mark.parametrize("said", [(), (("hook", BEHIND, 10.0),), (("fleet", Working(), 10.0),)])
def test_who_says_nothing_of_the_kind_may_take_its_time(said: Any) -> None:
    assert not isinstance(does(*said, at=1e6).activity, Stalled)


def test_a_source_that_says_nothing_any_more_counts_no_more() -> None:
    said = signs(HOOK_WORKS, ("screen", LIMITED, 15.0), ("presence", Idle(), 15.0))
    without = silenced(silenced(said, "screen"), "presence")

    assert judge(without, after(20)).activity == Working()
    assert judge(without, after(20)).losers == (Sign("process", Working(), NOON),)


# Whatever they say ------------------------------------------------------------------------------

SAYS = st.sampled_from([Working(), BEHIND, Idle(), BROKEN_OFF, ASKS, DIALOG, LIMITED, FAILED])
SOMETHING = st.tuples(
    st.sampled_from(["hook", "report", "presence", "fleet", "title"]),
    SAYS,
    st.integers(0, 240).map(lambda n: n / 2),
) | st.tuples(
    st.just("screen"),
    st.sampled_from([DIALOG, LIMITED]),
    st.integers(0, 240).map(lambda n: n / 2),
)
HEARD = st.lists(SOMETHING, max_size=8)
LIVES = st.builds(
    Life,
    printed=st.none() | st.integers(0, 120).map(after),
    drawn=st.none() | st.integers(0, 120).map(after),
    moved=st.none() | st.integers(0, 120).map(after),
    told=st.none() | st.integers(0, 120).map(after),
    silence=st.none() | st.integers(1, 200).map(lambda n: timedelta(seconds=n)),
)
MOMENTS = st.integers(120, 400)


@given(said=HEARD, life=LIVES, at=MOMENTS)
def test_one_wins_and_all_others_lose(said: list[Any], life: Life, at: int) -> None:
    known = signs(*said)
    judged = judge(known, after(at), life)
    everyone = [*judged.losers, judged.wins]

    assert {it.source for it in everyone} == known.newest.keys()
    order = [SOURCES.index(it.source) for it in judged.losers]
    assert order == sorted(order)


@given(said=HEARD, life=LIVES, at=MOMENTS, share=st.floats(0, 0.999))
def test_nothing_changes_before_it_is_to_be_judged_again(
    said: list[Any], life: Life, at: int, share: float
) -> None:
    known = signs(*said)
    judged = judge(known, after(at), life)
    until = judged.look_at or after(at) + timedelta(days=9)

    assert until > after(at)
    between = judge(known, after(at) + (until - after(at)) * share, life)
    assert (between.activity, between.wins) == (judged.activity, judged.wins)


@given(said=HEARD, life=LIVES, at=MOMENTS, old=SOMETHING)
def test_a_late_report_changes_nothing(said: list[Any], life: Life, at: int, old: Any) -> None:
    known = signs(*said)
    source, says, when = old
    newest = known.newest.get(source)
    if newest is not None and after(when) < newest.at:
        assert heard(known, Sign(source, says, after(when))) == known


@given(said=HEARD, life=LIVES, at=MOMENTS)
def test_a_screen_only_adds_that_somebody_is_wanted(said: list[Any], life: Life, at: int) -> None:
    known = signs(*said)
    blind = judge(silenced(known, "screen"), after(at), life)
    judged = judge(known, after(at), life)

    if judged.wins.source == "screen":
        assert isinstance(blind.activity, Working | Idle | Unknown | Stalled)
        assert blind.wins.source == "process" or after(at) - blind.wins.at >= timedelta(seconds=3)
    else:
        assert judged.activity == blind.activity


@given(said=st.lists(SOMETHING.filter(lambda it: it[0] == "fleet"), max_size=3), at=MOMENTS)
def test_who_never_reports_is_never_unknown(said: list[Any], at: int) -> None:
    assert judge(signs(*said), after(at)).activity != Unknown()


@given(said=HEARD, life=LIVES, at=MOMENTS)
def test_a_title_outvotes_older_words_only(said: list[Any], life: Life, at: int) -> None:
    known = silenced(signs(*said), "screen")
    judged = judge(known, after(at), life)
    without = judge(silenced(known, "title"), after(at), life)

    if judged.wins.source == "title":
        assert after(at) - judged.wins.at >= STAND
        words = (known.newest.get(source) for source in ("hook", "report", "presence", "fleet"))
        older = all(word.at < judged.wins.at for word in words if word is not None)
        waited = isinstance(without.activity, Waiting) and after(at) - without.wins.at >= PAIR
        assert older or (waited and isinstance(judged.activity, Idle))
    else:
        assert judged.wins == without.wins


@given(said=HEARD, life=LIVES, at=MOMENTS)
def test_the_newest_own_word_counts_once_it_is_settled(
    said: list[Any], life: Life, at: int
) -> None:
    """Or one of the same kind does, which says more or said it first."""
    known = silenced(silenced(signs(*said), "screen"), "title")
    own = [it for it in known.newest.values() if it.source in {"hook", "report", "fleet"}]
    newest = max(own, key=lambda it: it.at, default=None)
    if newest is None or "presence" in known.newest or after(at) - newest.at < START:
        return
    if sum(it.at == newest.at for it in own) > 1:
        return
    wins = judge(known, after(at), life).wins
    report = known.newest.get("report")
    holds = report is not None and isinstance(report.says, Waiting)
    assert type(wins.says) is type(newest.says) or holds or is_rest(newest.says, wins.says)


def is_rest(newest: Activity, wins: Activity) -> bool:
    """Whether an agent that rests is what the winner is about as well."""
    return isinstance(newest, Idle) and (wins == BEHIND or isinstance(wins, Waiting))


# What each source says of a state, and how late at most; the hooks know nothing of an interruption.
TRUTH: dict[str, dict[str, Activity]] = {
    "works": {"hook": Working(), "report": Working(), "presence": Working(), "title": Working()},
    "asks": {"hook": ASKS, "report": BLOCKED, "presence": DIALOG, "title": DIALOG},
    "done": {"hook": Idle(), "report": Idle(), "presence": Idle(), "title": Idle()},
    "broken": {"report": BROKEN_OFF, "presence": Idle(), "title": Idle()},
    "fails": {"hook": LIMITED, "report": FAILED, "presence": Idle(), "title": Idle()},
}
LATE = {"hook": 0.3, "report": 0.1, "presence": 0.3, "title": 1.2}


@given(
    states=st.lists(st.sampled_from(["asks", "done", "broken", "fails"]), min_size=1, max_size=5),
    pauses=st.lists(st.floats(6, 50), min_size=10, max_size=10),
    lags=st.lists(st.floats(0, 1), min_size=40, max_size=40),
    mute=st.sets(st.sampled_from(["hook", "report", "presence", "title"]), max_size=2).filter(
        lambda mute: mute != {"hook", "report"}
    ),
)
def test_each_state_is_shown_once_and_none_in_between(
    states: list[str], pauses: list[float], lags: list[float], mute: set[str]
) -> None:
    true = [name for state in states for name in ("works", state)]
    begins = [11 + sum(pauses[:place]) for place in range(len(true))]
    late = iter(lags)
    said = sorted(
        [
            (begin + LATE[source] * next(late), source, says)
            for begin, name in zip(begins, true, strict=True)
            for source, says in TRUTH[name].items()
            if source not in mute
        ]
        + [
            # Some report later that they rest, as a person begins to type.
            (begin + 3, "report", BROKEN_OFF)
            for begin, name in zip(begins, true, strict=True)
            if name in {"done", "fails"} and "report" not in mute
        ],
        key=lambda it: it[0],
    )

    assert shown(said) == [kind(TRUTH[name]) for name in true]


def kind(says: dict[str, Activity]) -> type[Activity]:
    return type(says["presence" if says.get("hook") is None else "hook"])


def shown(said: Sequence[tuple[float, str, Activity]]) -> list[type[Activity]]:
    """The kinds of activity that are judged one after the other, from the first word on."""
    known, kinds = began(NOON), []
    times = [when for when, _, _ in said]
    for (when, source, says), until in zip(said, [*times[1:], times[-1] + 30], strict=True):
        known = heard(known, Sign(source, says, after(when)))
        look: datetime | None = after(when)
        while look is not None and look <= after(until):
            judged = judge(known, look, Life(told=look))
            kinds.append(type(judged.activity))
            look = judged.look_at
    return [it for place, it in enumerate(kinds) if place == 0 or kinds[place - 1] is not it]


def test_an_agent_waits_since_it_has_waited_for_a_while_and_not_since_its_request_failed() -> None:
    said = does(HOOK_WORKS, ("retry", LIMITED, 11), at=20)

    assert said.wins == Sign("retry", LIMITED, after(14))
    assert {it.source for it in said.losers} == {"hook", "process"}
