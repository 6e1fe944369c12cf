"""What an agent asks is answered from outside, or first in its pane, and never by accident."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from place import Place, Ran
from waiting import until

pytestmark = pytest.mark.slow

ASK = """{"need": "may it deploy", "kind": "%s", "tool": "Bash", "input": "make deploy"}"""


def asking(place: Place, *kinds: str, goes_on: bool = True) -> str:
    """Return a command that asks, one after the other, and writes down what it was told."""
    hook = '"$FLEET_HOME/bin/fleet-hook"'
    asks = [f"echo '{ASK % kind}' | {hook} waiting --ask >>{said(place)}" for kind in kinds]
    steps = [f"{ask}; echo '{{}}' | {hook} working" if goes_on else ask for ask in asks]
    return "; ".join([*steps, f"until test -e {place.root}/end; do sleep 0.02; done"])


def said(place: Place) -> Path:
    return place.root / "said"


def told(place: Place) -> str:
    return said(place).read_text() if said(place).exists() else ""


def answer(place: Place, *words: str, code: int = 0) -> Ran:
    return place.fleet("answer", "one", *words, ok=(code,))


def asked(place: Place, *, after: str = "") -> dict[str, Any]:
    """Return what the task asks, once that is another question than `after`."""

    def asks() -> dict[str, Any] | None:
        why = place.fleet("why", "one", "--json", ok=None)  # its supervisor may just have died
        ask: dict[str, Any] | None = why.json["ask"] if why.code == 0 else None
        return ask if ask and ask["id"] and ask["id"] != after else None

    return until(asks, timeout=20, what="a question")


def hook_of(place: Place) -> int:
    """Return the process of the hook that waits."""
    (pipe,) = place.home.asks.iterdir()
    return int(pipe.name.rpartition(".")[2])


def test_a_permission_is_allowed_from_outside(place: Place) -> None:
    place.spawn("one", asking(place, "permission"))
    row = place.becomes("one", "waiting")
    ask = asked(place)

    assert row["needs"] == "may it deploy"
    assert (ask["kind"], ask["tool"], ask["text"]) == ("permission", "Bash", "make deploy")
    assert place.fleet("next").out == "one\n"
    assert "make deploy" in place.fleet("why", "one").out
    assert answer(place, "allow").err == "one: delivered\n"
    until(lambda: told(place) == '{"verdict":"allow","text":""}\n')
    assert place.becomes("one", "working")["needs"] is None
    until(lambda: not list(place.home.asks.iterdir()))  # the hook may still be ending
    assert "asks nothing now" in answer(place, "allow", code=1).err


def test_a_permission_is_denied_with_a_reason(place: Place) -> None:
    place.spawn("one", asking(place, "permission"))
    asked(place)

    assert "which text does not answer" in answer(place, "perhaps", code=1).err
    answer(place, "deny", "not on a Friday")
    until(lambda: told(place) == '{"verdict":"deny","text":"not on a Friday"}\n')


def test_a_question_is_answered_in_words(place: Place) -> None:
    place.spawn("one", asking(place, "question"))
    asked(place)

    assert "which allow does not answer" in answer(place, "allow", code=1).err
    answer(place, "the ä one")
    until(lambda: told(place) == '{"verdict":"text","text":"the ä one"}\n')


def test_who_answered_in_the_pane_was_first(place: Place) -> None:
    place.spawn("one", asking(place, "permission", goes_on=False))
    ask = asked(place)
    os.kill(hook_of(place), signal.SIGTERM)  # as an agent does that needs its hook no more
    until(lambda: not list(place.home.asks.iterdir()))

    late = answer(place, "allow", "--ask", ask["id"], code=1)

    assert late.err == "one: refused: it was answered in its pane\n"
    assert told(place) == ""
    assert "in its pane only" in answer(place, "allow", code=1).err


def test_a_hook_that_was_killed_leaves_no_pipe(place: Place) -> None:
    ends = asking(place, "permission", goes_on=False).replace(
        "; until", """; echo '{}' | "$FLEET_HOME/bin/fleet-hook" idle; until"""
    )
    place.spawn("one", ends, "--done", "manual")
    asked(place)
    os.kill(hook_of(place), signal.SIGKILL)

    until(lambda: not list(place.home.asks.iterdir()))
    place.becomes("one", "idle")


def test_an_answer_finds_its_question_after_the_supervisor_was_killed(place: Place) -> None:
    place.spawn("one", asking(place, "permission"))
    ask = asked(place)
    os.kill(place.supervisor(), signal.SIGKILL)

    assert asked(place) == ask
    answer(place, "allow")
    until(lambda: told(place) == '{"verdict":"allow","text":""}\n')


def test_of_two_questions_each_gets_its_own_answer(place: Place) -> None:
    place.spawn("one", asking(place, "permission", "question"))
    first = asked(place)
    answer(place, "allow", "--ask", first["id"])
    second = asked(place, after=first["id"])

    assert "asks something else" in answer(place, "allow", "--ask", first["id"], code=1).err
    answer(place, "blue", "--ask", second["id"])
    until(lambda: told(place).count("\n") == 2)
    assert told(place).splitlines()[1] == '{"verdict":"text","text":"blue"}'


def test_an_agent_may_not_answer(place: Place) -> None:
    place.spawn("one", asking(place, "permission"))
    asked(place)
    command = f"fleet answer one allow 2>{place.root}/why; echo $? >{place.root}/code"
    place.spawn("two", command)

    code = until(lambda: (place.root / "code").exists() and (place.root / "code").read_text())

    assert code == "1\n"
    assert "a person has to" in (place.root / "why").read_text()
