"""What Codex's hooks mean; the payloads were recorded with version 0.171.0."""

import json
from typing import Any

import pytest
from agents.recorded import Recorded

from fleet.agents.adapter import (
    BadHook,
    SaysConversation,
    SaysDoing,
    SaysFailed,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.codex.adapter import CodexAdapter
from fleet.core.rows import Ask

CODEX = CodexAdapter()
RECORDED = Recorded(CODEX)
payload_of, read = RECORDED.payload_of, RECORDED.read
RUN = "touch /home/person/approved.txt && echo escaped"
WHY = "Do you want to allow touching a file?"
LIMITED = "exceeded retry limit, last status: 429 Too Many Requests"
ASK_QUESTION = Ask(
    kind="question", tool="request_user_input", text="Which colour?", choices=("Red", "Blue")
)


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("UserPromptSubmit", (SaysHeard("[[hi]] please"), SaysWorking())),
        ("PreModelRequest", (SaysWorking(),)),
        ("PreToolUse Bash", (SaysDoing(f"Bash: {RUN}"),)),
        ("PreToolUse request_user_input", (SaysDoing("request_user_input: Which colour?"),)),
        (
            "PermissionRequest Bash",
            (
                SaysWaiting(
                    f"permission: Bash: {RUN}",
                    "permission",
                    ask=Ask(kind="permission", tool="Bash", text=f"{RUN}\n\n{WHY}"),
                    hides=True,
                ),
            ),
        ),
        ("PreCompact", (SaysDoing("compacting its context"),)),
        ("Stop", (SaysIdle(),)),
        ("Interrupt", (SaysIdle(broken_off=True),)),
        ("PostModelRequest cancelled", ()),
    ],
)
def test_an_event_says(name: str, signals: tuple[Signal, ...]) -> None:
    assert read(name) == signals


def test_a_question_is_told_by_the_hook_that_waits_for_its_answer() -> None:
    assert CODEX.read_hook("Question", payload_of("PreToolUse request_user_input")) == (
        SaysWaiting("an answer: Which colour?", "question", ask=ASK_QUESTION, hides=True),
    )


@pytest.mark.parametrize("source", ["startup", "compact"])
def test_each_start_names_its_conversation(source: str) -> None:
    name = f"SessionStart {source}"

    assert read(name) == (SaysConversation(RECORDED.all[name]["payload"]["session_id"]),)


def test_each_request_is_a_meter() -> None:
    tokens = {"input_tokens": 1000, "cached_input_tokens": 900, "output_tokens": 30}

    assert read("PostModelRequest completed", request_id="r-1", token_usage=tokens) == (
        SaysUsage(tokens=130, meter="r-1"),
    )
    assert read("PostModelRequest completed", thread_id="a-helper", request_id="r-2") != ()


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("context", "context", "Codex ran out of room in the model's context window."),
        ("usage", "rate-limit", "hit your usage limit. Try again later."),
    ],
)
def test_a_failure_that_is_final_says_so_at_once(name: str, kind: str, reason: str) -> None:
    (failed,) = read(f"PostModelRequest failed {name}")

    assert isinstance(failed, SaysFailed)
    assert failed.kind == kind
    assert reason in failed.reason


def test_a_refused_request_shows_the_services_own_words() -> None:
    told = json.dumps({"error": {"message": "Your credit balance is too low", "code": "x"}})

    assert read("PostModelRequest failed 500", error=told) == (
        SaysFailed("Your credit balance is too low", "budget"),
    )


def test_a_failure_that_may_be_tried_again_is_only_shown() -> None:
    (shown,) = read("PostModelRequest failed 500")

    assert isinstance(shown, SaysDoing)
    assert shown.text.startswith("attempt 1 failed: ")
    assert shown.text.endswith("high demand, which may cause temporary errors.")


@pytest.mark.parametrize("attempts", [1, 2])
def test_the_last_attempt_ends_the_turn(attempts: int) -> None:
    payload = payload_of("PostModelRequest failed 429", attempt_number=2)

    assert CODEX.read_hook(f"PostModelRequest:{attempts}", payload) == (
        SaysFailed(LIMITED, "rate-limit"),
    )


@pytest.mark.parametrize("attempts", ["", ":0", ":3"])
def test_a_rate_limit_may_be_waited_for(attempts: str) -> None:
    payload = payload_of("PostModelRequest failed 429", attempt_number=2)

    assert CODEX.read_hook(f"PostModelRequest{attempts}", payload) == (
        SaysFailed(LIMITED, "rate-limit", retrying=True),
    )


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("Selected model is at capacity. Please try a different model.", "overloaded"),
        ("Quota exceeded. Check your plan and billing details.", "budget"),
    ],
)
def test_what_is_not_tried_again_is_told_at_its_first_attempt(told: str, kind: str) -> None:
    payload = payload_of("PostModelRequest failed 500", error=told)

    assert CODEX.read_hook("PostModelRequest:6", payload) == (SaysFailed(told, kind),)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("unexpected status 529 <unknown status code>: Overloaded", "overloaded"),
        ("unexpected status 403 Forbidden: no", "login"),
        ("stream disconnected before completion", "error"),
    ],
)
def test_each_failure_is_of_a_kind(told: str, kind: str) -> None:
    error = f"{told}, url: https://host/v1/responses?key=secret"
    payload = payload_of("PostModelRequest failed 500", error=error)

    assert CODEX.read_hook("PostModelRequest:1", payload) == (SaysFailed(told, kind),)


