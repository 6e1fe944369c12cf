"""What Claude Code's hooks mean; the payloads were recorded with version 2.1.332."""

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
from fleet.agents.claude.adapter import ClaudeAdapter
from fleet.core.rows import Ask

CLAUDE = ClaudeAdapter()
RECORDED = Recorded(CLAUDE)
payload_of, read = RECORDED.payload_of, RECORDED.read
QUESTION = SaysWaiting(
    "an answer: Which colour?",
    "question",
    ask=Ask(kind="question", tool="AskUserQuestion", text="Which colour?", choices=("Red", "Blue")),
)
PERMISSION = SaysWaiting(
    "permission: Bash: make it",
    "permission",
    ask=Ask(kind="permission", tool="Bash", text="make it"),
)


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("SessionEnd other", ()),
        ("UserPromptSubmit", (SaysHeard("[[run ls]] hello"), SaysWorking())),
        ("UserPromptSubmit task-notification", (SaysWorking(),)),
        ("PreToolUse Bash", (SaysDoing("Bash: ls"),)),
        ("PreToolUse Bash subagent", (SaysDoing("Bash: sleep 3"),)),
        ("PreToolUse Write", (SaysDoing("Write: notes.md"),)),
        ("PreToolUse Edit", (SaysDoing("Edit: notes.md"),)),
        ("PreToolUse Agent", (SaysDoing("Agent: look around"),)),
        ("PreToolUse AskUserQuestion", (SaysDoing("AskUserQuestion: Which colour?"),)),
        ("PostToolUse Bash", (SaysDoing("Bash: ls"),)),
        ("PostToolBatch", (SaysWorking(),)),
        ("PostToolBatch subagent", ()),
        ("PermissionRequest Bash", (PERMISSION,)),
        ("PermissionRequest AskUserQuestion", (QUESTION,)),
        ("Stop", (SaysIdle(),)),
        ("Stop background", (SaysIdle(background=True),)),
        ("PreCompact", (SaysDoing("compacting its context"),)),
        ("StopFailure server_error subagent", ()),
        ("Notification permission_prompt",
         (SaysWaiting("Claude needs your permission", "permission"),)),
    ],
)  # fmt: skip
def test_an_event_says(name: str, signals: tuple[Signal, ...]) -> None:
    assert read(name) == signals


@pytest.mark.parametrize(
    ("name", "cost", "context"), [("fresh", 0.0, None), ("used", 0.057412, 0.01)]
)
def test_its_status_line_is_a_meter_of_each_conversation(
    name: str, cost: float, context: float | None
) -> None:
    session = RECORDED.all[f"statusline {name}"]["payload"]["session_id"]

    assert read(f"statusline {name}") == (SaysUsage(cost, context=context, meter=session),)


@pytest.mark.parametrize("source", ["startup", "clear", "compact"])
def test_each_start_names_its_conversation(source: str) -> None:
    name = f"SessionStart {source}"

    assert read(name) == (SaysConversation(RECORDED.all[name]["payload"]["session_id"]),)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("rate_limit", "rate-limit", "API Error: Request rejected (429) · It is refused."),
        ("authentication_failed", "login", "Please run /login · API Error: 401 It is refused."),
        ("billing_error", "budget", "Credit balance is too low"),
        ("invalid_request too long", "context", "Prompt is too long"),
        ("server_error", "error", "API Error: 500 It is refused."),
    ],
)
def test_a_turn_that_broke_off_says_why(name: str, kind: str, reason: str) -> None:
    (failed,) = read(f"StopFailure {name}")

    assert isinstance(failed, SaysFailed)
    assert failed.kind == kind
    assert failed.reason.startswith(reason)


def test_a_service_that_is_overloaded_is_known_by_its_words() -> None:
    words = 'API Error: 529 {"error":{"type":"overloaded_error","message":"Overloaded"}}'
    (failed,) = read("StopFailure server_error", last_assistant_message=words)

    assert isinstance(failed, SaysFailed)
    assert failed.kind == "overloaded"


def test_a_plan_is_shown_whole() -> None:
    plan = "1. Do it\n2. Test it"
    (waits,) = read("PermissionRequest Bash", tool_name="ExitPlanMode", tool_input={"plan": plan})

    assert waits == SaysWaiting(
        "a verdict on its plan", "plan", ask=Ask(kind="plan", tool="ExitPlanMode", text=plan)
    )


