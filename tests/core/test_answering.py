"""Answers to what agents ask: which are taken, what becomes of them, and who may give them."""

from typing import Any

import histories as h
import pytest
from decisions import only, refused
from histories import NOON, A, history
from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.activity import Activity, Idle, Waiting, Working
from fleet.core.asking import asked, dialog
from fleet.core.commands import Verdict
from fleet.core.decide import Decision, decide
from fleet.core.decide.answering import LONGEST
from fleet.core.model import Fleet
from fleet.core.rows import Ask
from fleet.core.status import Running
from fleet.errors import UsageError

ASK = Ask(id="1.1", kind="permission", tool="Bash", text="make deploy")
WAITS = Waiting("may it run make deploy", "permission", None, ASK)


def does(activity: Activity, source: str = "hook") -> e.ActivityChanged:
    return e.ActivityChanged(task=A, attempt=1, activity=activity, source=source)


def asking(waits: Activity = WAITS, *more: e.AnyEvent) -> Fleet:
    return history(*h.running(A, h.talker()), does(waits), *more)


def answer(fleet: Fleet, verdict: Verdict = "allow", actor: str = "person", **how: Any) -> Decision:
    return decide(fleet, c.Answer(task="a", verdict=verdict, **how), actor=actor)


def given(ask: str = "1.1", verdict: Verdict = "allow") -> e.AnswerGiven:
    return e.AnswerGiven(task=A, attempt=1, ask=ask, verdict=verdict, text="", by="person")


def settled(outcome: str = "delivered", ask: str = "1.1", **how: Any) -> e.AnswerSettled:
    return e.AnswerSettled(task=A, attempt=1, ask=ask, outcome=outcome, **how)


def activity(fleet: Fleet) -> Activity:
    run = fleet.tasks[A].run
    assert run is not None
    return run.activity


# Deciding ------------------------------------------------------------------------------------


def test_an_answer_is_taken_and_named() -> None:
    decision = answer(asking(), "deny", text="not on a Friday", ask="1.1")

    assert decision.answer == {"task": "a", "ask": "1.1"}
    assert only(decision) == replace(given(verdict="deny"), text="not on a Friday")


@pytest.mark.parametrize(
    ("kind", "takes"),
    [
        ("permission", {"allow", "deny"}),
        ("plan", {"allow", "deny"}),
        ("question", {"text", "deny"}),
        ("something new", {"allow", "deny", "text"}),
    ],
)
def test_each_kind_takes_what_fits_it(kind: str, takes: set[str]) -> None:
    fleet = asking(replace(WAITS, ask=replace(ASK, kind=kind)))
    verdicts: tuple[Verdict, ...] = ("allow", "deny", "text")

    for verdict in verdicts:
        if verdict in takes:
            assert answer(fleet, verdict, text="x").events
        else:
            assert "fleet answer a" in refused(lambda it=verdict: answer(fleet, it, text="x"))


@pytest.mark.parametrize(
    ("fleet", "why"),
    [
        (asking(Working()), "asks nothing now"),
        (asking(Idle()), "asks nothing now"),
        (asking(Waiting("a login", "login")), "asks nothing now"),
        (history(h.added(A)), "asks nothing now"),
        (asking(WAITS, e.LeaveBegan(task=A, attempt=1, why="x")), "asks nothing now"),
        (asking(replace(WAITS, ask=replace(ASK, id=None))), "in its pane only"),
        (asking(WAITS, given()), "is being answered already"),
    ],
)
def test_where_nothing_can_be_answered_it_is_said(fleet: Fleet, why: str) -> None:
    assert why in refused(lambda: answer(fleet))


def test_an_older_question_is_not_answered() -> None:
    assert "asks something else by now" in refused(lambda: answer(asking(), ask="0.9"))


def test_no_agent_answers_for_a_person() -> None:
    assert "a person has to" in refused(lambda: answer(asking(), actor="b"))


def test_an_answer_says_something_and_not_too_much() -> None:
    question = asking(replace(WAITS, ask=replace(ASK, kind="question")))

    assert "empty" in refused(lambda: answer(question, "text", text=" "), UsageError)
    long = "x" * (LONGEST + 1)
    assert "at most" in refused(lambda: answer(question, "text", text=long), UsageError)


# What becomes of it ----------------------------------------------------------------------------


def test_an_answer_is_passed_on_until_it_is_settled() -> None:
    fleet = asking(WAITS, given())

    assert h.effects(fleet) == (f.PassAnswer(A, 1, "1.1"),)
    assert h.effects(h.fold(fleet, [settled("refused")])) == ()


def test_an_agent_that_got_its_answer_goes_on() -> None:
    later = NOON + h.minutes(1)
    fleet = h.fold(asking(WAITS, given()), [settled()], later)
    run = fleet.tasks[A].run

    assert run is not None
    assert (run.activity, run.activity_since, run.source) == (Working(), later, "fleet")
    assert isinstance(fleet.tasks[A].status, Running)


def test_what_was_answered_in_its_pane_cannot_be_answered_again() -> None:
    fleet = asking(WAITS, given(), settled("refused", over=True))

    assert activity(fleet) == replace(WAITS, ask=replace(ASK, id=None))
    assert "in its pane only" in refused(lambda: answer(fleet))


def test_what_its_agent_would_not_take_may_be_answered_otherwise() -> None:
    assert answer(asking(WAITS, given(), settled("refused")), "deny").events


def test_a_late_word_about_an_answer_changes_no_newer_question() -> None:
    newer = replace(WAITS, ask=replace(ASK, id="2.2"))
    fleet = asking(WAITS, given(), does(newer))

    assert activity(h.fold(fleet, [settled()])) == newer
    assert activity(h.fold(asking(newer), [settled()])) == newer
    assert h.effects(h.fold(fleet, [settled()])) == ()


def test_of_an_agent_that_is_gone_nothing_is_recorded() -> None:
    fleet = h.fold(asking(), [h.ended(A)])

    assert h.fold(fleet, [given(), settled()]).tasks == fleet.tasks


# Dialogs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "source", "shows"),
    [
        (WAITS, "hook", True),
        (Waiting("a verdict", "plan"), "hook", False),
        (Waiting("a permission", "permission"), "hook", True),
        (Waiting("trust", "trust"), "hook", True),
        (Waiting("something", "question"), "presence", True),
        (Waiting("something", "question"), "screen", True),
        (Waiting("too much", "rate-limit"), "screen", False),
        (Waiting("could not be told", "undelivered"), "fleet", False),
        (Working(), "hook", False),
    ],
)
def test_a_dialog_is_told_from_words_that_are_waited_for(
    *, waits: Activity, source: str, shows: bool
) -> None:
    run = history(*h.running(A), does(waits, source)).tasks[A].run

    assert run is not None
    assert (dialog(run) is not None) == shows
    assert asked(run) == (ASK if waits is WAITS else None)
