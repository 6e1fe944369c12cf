"""How a line goes on: groups, halving, speculation, and who is to blame for what is red."""

import histories as h
import pytest
from histories import REPO, A, B, C
from msgspec.structs import replace
from track import Track, queue, red_target

from fleet.core import events as e
from fleet.core.causes import GateRed, Intent
from fleet.core.ids import Commit, TaskId
from fleet.core.line import Line
from fleet.core.merge_queue import stands_still
from fleet.core.phrases import note
from fleet.core.policy import RepoPolicy, Rule
from fleet.core.trains import failing

ALPHABET = [chr(ord("a") + n) for n in range(12)]
FIRST = tuple(ALPHABET[:8])


def causes(track: Track) -> dict[str, e.GateRejected]:
    return {fact.task: fact for fact in track.facts if isinstance(fact, e.GateRejected)}


# Groups --------------------------------------------------------------------------------------


def test_one_worker_checks_eight_at_once_and_lands_them_in_one_move() -> None:
    track = Track(*queue(*ALPHABET))
    assert track.checking == [FIRST]

    track.finish(*FIRST)

    assert [track.landed(name) for name in ALPHABET] == [True] * 8 + [False] * 4
    assert track.checking == [tuple(ALPHABET[8:])]
    assert track.runs == 2


def test_a_group_is_no_larger_than_the_policy_says() -> None:
    track = Track(*queue("a", "b", "c"), policy=replace(h.CHECKED, batch=2))
    assert track.checking == [("a", "b")]


def test_what_is_alone_shares_no_group() -> None:
    rule = Rule("core", ("x.py",), alone=True)
    track = Track(*queue("a", "b"), policy=replace(h.CHECKED, rules=(rule,)))
    assert track.checking == [("a",)]
    track.finish("a")
    assert track.checking == [("b",)]


def test_a_red_group_is_halved_until_it_is_one_change() -> None:
    track = Track(*queue(*FIRST))
    track.finish(*FIRST, red=True)
    assert track.checking == [("a", "b", "c", "d")]
    track.finish("a", "b", "c", "d")
    assert track.checking == [("e", "f")]  # the rest is known to be red
    track.finish("e", "f", red=True)
    assert track.checking == [("e",)]
    track.finish("e")
    track.finish("f", red=True)  # once more, behind what landed
    track.finish("f", red=True)  # where it was cut

    assert list(causes(track)) == ["f"]
    assert causes(track)["f"].cause.beside == ()
    assert track.checking == [("g", "h")]


def test_who_comes_later_does_not_begin_anew_what_runs() -> None:
    track = Track(*queue("a", "b"))
    track.add(*queue("c"))

    assert track.checking == [("a", "b")]
    assert track.stopped == []


# Speculation ---------------------------------------------------------------------------------


def test_workers_check_what_lands_next_upon_what_lands_before_it() -> None:
    track = Track(*queue(*FIRST), workers=4)
    assert track.checking == [FIRST[:2], FIRST[:4], FIRST[:6], FIRST]

    track.finish(*FIRST[:2])

    assert [track.landed(name) for name in FIRST[:3]] == [True, True, False]
    assert track.checking == [("c", "d"), ("c", "d", "e", "f"), ("c", "d", "e", "f", "g", "h")]
    assert track.stopped == []


def test_what_is_checked_in_front_is_waited_for() -> None:
    track = Track(*queue(*FIRST[:4]), workers=2)
    track.finish(*FIRST[:4])
    assert not track.landed("a")

    track.finish(*FIRST[:2])

    assert all(track.landed(name) for name in FIRST[:4])


def test_nobody_behind_is_blamed_for_what_fails_in_front() -> None:
    track = Track(*queue(*FIRST[:4]), workers=2)
    track.finish(*FIRST[:4], red=True)
    assert causes(track) == {}
    track.finish(*FIRST[:2], red=True)
    assert causes(track) == {}
    assert ("a",) in track.checking


def test_the_window_shrinks_where_most_heads_fail() -> None:
    rejected = [
        event
        for name in ALPHABET[:4]
        for event in (
            *h.by_hand(TaskId(name)),
            e.GateRejected(task=TaskId(name), revision=1, cause=_red()),
        )
    ]
    track = Track(*rejected, *queue("x", "y", "z"), workers=4)

    assert failing(track.line) > 0.15
    assert len(track.checking) == 1


def _red() -> GateRed:
    return GateRed((h.RED,), h.BASE)


# Blame ---------------------------------------------------------------------------------------


def test_one_retry_tells_flaky_from_red() -> None:
    track = Track(*queue("a"))
    track.finish("a", red=True)
    assert causes(track) == {}
    assert track.checking == [("a",)]

    track.finish("a")

    assert track.landed("a")
    assert track.runs == 2


def test_red_twice_is_red() -> None:
    track = Track(*queue("a"))
    track.finish("a", red=True)
    track.finish("a", red=True)

    assert causes(track)["a"].cause.results == (h.RED,)
    assert track.checking == []


