"""Verdicts and house-keeping: what only a person may do, and for which commit."""

from functools import partial

import histories as h
import pytest
from decisions import STATES, only, refused, repo
from histories import REPO, A, history

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide import Decision, decide
from fleet.core.facts import CleanFacts, TrustFacts
from fleet.core.model import Fleet
from fleet.core.policy import RepoPolicy
from fleet.errors import UsageError

# Verdicts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        *(
            c.Approve(task="a"),
            c.Return(task="a", note="x"),
            c.Trust(cwd="/"),
            c.Thaw(cwd="/"),
            c.TrustAgents(cwd="/"),
        ),
        *(c.Remove(task="a"), c.Clean()),
        *(
            c.Comment(task="a", path="x.py", line=1, text="x"),
            c.EditComment(comment="a#1", text="x"),
            c.DropComment(comment="a#1"),
            c.ResolveComment(comment="a#1"),
            c.MarkSeen(task="a"),
        ),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_only_a_person_may_do(command: c.AnyCommand) -> None:
    fleet = history(*h.submitted(A))

    assert "the agent of a may not do this" in refused(
        lambda: decide(fleet, command, TrustFacts(repo=repo()), actor="a")
    )


SEALED = h.commit("a-1")
OTHER_HEAD = h.commit("head")
AUTO_COMMIT = (*h.running(A), h.done(), h.sealed(A, head=OTHER_HEAD), h.passed(A))
SECOND = (h.done(A), h.sealed(A, 2), h.passed(A, 2))


@pytest.mark.parametrize(
    ("events", "head", "goes"),
    [
        (h.submitted(A), None, True),
        (h.submitted(A), SEALED, True),
        (h.submitted(A), SEALED[:4], True),
        (h.submitted(A), SEALED[:3], False),
        (h.submitted(A), "", False),
        (h.submitted(A), h.commit("other"), False),
        (AUTO_COMMIT, SEALED[:8], True),
        (AUTO_COMMIT, OTHER_HEAD[:8], False),
        ((*h.submitted(A), *SECOND), None, True),  # never shown any
        ((*h.submitted(A), e.ChangeShown(task=A, revision=1, by="p"), *SECOND), None, False),
        (
            (
                *(*h.submitted(A), *SECOND, e.ChangeShown(task=A, revision=2, by="p")),
                e.ChangeShown(task=A, revision=1, by="p"),
            ),
            None,
            True,
        ),
        ((*h.submitted(A), *SECOND), SEALED, False),  # the commit that it was
    ],
)
def test_an_approval_is_for_the_commit_that_was_meant(
    events: tuple[e.AnyEvent, ...], head: str | None, *, goes: bool
) -> None:
    fleet = history(*events)

    def call() -> Decision:
        return decide(fleet, c.Approve(task="a", head=head))

    if not goes:
        assert "fleet diff a" in refused(call)
        return
    change = fleet.tasks[A].change
    assert change is not None
    assert call().answer == {"task": A, "head": change.sealed, "revision": change.revision}


def test_an_approval_names_the_rules_of_what_was_seen() -> None:
    fleet = history(*h.submitted(A), h.gated(A))
    approved = only(decide(fleet, c.Approve(task="a")))

    assert isinstance(approved, e.Approved)
    assert approved.rules == h.evidence(A).rules


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("landed", "a has landed already"),
        ("landing", "a is being landed"),
        ("held", "a has no change to approve: ended without a change"),
    ],
)
def test_what_cannot_be_approved(state: str, sentence: str) -> None:
    fleet = history(*STATES[state])

    assert sentence in refused(lambda: decide(fleet, c.Approve(task="a")))


def test_a_return_says_what_is_wrong() -> None:
    fleet = history(*h.submitted(A))

    assert "neither a note nor a comment" in refused(
        lambda: decide(fleet, c.Return(task="a", note="\n")), UsageError
    )
    assert only(decide(fleet, c.Return(task="a", note="more"))) == e.Returned(
        task=A, revision=1, note="more", by="person"
    )