def test_all_that_a_tool_is_given_is_shown() -> None:
    given = {"command": "make it", "timeout": 5, "dangerouslyDisableSandbox": True}
    (waits,) = read("PermissionRequest Bash", tool_input=given)

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "command: make it\ntimeout: 5\ndangerouslyDisableSandbox: true"


def test_what_is_asked_cannot_write_on_the_terminal() -> None:
    command = "printf '\x1b]52;c;cGFzdGU=\x07'\r\nrm\u202e -r"
    (waits,) = read("PermissionRequest Bash", tool_input={"command": command})

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "printf ' '\nrm  -r"


@pytest.mark.parametrize(
    ("event", "payload", "signals"),
    [
        ("Stop", b'{"background_tasks": [{"id"', (SaysIdle(background=True),)),
        ("StopFailure", b"{", (SaysFailed("its turn broke off"),)),
        ("UserPromptSubmit", b"{", (SaysWorking(),)),
        ("PreToolUse", b'{"tool_input": 5}', ()),
        ("SessionStart", b"", ()),
        ("SessionStart", b'{"session_id": "--resume"}', ()),
    ],
)
def test_a_torn_payload_says_what_it_can(
    event: str, payload: bytes, signals: tuple[Signal, ...]
) -> None:
    *told, bad = CLAUDE.read_hook(event, payload)

    assert tuple(told) == signals
    assert isinstance(bad, BadHook)


def test_a_torn_request_asks_all_the_same() -> None:
    assert CLAUDE.read_hook("PermissionRequest", b'{"tool_name": "Wri') == (
        SaysWaiting("permission", "permission", ask=Ask()),
    )


# --- answers --------------------------------------------------------------------------------------


def decision(name: str, verdict: str, text: str = "", **change: object) -> Any:
    said = CLAUDE.answer(payload_of(name, **change), verdict, text)  # type: ignore[arg-type]
    if said is None:
        return None
    output = json.loads(said)["hookSpecificOutput"]
    assert output.pop("hookEventName") == "PermissionRequest"
    return output["decision"]


def test_a_permission_is_allowed_or_denied() -> None:
    denied = {"behavior": "deny", "message": "use ninja"}

    assert decision("PermissionRequest Bash", "allow") == {"behavior": "allow"}
    assert decision("PermissionRequest Bash", "deny", "use ninja") == denied
    assert decision("PermissionRequest Bash", "text", "use ninja") == denied
    assert decision("PermissionRequest Bash", "deny")["message"]


@pytest.mark.parametrize(
    ("said", "answer"), [("Blue", "Blue"), (" red", "Red"), ("2", "Blue"), ("3", "3"), ("a", "a")]
)
def test_a_question_is_answered_by_choice_number_or_words(said: str, answer: str) -> None:
    asked = RECORDED.all["PermissionRequest AskUserQuestion"]["payload"]["tool_input"]

    assert decision("PermissionRequest AskUserQuestion", "text", said) == {
        "behavior": "allow",
        "updatedInput": asked | {"answers": {"Which colour?": answer}},
    }


def test_a_question_is_not_allowed_but_may_be_denied() -> None:
    assert decision("PermissionRequest AskUserQuestion", "allow") is None
    assert decision("PermissionRequest AskUserQuestion", "deny", "none")["message"] == "none"


def test_several_questions_take_a_line_each() -> None:
    first = RECORDED.all["PermissionRequest AskUserQuestion"]["payload"]["tool_input"]["questions"][
        0
    ]
    both = {"questions": [first, {"question": "How many?", "options": []}]}
    (waits,) = read("PermissionRequest AskUserQuestion", tool_input=both)
    one = decision("PermissionRequest AskUserQuestion", "text", "Blue", tool_input=both)
    two = decision("PermissionRequest AskUserQuestion", "text", "1\n7", tool_input=both)

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "Which colour?\nHow many?"
    assert waits.ask.choices == ()
    assert one is None
    assert two["updatedInput"]["answers"] == {"Which colour?": "Red", "How many?": "7"}


def test_a_plan_is_allowed_with_what_it_was_asked_with() -> None:
    """A decision without it leaves the dialog open."""
    plan = {"plan": "1. Do it"}

    assert decision(
        "PermissionRequest Bash", "allow", tool_name="ExitPlanMode", tool_input=plan
    ) == {"behavior": "allow", "updatedInput": plan}
