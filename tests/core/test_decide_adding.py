"""Spawning, submitting and naming: defaults, and every refusal with its next step."""

import re
from typing import Any

import histories as h
import pytest
from decisions import only, refused, spawn, submit
from histories import REPO, A, B, history

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide import decide
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.core.names import checked, free, slug
from fleet.core.policy import Check, Limits, RepoPolicy
from fleet.errors import UsageError

# Spawning ------------------------------------------------------------------------------------


def test_a_spawned_task_has_every_default_resolved() -> None:
    policy = RepoPolicy(limits=Limits(retries=5, timeout_s=60.0), land="auto")
    decision = spawn(Fleet(), policy=policy)

    assert decision.answer == {"tasks": ["fix-the-login"]}
    registered, seen, added = decision.events
    assert isinstance(registered, e.RepoRegistered)
    assert seen == e.TargetSeen(repo=REPO, target="main", tip=h.MOVED)
    assert isinstance(added, e.TaskAdded)
    assert (added.base, added.base_pinned, added.branch) == (h.MOVED, False, "fleet/fix-the-login")
    assert added.spec.limits == Limits(attempts=3, retries=5, timeout_s=60.0)
    assert (added.spec.land, added.spec.done, added.spec.title) == (
        "auto",
        "manual",
        "fix the login",
    )