# Keeping house -------------------------------------------------------------------------------


def test_removing_ends_a_task_and_needs_its_agent_gone() -> None:
    fleet = history(h.added(A))
    removed = e.TaskRemoved(task=A, by="person")

    assert decide(fleet, c.Remove(task="a")).events == (
        e.TaskStopped(task=A, by="person"),
        removed,
    )
    assert "fleet stop a" in refused(lambda: decide(history(*h.running(A)), c.Remove(task="a")))
    gone = h.fold(history(*STATES["failed"]), [removed])
    assert "fleet restore a" in refused(lambda: decide(gone, c.Remove(task="a")))


def test_what_is_being_restored_is_not_removed() -> None:
    archived = (
        *(*STATES["held"], e.TaskStopped(task=A, by="p"), e.TaskRemoved(task=A, by="p")),
        *(e.WorkspaceFreed(task=A, ref="refs/x"), e.TaskRestored(task=A, by="p")),
    )
    fleet = history(*archived)

    assert decide(fleet, c.Remove(task="a")).events == (e.TaskRemoved(task=A, by="person"),)
    coming = h.fold(fleet, [e.WorkspaceAssigned(task=A, slot=1)])
    assert "a is being restored" in refused(lambda: decide(coming, c.Remove(task="a")))


def test_clean_takes_what_landed_and_was_freed() -> None:
    freed = (*STATES["landed"], e.WorkspaceFreed(task=A, ref=None))

    def clean(*events: e.AnyEvent, dry_run: bool = False) -> Decision:
        return decide(history(*events), c.Clean(dry_run=dry_run), CleanFacts(now=h.NOON))

    assert clean(*STATES["landed"]).events == ()
    says = {"tasks": [A], "forgotten": [], "unlanded": []}
    assert clean(*freed, dry_run=True) == Decision((), says)
    assert only(clean(*freed)) == e.TaskRemoved(task=A, by="person")


class TestForgetting:
    """`clean --forget AGE`: what a task left is deleted, if it was removed that long ago."""

    GONE = (
        *(*h.submitted(A), h.ended(), e.TaskStopped(task=A, by="p")),
        *(e.TaskRemoved(task=A, by="p"), e.WorkspaceFreed(task=A, ref="refs/x")),
    )
    FORGOTTEN = e.TaskForgotten(task=A, by="person")

    def clean(
        self, *events: e.AnyEvent, age_s: float | None = 60.0, dry_run: bool = False
    ) -> Decision:
        facts = CleanFacts(now=h.NOON + h.minutes(1))
        command = c.Clean(forget_s=age_s, dry_run=dry_run)
        return decide(history(*events), command, facts)

    def test_what_was_removed_long_enough_ago_is_forgotten(self) -> None:
        done = self.clean(*self.GONE)
        assert done.answer == {"tasks": [], "forgotten": [A], "unlanded": [A]}
        assert done.events == (self.FORGOTTEN,)
        assert self.clean(*self.GONE, dry_run=True) == Decision((), done.answer)
        assert self.clean(*self.GONE, age_s=60.1).events == ()
        assert self.clean(*self.GONE, age_s=None).events == ()

    def test_what_landed_is_told_from_what_never_did(self) -> None:
        landed = (*STATES["landed"], e.WorkspaceFreed(task=A, ref=None))
        removed = (*landed, e.TaskRemoved(task=A, by="p"))
        answer = self.clean(*removed).answer
        assert answer == {"tasks": [], "forgotten": [A], "unlanded": []}

    @pytest.mark.parametrize(
        "events",
        [
            GONE[:-2],  # it was stopped, not removed
            GONE[:-1],  # its workspace is not archived yet
            (*GONE, e.TaskRestored(task=A, by="p")),
            (*GONE, FORGOTTEN),
            (*GONE, FORGOTTEN, e.LeftoversDeleted(task=A)),
            (*GONE, h.added(h.B, h.spec(after=(A,)))),
        ],
        ids=["there", "archiving", "restored", "under way", "done", "needed"],
    )
    def test_what_is_not_forgotten(self, events: tuple[e.AnyEvent, ...]) -> None:
        assert self.clean(*events).events == ()

    def test_it_can_be_asked_for_again_after_it_failed(self) -> None:
        failed = e.ForgettingFailed(task=A, reason="there is no repository")
        assert self.clean(*self.GONE, self.FORGOTTEN, failed).events == (self.FORGOTTEN,)

    def test_nothing_brings_it_back(self) -> None:
        for events in ((self.FORGOTTEN,), (self.FORGOTTEN, e.LeftoversDeleted(task=A))):
            fleet = history(*self.GONE, *events)
            said = refused(lambda fleet=fleet: decide(fleet, c.Restore(task="a")))
            assert "what a held was deleted for good" in said


