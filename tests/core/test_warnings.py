"""Agents are told of conflicts at the end of their turn, the younger of two, once for each file."""

from typing import Any

from histories import (
    BASE,
    NOON,
    A,
    B,
    added,
    circumstances,
    fold,
    history,
    minutes,
    running,
    settle,
    spec,
    submitted,
    talker,
)

from fleet.core import events as e
from fleet.core import turns
from fleet.core.activity import Idle, Waiting, Working
from fleet.core.causes import CheckResult, Conflict, GateRed, Intent
from fleet.core.effects import Tell
from fleet.core.ids import TaskId
from fleet.core.intents import intent
from fleet.core.lives import lives
from fleet.core.model import Fleet, Spec
from fleet.core.phrases import note, pair, reason, warning
from fleet.core.planned import Circumstances
from fleet.core.policy import RepoPolicy
from fleet.core.radar import Clash, Clashes, Opponent
from fleet.core.warnings import warnings

TELLING = RepoPolicy(tell_conflicts=True)
WORKS = e.ActivityChanged(task=B, attempt=1, activity=Working(), source="hook", said_at=NOON)
IDLE = e.ActivityChanged(task=B, attempt=1, activity=Idle(), source="hook", said_at=NOON)


def two(spec_: Spec | None = None) -> Fleet:
    """Return a at work since before b, which is at work too."""
    older = history(*running(A, talker()), at=NOON - minutes(5))
    return fold(older, [*running(B, spec_ or talker(), slot=2), WORKS])


def clashing(*files: str, policy: RepoPolicy = TELLING, **said: Any) -> Circumstances:
    clash = Clash(files, NOON)
    both: dict[TaskId, tuple[Opponent, ...]]
    both = {A: (Opponent(B, clash),), B: (Opponent(A, clash),)} if files else {}
    return circumstances(policy, clashes=Clashes(both, known=True, **said))


def told(fleet: Fleet, given: Circumstances) -> list[tuple[TaskId, TaskId, tuple[str, ...]]]:
    facts = [fact for fact in warnings(fleet, given).facts if isinstance(fact, e.ConflictTold)]
    return [(fact.task, fact.other, fact.files) for fact in facts]


# --- who is told ----------------------------------------------------------------------------


def test_the_younger_is_told_and_not_the_older() -> None:
    assert told(two(), clashing("x")) == [(B, A, ("x",))]


def test_nobody_is_told_where_policy_does_not_say_so() -> None:
    assert told(two(), clashing("x", policy=RepoPolicy())) == []


def test_nobody_is_told_before_all_was_tried() -> None:
    clash = Clashes({B: (Opponent(A, Clash(("x",), NOON)),)}, known=False)

    assert told(two(), circumstances(TELLING, clashes=clash)) == []


def test_an_agent_that_reads_no_messages_is_not_told() -> None:
    assert told(two(spec()), clashing("x")) == []


def test_whose_change_is_being_reviewed_is_not_told() -> None:
    fleet = fold(history(added(A), at=NOON - minutes(5)), [*submitted(B, talker(), slot=2)])

    assert told(fleet, clashing("x")) == []


def test_a_task_that_is_not_at_work_is_not_told() -> None:
    fleet = fold(history(*running(A), at=NOON - minutes(5)), [added(B, talker())])

    assert told(fleet, clashing("x")) == []


def test_each_file_is_told_once() -> None:
    fleet = fold(two(), warnings(two(), clashing("x")).facts)

    assert told(fleet, clashing("x")) == []
    assert told(fleet, clashing("x", "y")) == [(B, A, ("x", "y"))]


def test_what_is_over_may_be_told_anew() -> None:
    fleet = fold(two(), warnings(two(), clashing("x")).facts)
    assert len(fleet.tasks[B].messages) == 1

    over = warnings(fleet, clashing()).facts
    fleet = fold(fleet, over)

    assert over == (e.ConflictOver(task=B, other=A),)
    assert fleet.tasks[B].messages == ()  # it had not been told yet
    assert warnings(fleet, clashing()).facts == ()
    assert told(fleet, clashing("x")) == [(B, A, ("x",))]


def test_a_start_is_no_reason_to_take_anything_back() -> None:
    fleet = fold(two(), warnings(two(), clashing("x")).facts)

    assert warnings(fleet, circumstances(TELLING)).facts == ()


def test_what_is_told_anew_takes_the_place_of_what_was_not_told_yet() -> None:
    fleet = fold(two(), warnings(two(), clashing("x")).facts)
    fleet = fold(fleet, warnings(fleet, clashing("x", "y")).facts)

    [message] = fleet.tasks[B].messages
    assert "- y" in message.text
    assert fleet.tasks[B].warned == {A: ("x", "y")}


# --- when -----------------------------------------------------------------------------------


def test_it_is_told_at_the_end_of_its_turn_and_before_its_work_is_taken() -> None:
    fleet, planned, _ = settle(two(), clashing("x"))
    assert not [it for it in planned.effects if isinstance(it, Tell)]

    planned = settle(fold(fleet, [IDLE]), clashing("x"))[1]

    assert [it for it in planned.effects if isinstance(it, Tell)] == [Tell(B, 1, 1)]


