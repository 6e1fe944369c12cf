"""Judging commands in tests: what clients would find out about the world, and known states."""

from typing import Any

import histories as h
import pytest
from histories import REPO, A

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.causes import NoChange
from fleet.core.decide import Decision, decide
from fleet.core.facts import AgentFacts, RepoFacts, SpawnFacts, SubmitFacts
from fleet.core.model import Fleet
from fleet.core.policy import RepoPolicy
from fleet.errors import FleetError, RefusedError


def repo(policy: RepoPolicy = h.CHECKED) -> RepoFacts:
    return RepoFacts(
        id=REPO,
        root="/srv/shop",
        git_dir="/srv/shop/.git",
        target="main",
        tip=h.MOVED,
        policy=policy,
    )


def spawn(fleet: Fleet, *, policy: RepoPolicy = h.CHECKED, **fields: Any) -> Decision:
    facts = SpawnFacts(
        repo=repo(policy),
        agent=AgentFacts(
            "shell", converses=True, done="manual", attempts=3, **fields.pop("agent_facts", {})
        ),
        base=fields.pop("commit", None),
        branches=frozenset(fields.pop("branches", ())),
    )
    actor = fields.pop("actor", "person")
    plain: dict[str, Any] = {"cwd": "/srv/shop", "prompt": "fix the login", "environment": {}}
    return decide(fleet, c.Spawn(**(plain | fields)), facts, actor=actor)


def submit(fleet: Fleet, branch: str = "docs", **fields: Any) -> Decision:
    head = fields.pop("head", h.commit("docs"))
    actor = fields.pop("actor", "person")
    facts = SubmitFacts(repo=repo(fields.pop("policy", h.CHECKED)), branch=branch, head=head)
    command = c.Submit(cwd="/srv/shop", branch=branch, environment={}, **fields)
    return decide(fleet, command, facts, actor=actor)


def refused(call: Any, error: type[FleetError] = RefusedError) -> str:
    """The sentence of the refusal, which keeps to the rules for sentences and has a next step."""
    with pytest.raises(error) as caught:
        call()
    sentence = caught.value.message
    assert not sentence.endswith(".")
    assert sentence[0] == sentence[0].lower()
    return f"{sentence} | {caught.value.hint}"


def only(decision: Decision) -> e.AnyEvent:
    assert len(decision.events) == 1
    return decision.events[0]


HELD = (*h.running(A), h.done(), e.SealFailed(task=A, cause=NoChange()), e.TaskHeld(task=A))
LANDING = (*h.submitted(A, h.talker()), h.gated(A), h.approved(A), h.landing(A))
STATES: dict[str, tuple[e.AnyEvent, ...]] = {
    "queued": (h.added(A),),
    "starting": h.starting(A),
    "running": h.running(A),
    "ending": (*h.running(A), e.RunExited(task=A, attempt=1, code=0)),
    "sealing": (*h.running(A), h.done(), h.ended(A)),
    "checking": h.checking(A),
    "submitted": (*h.submitted(A), h.ended(A)),
    "with agent": h.submitted(A),
    "landing": LANDING,
    "held": (*HELD, h.ended(A)),
    "held live": HELD,
    "paused": (h.added(A), e.TaskPaused(task=A, by="person")),
    "landed": (*LANDING, h.ended(A), h.landed(A)),
    "failed": (h.added(A), e.TaskFailed(task=A, reason="x")),
    "stopped": (h.added(A), e.TaskStopped(task=A, by="person")),
    "withdrawn": (*h.submitted(A), h.ended(A), e.ChangeWithdrawn(task=A, by="person")),
    "removed": (
        *(h.added(A), e.TaskStopped(task=A, by="person"), e.TaskRemoved(task=A, by="person")),
    ),
}