def test_two_that_pass_alone_and_fail_together_are_named() -> None:
    track = Track(*queue("a"))
    track.finish("a")
    track.add(*queue("b"))
    track.finish("b", red=True)  # behind a
    track.finish("b", red=True)  # behind a, again
    assert track.checking == [("b",)]
    track.finish("b")  # on the target of before

    cause = causes(track)["b"].cause
    assert cause.beside == (A,)
    assert (cause.own, cause.others) == (
        Intent(B, "Do it", "do it"),
        (Intent(A, "Do it", "do it"),),
    )
    assert cause.files == ("x.py",)
    told = note(cause, target="main")
    assert "What the other side was for:\n\n- a: Do it" in told
    assert "It changed:\n\n- x.py" in told


def test_who_fails_on_a_target_that_fails_by_itself_makes_no_pair() -> None:
    track = Track(*queue("a"), policy=replace(h.CHECKED, checks=()))
    track.given = h.circumstances(fleet=track.given.policy)
    track.add(*queue("b"))
    track.finish("b", red=True)  # behind a, which nobody checked
    track.finish("b", red=True)
    track.finish("b")  # on the target of before
    track.finish(red=True)  # what a led to, by itself

    assert causes(track)["b"].cause.beside == ()


def test_what_is_red_where_it_was_cut_is_no_pair() -> None:
    track = Track(*queue("a"))
    track.finish("a")
    track.add(*queue("b"))
    track.finish("b", red=True)
    track.finish("b", red=True)
    track.finish("b", red=True)  # on the target of before

    assert causes(track)["b"].cause.beside == ()
    assert track.runs == 4


def test_a_target_that_is_red_itself_stops_the_line_and_blames_nobody() -> None:
    track = Track(*queue("a", "b", "c"), policy=replace(h.CHECKED, batch=1))
    for name in ("a", "b"):
        track.finish(name, red=True)
        track.finish(name, red=True)
    track.finish("c", red=True)
    assert track.checking == [()]  # the target itself

    track.finish(red=True)
    track.finish(red=True)

    assert sorted(causes(track)) == ["a", "b"]
    assert track.checking == []
    fleet = track.fleet
    why = stands_still(fleet, fleet.tasks[TaskId("c")], track.given.target(REPO, "main"))
    assert why == (
        "main itself fails test: nothing is blamed, and nothing lands that fails it too; "
        "what mends it goes first with --priority urgent, and fleet thaw has it tried again"
    )


def test_what_mends_a_red_target_lands_and_the_line_goes_on() -> None:
    track = red_target()
    assert track.checking == []

    track.add(*queue("d"))
    assert track.checking == []  # it stands behind what fails here
    track.add(*h.by_hand(TaskId("e"), priority="urgent"), h.approved(TaskId("e")))
    track.finish("e")

    assert track.landed("e")
    track.finish("c")
    track.finish("d")
    assert track.landed("c")
    assert track.landed("d")


def test_a_target_that_moved_is_tried_anew() -> None:
    track = red_target()

    track.add(e.TargetSeen(repo=REPO, target="main", tip=h.MOVED))

    assert track.checking == [("c",)]


# Conflicts -----------------------------------------------------------------------------------


def test_a_conflict_with_what_has_not_landed_is_nobodys_fault_yet() -> None:
    track = Track(*queue("a", "b", "c"), conflicts=[("a", "b")])
    assert track.checking == [("a", "c")]
    assert track.told(e.ConflictFound) == []

    track.finish("a", "c")

    assert track.told(e.ConflictFound) == ["b"]


# Stacks --------------------------------------------------------------------------------------


def test_what_builds_on_another_lands_behind_it() -> None:
    child = (*h.by_hand(B, after=(A,)), h.approved(B))
    fleet = Track(*child, *queue("a")).fleet
    assert [tip.task for tip in fleet.repos[REPO].lines["main"].tips] == [None]
    track = Track(*child, *queue("a"))
    assert track.checking == [("a", "b")]
    track.finish("a", "b")
    landed = [tip.task for tip in track.line.tips if tip.task]
    assert landed == ["a", "b"]


def test_what_builds_on_a_change_that_is_left_out_waits_with_it() -> None:
    child = (*h.by_hand(C, after=(B,)), h.approved(C))
    track = Track(*queue("a", "b"), *child, conflicts=[("a", "b")])
    assert track.checking == [("a",)]

    track.finish("a")

    assert track.told(e.ConflictFound) == ["b"]
    assert track.landed("a")
    assert not track.landed("c")


def test_without_its_parent_it_is_neither_checked_nor_blamed() -> None:
    track = Track(*h.by_hand(A), *h.by_hand(B, after=(A,)), h.approved(B))
    assert ("b",) not in track.checking


# What is kept --------------------------------------------------------------------------------


def test_a_line_forgets_what_is_old() -> None:
    line = Line()
    for number in range(1000):
        line = line.with_results(f"tree {number}", {"k": h.GREEN}, h.NOON).with_head(failed=False)
    assert len(line.checked) == 400
    assert len(line.heads) == 50
    assert line.said("tree 999", ["k"])[0] is not None
    assert line.said("tree 1", ["k"]) == [None]


@pytest.mark.parametrize("policy", [RepoPolicy(), h.CHECKED])
def test_an_empty_line_wants_nothing(policy: RepoPolicy) -> None:
    assert Track(policy=policy).checking == []


def test_a_commit_from_outside_ends_all_speculation() -> None:
    track = Track(*queue("a", "b"))
    track.add(e.TargetSeen(repo=REPO, target="main", tip=Commit("f" * 40)))

    assert [track.names(gate) for gate in track.stopped] == [("a", "b")]
    assert track.checking == [("a", "b")]