def test_what_is_given_goes_before_every_default() -> None:
    decision = spawn(
        history(),
        name="login",
        commit=h.BASE,
        checks=("make test", "make lint"),
        attempts=7,
        retries=0,
        budget_usd=2.5,
        timeout_s=9.0,
        land="auto",
    )
    added = only(decision)

    assert isinstance(added, e.TaskAdded)
    assert (added.base, added.base_pinned) == (h.BASE, True)
    assert added.spec.checks == (Check("check-1", "make test"), Check("check-2", "make lint"))
    assert added.spec.done == "manual"  # as was found for this agent and these checks
    assert added.spec.limits == Limits(attempts=7, retries=0, budget_usd=2.5, timeout_s=9.0)
    assert added.spec.land == "auto"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": " \n"}, "the prompt is empty"),
        ({"count": 0}, "--count must be from 1 to 200"),
        ({"count": 201}, "--count must be from 1 to 200"),
        ({"checks": ("make test", " ")}, "a check is empty"),
        ({"attempts": 0}, "--attempts must be a number above zero"),
        ({"retries": -1}, "--retries must be"),
        ({"budget_usd": 0.0}, "--budget must be"),
        ({"tokens": 0}, "--tokens must be"),
        ({"timeout_s": float("inf")}, "--timeout must be"),
        ({"timeout_s": float("nan")}, "--timeout must be"),
        ({"name": "a/b"}, "'a/b' cannot be a task's name"),
        ({"name": "-x"}, "'-x' cannot be a task's name"),
        ({"name": "x" * 64}, "cannot be a task's name"),
        ({"name": "person"}, "person cannot be a task's name"),
        ({"name": "policy"}, "policy cannot be a task's name"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(fields: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(lambda: spawn(history(), **fields), UsageError)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "A"}, "the name A is taken by a task"),
        ({"name": "x", "branches": {"X"}}, "the name x is taken by a branch fleet/x"),
        ({"name": "x", "branches": {"x/y"}}, "the name x is taken by a branch fleet/x"),
        ({"after": ("nobody",)}, "there is no task nobody"),
        ({"policy": RepoPolicy(checks=(h.CHECK,), digest="d2")}, "not trusted yet | read it"),
        ({"policy": RepoPolicy(setup=("make",), digest="d2")}, "not trusted yet | read it"),
        ({"land": "auto", "actor": "b"}, "the agent of b may not choose to land unseen"),
    ],
)
def test_spawning_is_refused(fields: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(lambda: spawn(history(h.added(A)), **fields))


ONLY_COST, ONLY_TOKENS = {"usage": frozenset({"cost"})}, {"usage": frozenset({"tokens"})}
NEITHER: dict[str, frozenset[str]] = {"usage": frozenset()}
BOTH = {"usage": frozenset({"cost", "tokens"})}


@pytest.mark.parametrize(
    ("told", "limits", "fields", "sentence"),
    [
        (ONLY_COST, {"tokens": 9}, {}, "its tokens, so that the limit in fleet.yaml"),
        (ONLY_TOKENS, {"budget_usd": 1.0}, {}, "what it costs, so that the budget of fleet.yaml"),
        (ONLY_COST, {}, {"tokens": 9}, "its tokens, so that --tokens"),
        (ONLY_COST, {"budget_usd": 1.0}, {"tokens": 9}, "its tokens, so that --tokens"),
        (ONLY_TOKENS, {"tokens": 9}, {"budget_usd": 1.0}, "what it costs, so that --budget"),
        (NEITHER, {"tokens": 9, "budget_usd": 1.0}, {}, "what it costs, so that the budget"),
    ],
)
def test_a_limit_that_would_limit_nothing_is_refused(
    told: dict[str, Any], limits: dict[str, Any], fields: dict[str, Any], sentence: str
) -> None:
    policy = RepoPolicy(limits=Limits(**limits))
    said = refused(lambda: spawn(history(), policy=policy, agent_facts=told, **fields))

    assert said.startswith(f"shell does not tell {sentence}")
    assert " would limit nothing | use --" in said


@pytest.mark.parametrize(
    ("told", "limits", "fields"),
    [
        ({}, {"tokens": 9, "budget_usd": 1.0}, {"tokens": 9}),  # nobody knows beforehand
        (ONLY_COST, {"tokens": 9, "budget_usd": 1.0}, {}),
        (ONLY_COST, {"tokens": 9}, {"budget_usd": 1.0}),
        (ONLY_TOKENS, {"tokens": 9, "budget_usd": 1.0}, {}),
        (BOTH, {}, {"tokens": 9, "budget_usd": 1.0}),
        (NEITHER, {}, {}),
    ],
)
def test_a_limit_that_is_kept_is_taken(
    told: dict[str, Any], limits: dict[str, Any], fields: dict[str, Any]
) -> None:
    policy = RepoPolicy(limits=Limits(**limits))
    added = only(spawn(history(), policy=policy, agent_facts=told, **fields))

    assert isinstance(added, e.TaskAdded)
    assert added.spec.limits == Limits(**({"attempts": 3} | limits | fields))


def test_a_policy_without_commands_needs_no_trust_and_an_unknown_repository_has_none() -> None:
    assert spawn(Fleet(), policy=RepoPolicy(land="auto", digest="d2")).events
    assert "fleet trust" in refused(lambda: spawn(Fleet()))


def test_names_are_made_of_the_prompt_and_never_twice() -> None:
    fleet = history(h.added(A), h.added(TaskId("fix-the-login")))

    assert spawn(fleet).answer == {"tasks": ["fix-the-login-2"]}
    assert spawn(fleet, count=2, name="a").answer == {"tasks": ["a-1", "a-2"]}
    assert spawn(fleet, prompt="!?").answer == {"tasks": ["task"]}
    assert spawn(fleet, prompt="policy").answer == {"tasks": ["policy-2"]}
    assert spawn(fleet, count=3, branches={"FIX-the-login-2"}).answer == {
        "tasks": ["fix-the-login-1", "fix-the-login-2-2", "fix-the-login-3"]
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Fix the login, please!", "fix-the-login-please"),
        ("a" * 50, "a" * 32),
        ("one two three four five six seven eight", "one-two-three-four-five-six"),
        ("Ünï", "n"),
        ("", "task"),
    ],
)
def test_a_slug_is_short_and_is_a_name(text: str, name: str) -> None:
    assert slug(text).startswith(name[:10])
    assert len(slug(text)) <= 33
    assert re.fullmatch(r"[a-z0-9-]+", checked(slug(text)))
    assert free(name, {name}) == f"{name}-2"


