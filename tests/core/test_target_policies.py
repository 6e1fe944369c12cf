"""What becomes of a task follows from the file of its own target, whatever another's says."""

from typing import Any

import histories as h
from histories import MOVED, NOON, REPO, A, B

from fleet.core import events as e
from fleet.core import proofs
from fleet.core.effects import EndRun, Gate, Merge
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances
from fleet.core.policy import FleetPolicy, RepoPolicy
from fleet.core.radar import Clash, Clashes, Opponent
from fleet.core.views import needs
from fleet.core.warnings import warnings

SEEN = e.TargetSeen(repo=REPO, target="next", tip=MOVED)


def given(next_: RepoPolicy, main: RepoPolicy = h.CHECKED, **others: Any) -> Circumstances:
    """Return what counts where `next` says something else than `main`."""
    return h.circumstances(main, targets={(REPO, "next"): next_}, **others)


def elsewhere(events: h.Events) -> h.Events:
    """The same task, for `next`."""
    first, *others = events
    assert isinstance(first, e.TaskAdded)
    return (h.added(first.task, first.spec, target="next", base=MOVED), *others)


def begun(fleet: Fleet, given: Circumstances) -> set[TaskId]:
    return {it.task for it in h.settle(fleet, given)[2] if isinstance(it, e.AttemptBegan)}


def test_only_what_is_for_a_trusted_target_starts() -> None:
    slots = [it(repo=REPO, slot=1) for it in (e.SlotPlanned, e.SlotReady)]
    untrusted = RepoPolicy(checks=(h.CHECK,), digest="nobody trusted it")
    slot = FleetPolicy(slots=1, pool=0, notify=())

    here, there = h.added(A), h.added(B, target="next", base=MOVED)
    for which, added in ((A, here), (B, there)):
        fleet = h.history(SEEN, added, *slots)
        main_only = given(untrusted, h.CHECKED, fleet=slot)
        next_only = given(h.CHECKED, untrusted, fleet=slot)
        assert begun(fleet, main_only) == {which} & {A}
        assert begun(fleet, next_only) == {which} & {B}


def test_an_agent_waits_in_its_pane_for_as_long_as_its_target_says() -> None:
    later = NOON + h.minutes(5)
    hasty = RepoPolicy(park_s=60.0)

    def ends(*events: e.AnyEvent, next_: RepoPolicy, main: RepoPolicy = h.CHECKED) -> bool:
        fleet = h.history(SEEN, *events)
        return EndRun(A, 1) in h.effects(fleet, given(next_, main), now=later)

    here, there = h.submitted(A, h.talker()), elsewhere(h.submitted(A, h.talker()))
    assert ends(*there, next_=hasty)
    assert not ends(*here, next_=hasty)
    assert ends(*here, next_=h.CHECKED, main=hasty)
    assert not ends(*there, next_=h.CHECKED, main=hasty)


def test_an_agent_is_told_of_conflicts_where_its_target_says_so() -> None:
    tells, clash = RepoPolicy(tell_conflicts=True), Clash(("x",), NOON)
    clashes = Clashes({A: (Opponent(B, clash),), B: (Opponent(A, clash),)}, known=True)
    older = h.history(SEEN, *h.running(A, h.talker()), at=NOON - h.minutes(5))
    fleet = h.fold(older, elsewhere(h.running(B, h.talker(), slot=2)))

    assert not warnings(fleet, given(RepoPolicy(), tells, clashes=clashes)).facts
    [told] = warnings(fleet, given(tells, RepoPolicy(), clashes=clashes)).facts
    assert isinstance(told, e.ConflictTold)
    assert told.task == B


def test_a_change_is_proven_by_the_checks_of_its_target() -> None:
    files = ("x.py", "tests/test_x.py")
    change = (h.sealed(B, files=files, base=MOVED), h.passed(B), h.gated(B, onto=MOVED))
    fleet = h.history(SEEN, h.added(B, h.spec(agent=None), target="next", base=MOVED), *change)

    assert [it.task for it in proofs.wanted(fleet, given(h.CHECKED, RepoPolicy()))] == [B]
    assert proofs.wanted(fleet, given(RepoPolicy(proofs=False), h.CHECKED)) == []


def test_nothing_is_done_for_a_target_whose_file_nobody_could_read() -> None:
    fleet = h.history(*h.by_hand(A), h.gated(A), h.approved(A), h.added(B))
    unread = h.circumstances()
    unread.targets.clear()

    done = h.effects(fleet, unread)

    assert not [it for it in done if isinstance(it, Merge | Gate)]
    began = (e.AttemptBegan, e.LandingBegan, e.ApprovalVoided)
    assert not [it for it in h.settle(fleet, unread)[2] if isinstance(it, began)]
    for task in (A, B):
        said = needs(fleet, fleet.tasks[task], unread.target(REPO, "main"))
        assert said == "the fleet.yaml of main cannot be read (fleet status tells why)"
