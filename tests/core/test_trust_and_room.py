"""What keeps a task waiting is a person's word or a lack of room, and it says which."""

import histories as h
import pytest
from histories import REPO, A, B, effects, history

from fleet.core import events as e
from fleet.core.effects import StartRun
from fleet.core.planned import Circumstances
from fleet.core.policy import AgentCommand, AgentOptions, FleetPolicy, RepoPolicy
from fleet.core.schedule import occupied
from fleet.core.views import needs

READY = (e.SlotPlanned(repo=REPO, slot=11), e.SlotReady(repo=REPO, slot=11))
CHANGED = RepoPolicy(setup=("make deps",), digest="d2")  # nobody has trusted this content
CHECKED = h.spec(checks=(h.CHECK,))


def started(*events: e.AnyEvent, given: Circumstances = h.GIVEN) -> set[str]:
    planned = effects(history(*READY, *events), given)
    return {effect.task for effect in planned if isinstance(effect, StartRun)}


def wanted(*events: e.AnyEvent, policy: RepoPolicy = h.CHECKED) -> str | None:
    fleet = history(*events)
    return needs(fleet, fleet.tasks[A], policy)


@pytest.mark.parametrize(
    "policy",
    [
        RepoPolicy(checks=(h.CHECK,), digest="d2"),
        RepoPolicy(setup=("make deps",), digest="d2"),
        RepoPolicy(agents=(AgentCommand("bot", ("bot",)),), digest="d2"),
        RepoPolicy(env=("DATABASE_URL",), digest="d2"),
        RepoPolicy(agent_options=(AgentOptions("bot", "free"),), digest="d2"),
        RepoPolicy(push=True, digest="d2"),
    ],
)
def test_nothing_starts_by_a_file_that_nobody_trusted(policy: RepoPolicy) -> None:
    given = h.circumstances(policy)

    assert started(h.added(A), given=given) == set()
    assert "fleet trust" in (wanted(h.added(A), policy=policy) or "")
    assert started(h.added(A), e.PolicyTrusted(repo=REPO, digest="d2"), given=given) == {A}


def test_a_file_that_only_limits_needs_no_trust() -> None:
    assert started(h.added(A), given=h.circumstances(RepoPolicy(ports=3, digest="d2"))) == {A}


def test_a_file_changed_while_an_agent_works_stops_nothing_that_runs() -> None:
    fleet = history(*h.running(A))
    assert "fleet trust" not in (needs(fleet, fleet.tasks[A], CHANGED) or "")


def test_checks_in_a_workspace_hold_the_slot_of_the_agent_they_judge() -> None:
    ended = (e.RunExited(task=A, attempt=1, code=0), h.ended(A))
    sealing = (*h.running(A, CHECKED), *ended)
    one = h.circumstances(fleet=FleetPolicy(slots=1, pool=0))

    for checking in (sealing, (*sealing, h.sealed(A))):
        assert occupied(history(*checking)) == 1
        assert started(*checking, h.added(B), given=one) == set()
    judged = (*sealing, h.sealed(A), h.passed(A))
    assert started(*judged, h.added(B), given=one) == {B}


def test_what_needs_no_check_of_its_own_gives_its_slot_back_at_once() -> None:
    ended = (e.RunExited(task=A, attempt=1, code=0), h.ended(A))
    assert occupied(history(*h.running(A), *ended)) == 0
    assert occupied(history(h.added(A, h.spec(agent=None, checks=(h.CHECK,))))) == 0


def test_a_start_that_failed_says_why_until_the_next_one() -> None:
    failed = e.StartFailed(task=A, attempt=1, reason="tmux is not installed")
    assert wanted(*h.starting(A), failed) == "cannot be started: tmux is not installed"
    again = e.AttemptBegan(task=A, attempt=2, base=h.BASE)
    assert wanted(*h.starting(A), failed, again) is None


def test_a_workspace_that_cannot_be_made_is_said_where_it_is_missed() -> None:
    broken = e.SlotBroken(repo=REPO, slot=1, reason="no space left", not_before=h.NOON)
    wants = h.added(A)

    assert wanted(wants, broken) == "no workspace can be made: no space left"
    assert wanted(wants, broken, *READY) is None
    assert wanted(*h.starting(A), h.added(B), broken) is None