def test_an_agent_owns_what_it_spawns_and_lands_as_the_policy_says() -> None:
    added = only(spawn(history(), policy=RepoPolicy(land="auto"), land="auto", actor="b"))

    assert isinstance(added, e.TaskAdded)
    assert (added.owner, added.spec.land) == ("b", "auto")


# Naming ----------------------------------------------------------------------------------------


def test_a_unique_prefix_will_do_unless_something_is_destroyed() -> None:
    fleet = history(h.added(TaskId("login")), h.added(TaskId("logout")), h.added(B))

    assert decide(fleet, c.Stop(task="logi")).answer == {"task": "login"}
    assert "log could be login, logout" in refused(lambda: decide(fleet, c.Stop(task="log")))
    assert "type the whole name" in refused(lambda: decide(fleet, c.Remove(task="logi")))
    assert "did you mean login?" in refused(lambda: decide(fleet, c.Stop(task="lgoin")))
    assert "fleet ls --all" in refused(lambda: decide(fleet, c.Stop(task="zzz")))


def test_a_whole_name_goes_before_names_that_begin_with_it() -> None:
    fleet = history(h.added(TaskId("log")), h.added(TaskId("login")))

    assert decide(fleet, c.Remove(task="log")).answer == {"task": "log"}


# Submitting ----------------------------------------------------------------------------------


def test_a_branch_made_by_hand_enters_like_any_other() -> None:
    decision = submit(history(), "feature/docs", checks=("make docs",))
    added = only(decision)

    assert decision.answer == {"task": "feature-docs", "head": h.commit("docs")}
    assert isinstance(added, e.TaskAdded)
    assert (added.spec.agent, added.branch, added.spec.land) == (None, "feature/docs", "review")


def test_a_next_revision_is_submitted_by_the_same_command() -> None:
    fleet = history(*h.by_hand(A))

    assert submit(fleet, "fleet/a").events == (e.Resubmitted(task=A),)
    sealed = h.commit("a-1")
    assert "at the same commit" in refused(lambda: submit(fleet, "fleet/a", head=sealed))
    held = h.fold(fleet, [e.Returned(task=A, revision=1, note="x", by="p"), e.TaskHeld(task=A)])
    assert submit(held, "fleet/a", head=sealed).events == (e.Resubmitted(task=A),)


@pytest.mark.parametrize(
    ("history_", "fields", "sentence"),
    [
        ((), {"branch": "main"}, "main is the target itself"),
        (h.running(A), {"branch": "fleet/a"}, "fleet done a"),
        (
            (*h.by_hand(A), h.gated(A), h.approved(A), h.landing(A)),
            {"branch": "fleet/a"},
            "a is being landed",
        ),
        ((), {"land": "auto", "actor": "b"}, "the agent of b may not choose"),
        ((), {"policy": RepoPolicy(checks=(h.CHECK,), digest="d2")}, "fleet trust"),
    ],
)
def test_submitting_is_refused(
    history_: tuple[e.AnyEvent, ...], fields: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(lambda: submit(history(*history_), **fields))


def test_a_landed_or_removed_branch_may_be_submitted_anew() -> None:
    landed = (*h.by_hand(A), h.gated(A), h.approved(A), h.landing(A), h.landed(A))

    assert isinstance(only(submit(history(*landed), "fleet/a")), e.TaskAdded)
    removed = (*h.by_hand(A), e.TaskStopped(task=A, by="p"), e.TaskRemoved(task=A, by="p"))
    assert submit(history(*removed), "fleet/a").answer["task"] == "a-2"


def test_a_blank_check_is_refused_of_a_branch_too() -> None:
    assert "would pass" in refused(lambda: submit(history(), checks=("",)), UsageError)