def test_without_a_network_there_is_no_last_attempt() -> None:
    told = "Connection failed: error sending request"
    payload = payload_of("PostModelRequest failed 429", error=told, attempt_number=9)
    (said,) = CODEX.read_hook("PostModelRequest:6", payload)

    assert said == SaysDoing(f"attempt 9 failed: {told}")


def test_what_a_helper_asks_its_model_says_nothing_of_the_agent() -> None:
    assert read("PreModelRequest", thread_id="a-helper") == ()
    assert read("PostModelRequest failed usage", thread_id="a-helper") == ()
    assert read("SessionStart startup", agent_id="a-helper") == ()
    assert read("UserPromptSubmit", agent_id="a-helper") == ()
    assert read("Interrupt", agent_id="a-helper") == ()


def test_all_that_a_tool_is_given_is_shown() -> None:
    given = {"patch": "*** Begin Patch", "workdir": "/", "strict": True}
    (waits,) = read("PermissionRequest Bash", tool_name="apply_patch", tool_input=given)

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "patch: *** Begin Patch\nworkdir: /\nstrict: true"


def test_what_is_asked_cannot_write_on_the_terminal() -> None:
    command = "printf '\x1b]52;c;cGFzdGU=\x07'\r\nrm\u202e -r"
    (waits,) = read("PermissionRequest Bash", tool_input={"command": command})

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "printf ' '\nrm  -r"


@pytest.mark.parametrize(
    ("event", "payload", "signals"),
    [
        ("UserPromptSubmit", b"{", (SaysWorking(),)),
        ("Interrupt", b"{", (SaysIdle(broken_off=True),)),
        ("PreToolUse", b'{"tool_input": 5}', ()),
        ("SessionStart", b"", ()),
        ("SessionStart", b'{"session_id": "--last"}', ()),
        ("PostModelRequest", b'{"token_usage": {"input_tokens": -1}}', ()),
        ("PostModelRequest:many", b"{}", ()),
    ],
)
def test_a_torn_payload_says_what_it_can(
    event: str, payload: bytes, signals: tuple[Signal, ...]
) -> None:
    *told, bad = CODEX.read_hook(event, payload)

    assert tuple(told) == signals
    assert isinstance(bad, BadHook)


def test_a_torn_request_asks_all_the_same() -> None:
    assert CODEX.read_hook("PermissionRequest", b'{"tool_name": "Ba') == (
        SaysWaiting("permission", "permission", ask=Ask(), hides=True),
    )


# --- answers --------------------------------------------------------------------------------------


def output(name: str, verdict: str, text: str = "", **change: object) -> Any:
    said = CODEX.answer(payload_of(name, **change), verdict, text)  # type: ignore[arg-type]
    return None if said is None else json.loads(said)["hookSpecificOutput"]


def test_a_permission_is_allowed_or_denied() -> None:
    def decision(verdict: str, text: str = "") -> Any:
        told = output("PermissionRequest Bash", verdict, text)
        assert told.pop("hookEventName") == "PermissionRequest"
        return told["decision"]

    assert decision("allow") == {"behavior": "allow"}
    assert decision("deny", "use ninja") == {"behavior": "deny", "message": "use ninja"}
    assert decision("text", "use ninja") == {"behavior": "deny", "message": "use ninja"}
    assert decision("deny")["message"]


@pytest.mark.parametrize(
    ("said", "answer"), [("Blue", "Blue"), (" red", "Red"), ("2", "Blue"), ("3", "3"), ("a", "a")]
)
def test_a_question_is_answered_by_choice_number_or_words(said: str, answer: str) -> None:
    assert output("PreToolUse request_user_input", "text", said) == {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": f"A person has answered. Which colour? {answer}",
    }


def test_a_question_is_not_allowed_but_may_be_denied() -> None:
    name = "PreToolUse request_user_input"

    assert output(name, "allow") is None
    assert output(name, "deny", "none")["permissionDecisionReason"] == "none"
    assert output(name, "deny")["permissionDecisionReason"]


def test_several_questions_take_a_line_each() -> None:
    name = "PreToolUse request_user_input"
    first = RECORDED.all[name]["payload"]["tool_input"]["questions"][0]
    both = {"questions": [first, {"question": "How many?", "options": None}]}
    (waits,) = CODEX.read_hook("Question", payload_of(name, tool_input=both))

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "Which colour?\nHow many?"
    assert waits.ask.choices == ()
    assert output(name, "text", "Blue", tool_input=both) is None
    assert output(name, "text", "1\n7", tool_input=both)["permissionDecisionReason"].endswith(
        "Which colour? Red\nHow many? 7"
    )