def test_it_holds_up_no_other_message() -> None:
    fleet = settle(two(), clashing("x"))[0]
    fleet = fold(fleet, [e.MessageQueued(task=B, text="be quick", by="person")])

    effects = lives(fleet, clashing("x"), NOON).effects

    assert Tell(B, 1, 2) in effects
    assert turns.kept(fleet.tasks[B], 1) == "it is told when its turn has ended"
    assert turns.kept(fleet.tasks[B], 2) == ""


def test_a_dialog_comes_before_it() -> None:
    asks = Waiting("a permission", "permission")
    asking = e.ActivityChanged(task=B, attempt=1, activity=asks, source="hook", said_at=NOON)
    fleet = fold(settle(two(), clashing("x"))[0], [asking])

    assert not [it for it in lives(fleet, clashing("x"), NOON).effects if isinstance(it, Tell)]


# --- the words ------------------------------------------------------------------------------

ODD = "a\x1b[31m\nb"


def test_a_task_is_summed_up_by_the_first_lines_of_its_prompt() -> None:
    prompt = "Fix it\n\n  first\x1b[2J\n\nsecond\nthird\nfourth\n" + "x" * 999
    task = history(added(A, spec(title="Fix it", prompt=prompt))).tasks[A]

    assert intent(task) == Intent("a", "Fix it", "first\nsecond\nthird")


def test_a_warning_names_files_and_task_and_what_to_do() -> None:
    other = Intent("a", "Import files", "from a directory\nof them")

    text = warning(("src/a b.py",), other, branch="fleet/a", target="main")

    assert "- src/a b.py" in text
    assert "- a: Import files\n    from a directory\n    of them" in text
    assert "git diff main...fleet/a -- 'src/a b.py'" in text
    assert "\x1b" not in warning((ODD,), Intent(ODD, ODD, ODD), branch=ODD, target=ODD)


def test_a_conflict_is_returned_with_all_that_resolves_it() -> None:
    cause = Conflict(
        files=("src/a.py", "logo.png"),
        basis=BASE,
        others=("abc123 Merge fleet/b: Prices",),
        kinds=("CONFLICT (modify/delete): src/a.py deleted in main",),
        own=Intent("a", "Import files"),
        landed=(Intent("b", "Prices", "with taxes"),),
        checks=("make test", "make lint"),
    )

    text = note(cause, target="feature/new")

    for words in (
        "conflicts with feature/new in:\n\n- src/a.py\n- logo.png",
        "- CONFLICT (modify/delete): src/a.py deleted in main",
        "- a: Import files",
        "- b: Prices\n    with taxes",
        "- abc123 Merge fleet/b: Prices",
        "2. git merge feature/new",
        "make test; make lint",
        "6. git add -A && git commit --no-edit",
    ):
        assert words in text


def test_a_conflict_of_an_old_ledger_is_told_as_far_as_it_goes() -> None:
    text = note(Conflict(files=(), basis=BASE), target="main")

    assert text.startswith("Your change conflicts with main.\n\nResolve it")
    assert "see that it works" in text


def test_what_others_wrote_cannot_reach_a_terminal() -> None:
    odd = Intent(ODD, ODD, ODD)
    cause = Conflict((ODD,), BASE, (ODD,), (ODD,), odd, (odd,), (ODD,))

    assert "\x1b" not in note(cause, target=ODD)
    red = (CheckResult("test", "failed", 1.0, "/log/test", 1),)
    both = GateRed(red, BASE, (TaskId(ODD),), odd, (odd,), (ODD,))
    assert "\x1b" not in note(both, target=ODD)


def test_two_changes_that_fail_together_are_told_of_each_other() -> None:
    red = (CheckResult("test", "failed", 1.0, "/log/test", 1),)
    mine, others = (
        Intent(A, "Import files"),
        (Intent(B, "Prices", "with taxes"), Intent("c", "Docs")),
    )
    cause = GateRed(red, BASE, (B,), mine, others, ("prices.py",))

    text = note(cause, target="main")

    assert "and so does what b and c changed" in text
    assert "It changed:\n\n- prices.py" in text
    assert "git merge main, and fit yours to it" in text
    assert reason(cause).endswith(", together with b, and passes without")
    assert pair(cause)[0] == "it fails together with b: Prices, which changed prices.py"
    assert pair(GateRed(red, BASE, (B,))) == ()
    assert "- test: failed with exit code 1; output: /log/test" in text
    assert "- a: Import files" in text
    assert "- b: Prices\n    with taxes\n- c: Docs" in text
    old = GateRed(red, BASE, (B,))  # of an old ledger
    assert "together with b, and passes without" in note(old, target="main")


def test_many_files_are_counted() -> None:
    names = tuple(f"f{number}" for number in range(50))

    text = warning(names, Intent("a", "A"), branch="fleet/a", target="main")

    assert "- f39\n- and 10 more" in text
