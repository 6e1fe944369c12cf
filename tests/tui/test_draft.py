"""A new task as it is typed: what it asks for, and which field is to blame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.commands import Spawn
from fleet.errors import FleetError, RefusedError, UsageError
from fleet.tui.draft import FIELDS, FORM, Draft, FaultyError, fault, spawn, typed


def test_what_is_empty_follows_the_policy() -> None:
    asked = spawn(Draft(prompt=" fix it \n", repository="/shop"), {"PATH": "/bin"})
    assert asked == Spawn(cwd="/shop", prompt="fix it", environment={"PATH": "/bin"})


def test_every_field_goes_where_it_belongs() -> None:
    draft = Draft(
        prompt="p",
        repository="/shop",
        agent="shell",
        name=" n ",
        title="t",
        checks="make test\n\n ruff check \n",
        after="a, b c",
        target="release",
        attempts="3",
        time_limit="1h30m",
        budget="$2.50",
        land="auto",
    )
    assert spawn(draft, {}) == Spawn(
        cwd="/shop",
        prompt="p",
        environment={},
        agent="shell",
        name="n",
        title="t",
        checks=("make test", "ruff check"),
        after=("a", "b", "c"),
        target="release",
        attempts=3,
        timeout_s=5400.0,
        budget_usd=2.5,
        land="auto",
    )


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("prompt", " \n", "say what is to be done"),
        ("repository", "", "this is no repository; open the dashboard in one"),
        ("attempts", "0", "a number from 1 to 1000"),
        ("attempts", "many", "a number from 1 to 1000"),
        ("attempts", "9" * 5000, "a number from 1 to 1000"),
        ("time_limit", "soon", "write it like 90s, 10m, 1h30m or 2d"),
        ("budget", "-1", "dollars, like 2 or 2.50"),
        ("budget", "1e400", "dollars, like 2 or 2.50"),
    ],
)
def test_a_field_that_cannot_be_understood_is_named(field: str, text: str, why: str) -> None:
    said = {"prompt": "p", "repository": "/shop", field: text}
    with pytest.raises(FaultyError) as refused:
        spawn(Draft(**said), {})
    assert refused.value.faults == {field: why}


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20)))
def test_whatever_is_typed_is_sent_or_blamed(said: dict[str, str]) -> None:
    try:
        spawn(Draft(**said), {})
    except FaultyError as error:
        blamed = set(error.faults)
    else:
        blamed = set()
    assert blamed <= set(FIELDS)


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (RefusedError("a is taken", hint="choose another --name, or leave it out"), "name"),
        (UsageError("'a b' cannot be a task's name", hint="use letters"), "name"),
        (RefusedError("there is no branch x in /shop", hint="name one: --target BRANCH"), "target"),
        (RefusedError("there is no task x", hint="did you mean y?"), "after"),
        (RefusedError('no agent is called "x"', hint="known here: shell"), "agent"),
        (RefusedError("the program x is not on your PATH", hint="install x"), "agent"),
        (UsageError("a check is empty", hint="an empty command would pass"), "checks"),
        (FleetError("the supervisor went away before it answered"), FORM),
    ],
)
def test_a_refusal_is_shown_where_it_belongs(error: FleetError, field: str) -> None:
    [(blamed, said)] = fault(error).items()
    assert blamed == field
    assert said.startswith(error.message)
    assert "--" not in said


def test_choices_alone_are_not_typed() -> None:
    assert not typed(Draft(repository="/shop", agent="shell", land="auto", prompt=" \n"))
    assert typed(Draft(name="x"))
