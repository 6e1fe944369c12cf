"""What opencode's plugin tells and asks; the payloads were recorded with version 1.18.33."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from agents.recorded import Recorded
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.agents.adapter import (
    BadHook,
    SaysConversation,
    SaysDoing,
    SaysDone,
    SaysFailed,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.opencode.adapter import OpencodeAdapter
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

OPENCODE = OpencodeAdapter()
RECORDED = Recorded(OPENCODE)
payload_of, read = RECORDED.payload_of, RECORDED.read
HOOKS = sorted({one["event"] for one in RECORDED.all.values()})


def ask_of(name: str, **change: object) -> Ask:
    (said,) = read(name, **change)
    assert isinstance(said, SaysWaiting)
    assert said.ask is not None
    return said.ask


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("prompt", (SaysConversation("ses_de4a6ef67ffe4nXPbO5X1eyD9T"), SaysHeard("try again"),
                    SaysWorking())),
        ("busy", (SaysWorking(),)),
        ("busy subagent", (SaysWorking(),)),
        ("idle", (SaysIdle(),)),
        ("tool bash", (SaysDoing("bash: git status"),)),
        ("tool edit", (SaysDoing("edit: f.txt"),)),
        ("tool write", (SaysDoing("write: /h/tasks/hello/n.md"),)),
        ("tool webfetch", (SaysDoing("webfetch: http://127.0.0.1:8788/"),)),
        ("tool task", (SaysDoing("task: look around"),)),
        ("tool question", (SaysDoing("question: Which colour? / Which other?"),)),
        ("compacting", (SaysDoing("compacting its context"),)),
        ("usage", (SaysUsage(0.024357, 8115, 0.040575),)),
    ],
)  # fmt: skip
def test_a_hook_says(name: str, signals: tuple[Signal, ...]) -> None:
    assert read(name) == signals


def test_a_turn_that_ended_beside_a_subagent_goes_on_in_the_background() -> None:
    assert read("idle", background=True) == (SaysIdle(background=True),)


def test_a_turn_that_a_person_stopped_is_not_done() -> None:
    assert read("idle", stopped=True) == (SaysIdle(broken_off=True),)


def test_a_subagent_says_nothing_of_the_context() -> None:
    (said,) = read("usage subagent")

    assert isinstance(said, SaysUsage)
    assert said.context is None
    assert said.cost_usd


def test_more_than_its_whole_context_is_all_of_it() -> None:
    assert read("usage", context=1.3)[0] == SaysUsage(0.024357, 8115, 1.0)


def test_a_short_retry_is_work() -> None:
    assert read("retry") == (SaysWorking(), SaysDoing("It is refused., retry in 1 s (1)"))


def test_a_retry_in_an_hour_has_broken_its_turn_off() -> None:
    until = datetime(2026, 11, 27, 5, 52, 53, 155_000, tzinfo=UTC)

    assert read("long retry") == (SaysFailed("rate limit: It is refused.", "rate-limit", until),)


@pytest.mark.parametrize(
    ("name", "reason", "kind"),
    [
        ("failed 401", "API error 401: It is refused.", "login"),
        ("failed 403", "API error 403: It is refused.", "login"),
        ("failed 400", "API error 400: Your credit balance is too low", "budget"),
        ("failed 500", "API error 500: It is refused.", "error"),
    ],
)
def test_a_failure_has_its_reason(name: str, reason: str, kind: str) -> None:
    assert read(name) == (SaysFailed(reason, kind),)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ({"name": "ContextOverflowError", "data": {"message": "too long"}},
         SaysFailed("ContextOverflowError: too long", "context")),
        ({"name": "ProviderAuthError", "data": {"message": "no key"}},
         SaysFailed("ProviderAuthError: no key", "login")),
        ({"name": "APIError", "data": {"message": "slow down", "statusCode": 429}},
         SaysFailed("API error 429: slow down", "rate-limit")),
        ({"name": "APIError", "data": {"message": "pay", "statusCode": 402}},
         SaysFailed("API error 402: pay", "budget")),
        ({"data": {}}, SaysFailed("its turn broke off")),
    ],
)  # fmt: skip
def test_an_error_is_of_a_kind(error: object, says: SaysFailed) -> None:
    assert read("failed 500", error=error) == (says,)


@pytest.mark.parametrize(
    ("name", "need", "tool", "text"),
    [
        ("permission bash", "permission: bash: git status", "bash", "git status"),
        ("permission subagent", "permission: bash: make sub", "bash", "make sub"),
        ("permission webfetch", "permission: webfetch: http://127.0.0.1:8788/", "webfetch",
         "url: http://127.0.0.1:8788/\nformat: text"),
        ("permission outside", "permission: external_directory: /srv/data/x.txt",
         "external_directory", "filepath: /srv/data/x.txt\nparentDir: /srv/data"),
    ],
)  # fmt: skip
def test_it_asks_for_permission(name: str, need: str, tool: str, text: str) -> None:
    ask = Ask(kind="permission", tool=tool, text=text)

    assert read(name) == (SaysWaiting(need, "permission", ask=ask),)


def test_the_whole_change_is_shown_to_whoever_allows_it() -> None:
    text = ask_of("permission edit").text

    assert read("permission edit")[0].need == "permission: edit: f.txt"  # type: ignore[union-attr]
    assert text.startswith("filepath: /h/w/shop/001/f.txt\ndiff: Index:")
    assert "-old text\n+new text" in text


def test_a_permission_of_which_nothing_is_known_names_its_patterns() -> None:
    assert ask_of("permission bash", metadata={}, patterns=["a", "b"]).text == "a\nb"
    assert read("permission bash", metadata={}, patterns=["a", "b"])[0].need == (  # type: ignore[union-attr]
        "permission: bash: a, b"
    )


def test_it_asks_a_question_with_its_choices() -> None:
    ask = Ask(kind="question", text="Which colour?", choices=("Red", "Blue"))

    assert read("question") == (SaysWaiting("an answer: Which colour?", "question", ask=ask),)


def test_several_questions_name_no_choices() -> None:
    assert ask_of("two questions").choices == ()
    assert ask_of("two questions").text == "Which colour?\nWhich other?"


# --- answers --------------------------------------------------------------------------------------


def answered(name: str, verdict: Verdict, text: str = "", **change: object) -> Any:
    said = OPENCODE.answer(payload_of(name, **change), verdict, text)
    return said and json.loads(said)


@pytest.mark.parametrize(
    ("verdict", "text", "body"),
    [
        ("allow", "", {"reply": "once"}),
        ("deny", "", {"reply": "reject", "message": "A person has refused this."}),
        ("deny", "use ninja", {"reply": "reject", "message": "use ninja"}),
    ],
)
def test_a_permission_is_answered(verdict: Verdict, text: str, body: object) -> None:
    url = "/permission/per_21b5a59b7001uBytGHfmFKRkL4/reply"

    assert answered("permission bash", verdict, text) == {"url": url, "body": body}


@pytest.mark.parametrize(
    ("name", "verdict", "text", "answers"),
    [
        ("question", "text", "blue", [["Blue"]]),
        ("question", "text", "1", [["Red"]]),
        ("question", "text", "a kind of\ngreen", [["a kind of\ngreen"]]),
        ("question", "deny", "not now", [["not now"]]),
        ("two questions", "text", "2\ngreen", [["Blue"], ["green"]]),
        ("two questions", "deny", "not now", [["not now"], ["not now"]]),
    ],
)
def test_a_question_is_answered(name: str, verdict: Verdict, text: str, answers: object) -> None:
    said = answered(name, verdict, text)

    assert said["url"].startswith("/question/que_")
    assert said["url"].endswith("/reply")
    assert said["body"] == {"answers": answers}


def test_a_question_is_refused_without_words() -> None:
    said = answered("question", "deny")

    assert said == {"url": "/question/que_21b4f5004001SuCby36ZIq3w7n/reject", "body": {}}


@pytest.mark.parametrize(
    ("name", "verdict", "text"),
    [
        ("question", "text", " "),
        ("question", "allow", ""),
        ("two questions", "text", "one"),
        ("two questions", "text", "1\n2\n3"),
    ],
)
def test_what_answers_nothing_is_no_answer(name: str, verdict: Verdict, text: str) -> None:
    assert answered(name, verdict, text) is None


@pytest.mark.parametrize("name", ["../session", "a/b", "", "x" * 200])
def test_an_answer_goes_nowhere_else(name: str) -> None:
    assert answered("permission bash", "allow", id=name) is None


# --- payloads that are not as they should be ------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ("permission.asked", SaysWaiting("permission", "permission")),
        ("question.asked", SaysWaiting("an answer", "question")),
        ("session.error", SaysFailed("its turn broke off")),
    ],
)
def test_a_torn_payload_says_what_its_name_says(hook: str, says: Signal) -> None:
    first, bad = OPENCODE.read_hook(hook, b'{"id": "per_')

    assert first == says
    assert isinstance(bad, BadHook)


@pytest.mark.parametrize("name", ["-rf", "a b", "", "x" * 200])
def test_a_conversation_is_safe_as_an_argument(name: str) -> None:
    (bad,) = read("prompt", session=name)

    assert isinstance(bad, BadHook)


def test_a_prompt_is_cleaned_of_what_a_terminal_obeys() -> None:
    said = read("prompt", text="a\x1b[31mb\nc")

    assert SaysHeard("a b\nc") in said
    assert SaysWorking() in read("prompt", text=" ")


def test_a_hook_of_the_generic_vocabulary_is_understood() -> None:
    assert OPENCODE.read_hook("done", b"{}") == (SaysDone(),)
    assert isinstance(OPENCODE.read_hook("session.created", b"{}")[0], BadHook)


@settings(deadline=None, max_examples=200)
@given(
    hook=st.sampled_from(HOOKS),
    payload=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(["status", "type", "next", "now", "error", "data", "input", "tool"])
                | st.sampled_from(["id", "questions", "metadata", "permission", "session", "text"]),
                inner,
            )
            | st.lists(inner)
        ),
    ).map(msgspec.json.encode),
)
def test_no_payload_upsets_it(hook: str, payload: bytes) -> None:
    signals = OPENCODE.read_hook(hook, payload)

    assert all(ord(sign) >= 32 for signal in signals for sign in str(signal))
    OPENCODE.answer(payload, "text", "x")


@pytest.mark.parametrize("moment", [1e300, -1e300, 1e18])
def test_a_time_that_is_none_upsets_nobody(moment: float) -> None:
    error = {"name": "Retry", "data": {"message": "x", "next": moment}}
    status = {"type": "retry", "next": moment}

    assert isinstance(read("long retry", error=error)[-1], BadHook)
    assert isinstance(read("retry", status=status)[0], SaysWorking)
