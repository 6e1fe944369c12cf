"""Which branches are tried again, and what the map then says: as if all had been tried anew."""

import os
from datetime import timedelta

from histories import BASE, NOON, REPO, A, B, C, added, commit, fold, history, submitted
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.core import events as e
from fleet.core.ids import Commit, TaskId
from fleet.core.radar import (
    EMPTY,
    Branch,
    Chart,
    Clashes,
    Normal,
    Opponent,
    Sought,
    Touch,
    Two,
    Wanted,
    afresh,
    branches,
    clashes,
    commits,
    kept,
    meet,
    unknown,
    untried,
    update,
    wanted,
)

TIMES = int(os.environ.get("FLEET_EXAMPLES", "1"))


def of(*paths: str, gone: tuple[str, ...] = ()) -> Touch:
    return Touch.of(paths, gone)


def normal(name: str, *paths: str) -> Normal:
    touch = of(*paths)
    return Normal(commit(f"tip of {name}"), commit(f"normal of {name}"), touch, touch)


def stale(name: str, *files: str) -> Normal:
    return Normal(commit(f"tip of {name}"), None, of(*files), of(*files), files)


# --- what may conflict ----------------------------------------------------------------------


def test_only_what_lies_in_the_same_place_meets() -> None:
    assert meet(of("src/a"), of("src/a", "b"))
    assert not meet(of("src/a"), of("src/b"))
    assert not meet(of("src"), of("srcs/b"))


def test_a_file_meets_what_lies_in_a_directory_of_its_name() -> None:
    assert meet(of("a/b"), of("a/b/c"))
    assert meet(of("a/b/c/d"), of("a/b"))


def test_a_directory_that_is_gone_meets_whatever_is_put_in_there() -> None:
    moved = of("old/one", "new/one", gone=("old",))

    assert meet(moved, of("old/deep/two"))
    assert meet(of("old/two"), moved)
    assert not meet(moved, of("older/two"))


def test_other_attributes_may_change_how_any_file_is_merged() -> None:
    assert of("docs/.gitattributes").everywhere
    assert not of("docs/.gitattributes.txt").everywhere


def test_a_touch_grows_by_more_paths() -> None:
    assert meet(of("a").and_(of("b/c")), of("b/c"))
    assert meet(of("a").and_(of("b")), of("a"))


# --- which branches -------------------------------------------------------------------------


def test_open_tasks_are_charted_by_target() -> None:
    fleet = history(added(A), added(B, target="next"), added(C))
    fleet = fold(fleet, [e.TaskStopped(task=C, by="person")])

    assert wanted(fleet) == {(REPO, "main"): Wanted(BASE, (Sought(A, "fleet/a", BASE),))}


def test_what_is_removed_is_not_charted() -> None:
    fleet = fold(history(added(A)), [e.TaskRemoved(task=A, by="person")])

    assert wanted(fleet) == {}


def test_a_branch_without_anything_of_its_own_is_left_out() -> None:
    sought = [Sought(A, "fleet/a", BASE), Sought(B, "fleet/b", BASE)]

    assert branches(sought, {"fleet/a": BASE, "fleet/b": commit("b")}) == [
        Branch(B, commit("b"), BASE)
    ]
    assert branches(sought, {}) == []


def test_what_was_sealed_counts_until_something_is_committed() -> None:
    sought = [Sought(A, "fleet/a", BASE, head=commit("head"), sealed=commit("sealed"))]

    assert branches(sought, {"fleet/a": commit("head")}) == [Branch(A, commit("sealed"), BASE)]
    assert branches(sought, {"fleet/a": commit("newer")}) == [Branch(A, commit("newer"), BASE)]
    assert branches(sought, {}) == [Branch(A, commit("sealed"), BASE)]


def test_a_change_brings_its_sealed_commit() -> None:
    fleet = history(*submitted(A))
    change = fleet.tasks[A].change
    assert change

    [sought] = wanted(fleet)[REPO, "main"].tasks

    assert (sought.head, sought.sealed) == (change.head, change.sealed)


# --- what is tried --------------------------------------------------------------------------


def chart(*names: str, target: Commit = BASE) -> Chart:
    return Chart(target, {TaskId(name): normal(name, f"{name}.txt") for name in names})


def at(*names: str) -> list[Branch]:
    return [Branch(TaskId(name), commit(f"tip of {name}"), BASE) for name in names]


def test_a_branch_that_moved_is_tried_again_and_no_other() -> None:
    moved = [*at("a"), Branch(B, commit("elsewhere"), BASE)]

    old = kept(chart("a", "b"), moved, BASE, None)

    assert old.keys() == {"a"}
    assert unknown(moved, old) == [moved[1]]


def test_where_the_target_moves_only_what_it_touches_is_tried_again() -> None:
    before = chart("a", "b")

    assert kept(before, at("a", "b"), commit("next"), of("b.txt", "c.txt")).keys() == {"a"}
    assert kept(before, at("a", "b"), commit("next"), of("c.txt")).keys() == {"a", "b"}
    assert kept(before, at("a", "b"), commit("next"), None) == {}
    assert kept(before, at("a", "b"), commit("next"), of(".gitattributes")) == {}


def test_what_nobody_knows_the_changes_of_is_tried_again() -> None:
    before = Chart(BASE, {A: Normal(commit("tip of a"), commit("a"), of("a.txt"))})

    assert kept(before, at("a"), commit("next"), of("c.txt")) == {}


def test_what_the_target_changed_alike_is_tried_again_when_it_goes_on() -> None:
    before = Chart(BASE, {A: Normal(commit("tip of a"), commit("a"), of(), of("a.txt"))})

    assert kept(before, at("a"), commit("next"), of("a.txt")) == {}