def test_consent_to_trusting_agents_is_given_once_and_to_one_repository() -> None:
    def trust(fleet: Fleet) -> Decision:
        return decide(fleet, c.TrustAgents(cwd="/"), TrustFacts(repo=repo()))

    agreed = e.AgentsTrusted(repo=REPO, by="person")

    assert history().repos[REPO].consents == frozenset()
    assert only(trust(history())) == agreed
    assert trust(Fleet()).events[-1] == agreed
    assert history(agreed).repos[REPO].consents == {"trust"}
    assert trust(history(agreed)).events == ()


def test_consent_can_be_withdrawn() -> None:
    agreed = e.AgentsTrusted(repo=REPO, by="person")
    withdrawn = e.AgentsDistrusted(repo=REPO, by="person")

    def revoke(fleet: Fleet) -> Decision:
        return decide(fleet, c.TrustAgents(cwd="/", revoke=True), TrustFacts(repo=repo()))

    assert only(revoke(history(agreed))) == withdrawn
    assert history(agreed, withdrawn).repos[REPO].consents == frozenset()
    for fleet in (history(), history(agreed, withdrawn), Fleet()):
        assert "agents are not told" in refused(partial(revoke, fleet))


def test_trust_is_for_the_exact_content() -> None:
    def trust(fleet: Fleet, policy: RepoPolicy, digest: str | None = None) -> Decision:
        return decide(fleet, c.Trust(cwd="/", digest=digest), TrustFacts(repo=repo(policy)))

    trusted = e.PolicyTrusted(repo=REPO, digest="d2")
    changed = RepoPolicy(digest="d2")
    assert only(trust(history(), changed)) == trusted
    assert trust(Fleet(), changed, "d2").events[-1] == trusted
    assert trust(history(), h.CHECKED).events == ()  # it is already
    assert "no fleet.yaml" in refused(lambda: trust(history(), RepoPolicy()))
    assert "has changed since" in refused(lambda: trust(history(), changed, "d1"))


def test_thaw_lets_a_frozen_queue_move_from_where_its_target_is() -> None:
    def thaw(fleet: Fleet) -> Decision:
        return decide(fleet, c.Thaw(cwd="/"), TrustFacts(repo=repo()))

    frozen = history(e.QueueFrozen(repo=REPO, target="main", reason="rewound"))
    assert thaw(frozen).events == (
        e.TargetSeen(repo=REPO, target="main", tip=h.MOVED),
        e.QueueThawed(repo=REPO, target="main"),
    )
    assert "is not frozen" in refused(lambda: thaw(history()))
    assert "is not frozen" in refused(lambda: thaw(Fleet()))


def test_every_command_has_a_rule() -> None:
    from fleet.core.decide import _RULES  # noqa: PLC0415 (looked at by this test alone)

    assert set(_RULES) == set(c.AnyCommand.__args__)