def test_a_branch_that_is_no_more_is_forgotten() -> None:
    assert kept(chart("a", "b"), at("b"), BASE, None).keys() == {"b"}


def test_only_pairs_of_which_one_is_new_and_which_meet_are_tried() -> None:
    old = {A: normal("a", "x"), B: normal("b", "x", "y")}
    new = {C: normal("c", "y"), TaskId("d"): stale("d", "y")}

    assert untried(old, new) == [(B, C)]
    assert untried({}, old) == [(A, B)]
    assert untried(old, {}) == []


def test_a_pair_is_two_commits_on_their_target() -> None:
    both = {A: normal("a"), B: normal("b")}

    assert commits(both, [(A, B)]) == [(commit("normal of a"), commit("normal of b"))]


# --- the map --------------------------------------------------------------------------------

LATER = NOON + timedelta(minutes=1)


def first() -> Chart:
    new = {A: normal("a", "x"), B: normal("b", "x"), C: stale("c", "z")}
    return update(EMPTY, BASE, {}, new=new, conflicts={(A, B): ("x",)}, now=NOON)


def test_the_map_has_pairs_and_what_is_stale() -> None:
    it = first()

    assert it.pairs[A, B].files == ("x",)
    assert it.stale[C].files == ("z",)
    assert clashes([it]) == Clashes(
        between={A: (Opponent(B, it.pairs[A, B]),), B: (Opponent(A, it.pairs[A, B]),)},
        stale={C: it.stale[C]},
        known=True,
    )


def test_what_still_conflicts_does_so_since_then() -> None:
    new = {B: normal("b2", "x", "y"), C: stale("c2", "z", "y")}

    it = update(
        first(), BASE, {A: normal("a", "x")}, new=new, conflicts={(A, B): ("y",)}, now=LATER
    )

    assert (it.pairs[A, B].files, it.pairs[A, B].since) == (("y",), NOON)
    assert (it.stale[C].files, it.stale[C].since) == (("z", "y"), NOON)
    assert clashes([it]) != clashes([first()])


def test_a_pair_that_was_not_tried_again_stays() -> None:
    it = update(first(), BASE, first().normals, new={}, conflicts={}, now=LATER)

    assert clashes([it]) == clashes([first()])


def test_what_fits_now_or_is_gone_is_on_the_map_no_more() -> None:
    fits = update(first(), BASE, {A: normal("a")}, new={B: normal("b2")}, conflicts={}, now=LATER)
    gone = update(first(), BASE, {A: normal("a")}, new={}, conflicts={}, now=LATER)

    assert fits.pairs == gone.pairs == {}
    assert fits.stale == {}


def test_a_map_drawn_afresh_knows_since_when() -> None:
    it = afresh(first())

    assert kept(it, at("a", "b", "c"), BASE, None) == {}
    assert clashes([it]) == clashes([first()])


# --- a model: every file has one line, and two sides that change it differently conflict --------

PATHS = tuple(f"{folder}{name}" for folder in ("", "p/", "p/q/", "r/") for name in "xyz")
EDITS = st.dictionaries(st.sampled_from(PATHS), st.integers(0, 2), max_size=4)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcdef"), EDITS),  # a branch holds these edits now
        st.tuples(st.sampled_from("abcdef"), st.none()),  # it is no more
        st.tuples(st.just("main"), EDITS),  # the target got these
    ),
    max_size=12,
)
World = dict[str, dict[str, int]]


def clash(one: dict[str, int], other: dict[str, int]) -> tuple[str, ...]:
    """Return where two sides put different things, or a file where the other has a directory."""
    return tuple(
        sorted(
            path
            for path in one
            for there in other
            if (path == there and one[path] != other[there])
            or there.startswith(f"{path}/")
            or path.startswith(f"{there}/")
        )
    )


def drawn(before: Chart, world: World, target: dict[str, int], moved: Touch | None) -> Chart:
    """Bring the map up to date, with the answers that the model gives."""
    tips = {name: commit(f"{name} {sorted(edits.items())}") for name, edits in world.items()}
    there = [Branch(TaskId(name), tip, BASE) for name, tip in tips.items()]
    tip = commit(f"main {sorted(target.items())}")
    old = kept(before, there, tip, moved)
    new = {}
    for branch in unknown(there, old):
        edits = world[branch.task]
        files = clash(edits, target)
        touch = of(*(path for path in edits if edits[path] != target.get(path)), *files)
        commit_ = None if files else branch.tip
        new[branch.task] = Normal(branch.tip, commit_, touch, of(*edits).and_(touch), files)
    two = untried(old, new)
    conflicts = {
        (one, other): files for one, other in two if (files := clash(world[one], world[other]))
    }
    return update(before, tip, old, new=new, conflicts=conflicts, now=NOON)


@settings(max_examples=400 * TIMES, deadline=None, derandomize=TIMES == 1, database=None)
@given(MOVES)
def test_brought_up_to_date_is_the_same_as_drawn_anew(
    moves: list[tuple[str, dict[str, int] | None]],
) -> None:
    world: World = {}
    target: dict[str, int] = {}
    it = drawn(EMPTY, world, target, None)
    for name, edits in moves:
        moved = of()
        if name == "main" and edits is not None:
            after = target | edits
            moved = of(*(path for path in after if after[path] != target.get(path)))
            target = after
        elif edits is None:
            world.pop(name, None)
        else:
            world[name] = edits
        it = drawn(it, world, target, moved)

        anew = drawn(EMPTY, world, target, None)
        assert facts(it) == facts(anew)


def facts(it: Chart) -> tuple[dict[Two, tuple[str, ...]], dict[TaskId, tuple[str, ...]]]:
    pairs = {two: found.files for two, found in it.pairs.items()}
    return pairs, {name: found.files for name, found in it.stale.items()}
