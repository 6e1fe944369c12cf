"""What Copilot CLI's bridge and hooks mean; the payloads were recorded with version 1.0.102."""

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
from fleet.agents.copilot.adapter import CopilotAdapter
from fleet.core.rows import Ask

COPILOT = CopilotAdapter()
RECORDED = Recorded(COPILOT)
payload_of, read = RECORDED.payload_of, RECORDED.read
ONE, MANY = "elicitation.requested one", "elicitation.requested many"
SHELL, PLAN = "permission.requested shell", "exit_plan_mode.requested"
USER_INPUT = {"requestId": "r", "question": "Which colour?", "choices": ["Red", "Blue"]}


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("user.message",
         (SaysHeard("[[run git status]] [[run make it]] hello"), SaysWorking())),
        ("UserPromptSubmit",
         (SaysHeard("[[run git status]] [[run make it]] hello"), SaysWorking())),
        ("UserPromptSubmit system", (SaysWorking(),)),
        ("assistant.turn_start", (SaysWorking(),)),
        ("tool.execution_start bash", (SaysDoing("bash: git status"),)),
        ("tool.execution_start create", (SaysDoing("create: /srv/shared/o.txt"),)),
        ("tool.execution_start ask_user", (SaysDoing("ask_user: Which colour?"),)),
        ("PreToolUse Bash", (SaysDoing("Bash: make it"),)),
        ("PostToolUse Bash", (SaysWorking(),)),
        ("assistant.turn_retry api_error", (SaysDoing("api error, it tries again"),)),
        ("ErrorOccurred", (SaysDoing('{"type":"rate_limit_error","message":"It is refused."}'),)),
        ("session.compaction_start", (SaysDoing("compacting its context"),)),
        ("answered", (SaysWorking(),)),
        ("assistant.idle", (SaysIdle(background=True),)),
        ("assistant.idle aborted", (SaysIdle(background=True),)),
        ("session.idle", (SaysIdle(),)),
        ("session.idle aborted", (SaysIdle(broken_off=True),)),
        ("Stop", (SaysIdle(),)),
        ("Notification permission_prompt",
         (SaysWaiting("Run command: make it", "permission"),)),
        ("Notification elicitation_dialog", (SaysWaiting("Information requested", "question"),)),
        ("Notification shell_completed", ()),
        ("assistant.usage",
         (SaysUsage(None, 14752, 0.08248809523809524,
                    "b7c7b74e-1aa0-4a51-8d40-9d8594e793a8.22174"),)),
    ],
)  # fmt: skip
def test_an_event_says(name: str, signals: tuple[Signal, ...]) -> None:
    assert read(name) == signals


@pytest.mark.parametrize(
    ("name", "field"), [("session", "sessionId"), ("SessionStart new", "session_id")]
)
def test_each_start_names_its_conversation(name: str, field: str) -> None:
    assert read(name) == (SaysConversation(RECORDED.all[name]["payload"][field]),)


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({}, "rate-limit", "429 It is refused."),
        ({"errorType": "authentication", "message": "no"}, "login", "no"),
        ({"errorType": "authorization"}, "login", "429"),
        ({"errorType": "quota"}, "budget", "429"),
        ({"errorType": "context_limit"}, "context", "429"),
        ({"errorType": "query"}, "error", "429"),
        ({"errorType": "query", "message": "Your credit balance is too low"}, "budget", "Your"),
        ({"errorType": "query", "message": "it is too long"}, "context", "it is"),
        ({"errorType": "query", "statusCode": 529}, "overloaded", "429"),
        ({"errorType": "query", "message": "Overloaded"}, "overloaded", "Over"),
        ({"errorType": "query", "message": ""}, "error", "query"),
        ({"errorType": "", "message": ""}, "error", "its turn broke off"),
    ],
)
def test_a_turn_that_broke_off_says_why(change: dict[str, object], kind: str, reason: str) -> None:
    (failed,) = read("session.error rate_limit", **change)

    assert isinstance(failed, SaysFailed)
    assert failed.kind == kind
    assert failed.reason.startswith(reason)


# --- what it asks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "need", "ask"),
    [
        (SHELL, "permission: shell: make it",
         Ask(kind="permission", tool="shell", text="make it")),
        ("permission.requested read path",
         "permission: read: outside of its workspace: /srv/shared/notes.md",
         Ask(kind="permission", tool="read",
             text="outside of its workspace: /srv/shared/notes.md\n/srv/shared/notes.md")),
        (ONE, "an answer: Which colour?",
         Ask(kind="question", tool="ask_user", text="Which colour?", choices=("Red", "Blue"))),
        (MANY, ("an answer: What is it to be? Size: Small / Large How many: integer"
         " Sure: yes / no Tags: a / b / c"),
         Ask(kind="question", tool="ask_user", text="What is it to be?\nSize: Small / Large\n"
             "How many: integer\nSure: yes / no\nTags: a / b / c")),
        (PLAN, "a verdict on its plan", Ask(kind="plan", tool="plan", text="1. Do it\n2. Test it")),
    ],
)  # fmt: skip
def test_it_asks(name: str, need: str, ask: Ask) -> None:
    assert read(name) == (SaysWaiting(need, ask.kind, ask=ask),)


def test_a_change_is_shown_with_what_it_changes() -> None:
    (waits,) = read("permission.requested write path")

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert "/srv/shared/o.txt\n" in waits.ask.text
    assert waits.ask.text.endswith("+hi")


def test_what_is_not_known_is_shown_whole() -> None:
    asked = {"kind": "new", "toolCallId": "t", "thing": {"a": [1]}}
    (waits,) = read(SHELL, permissionRequest=asked)

    assert isinstance(waits, SaysWaiting)
    assert waits.ask == Ask(kind="permission", tool="new", text='{"thing": {"a": [1]}}')


def test_what_is_asked_cannot_write_on_the_terminal() -> None:
    command = "printf '\x1b]52;c;cGFzdGU=\x07'\r\nrm\u202e -r"
    (waits,) = read(SHELL, permissionRequest={"kind": "shell", "fullCommandText": command})

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert waits.ask.text == "printf ' '\nrm  -r"


def test_another_dialog_needs_someone_in_the_pane() -> None:
    for event in ("auto_mode_switch.requested", "session_limits_exhausted.requested"):
        assert COPILOT.read_hook(event, b"{}") == (
            SaysWaiting("an answer to the dialog in its pane"),
        )


@pytest.mark.parametrize(
    ("event", "payload", "signals"),
    [
        ("user.message", b"{", (SaysWorking(),)),
        ("session.error", b"{", (SaysFailed("its turn broke off"),)),
        ("assistant.idle", b"{", (SaysIdle(background=True),)),
        ("session.idle", b"{", (SaysIdle(broken_off=True),)),
        ("tool.execution_start", b'{"arguments": 5}', ()),
        ("session", b"", ()),
        ("session", b'{"sessionId": "--resume"}', ()),
        ("assistant.usage", b'{"tokens": -1}', ()),
    ],
)
def test_a_torn_payload_says_what_it_can(
    event: str, payload: bytes, signals: tuple[Signal, ...]
) -> None:
    *told, bad = COPILOT.read_hook(event, payload)

    assert tuple(told) == signals
    assert isinstance(bad, BadHook)


def test_a_torn_request_asks_all_the_same() -> None:
    assert COPILOT.read_hook("permission.requested", b'{"permissionReq') == (
        SaysWaiting("permission", "permission", ask=Ask()),
    )


# --- answers --------------------------------------------------------------------------------------


def given(payload: bytes, verdict: str, text: str = "") -> Any:
    said = COPILOT.answer(payload, verdict, text)  # type: ignore[arg-type]
    return None if said is None else json.loads(said)


def test_a_permission_is_allowed_or_denied() -> None:
    asked = payload_of(SHELL)
    refused = {"kind": "reject", "feedback": "use ninja"}

    assert given(asked, "allow") == {"kind": "approve-once"}
    assert given(asked, "deny") == {"kind": "reject"}
    assert given(asked, "deny", "use ninja") == refused
    assert given(asked, "text", "use ninja") == refused


def test_nothing_torn_is_allowed_by_accident() -> None:
    assert given(b'{"requestedSchema": 5}', "deny") == {"kind": "reject"}


@pytest.mark.parametrize(
    ("said", "answer"),
    [("Blue", "Blue"), (" red", "Red"), ("2", "Blue"), ("3", "3"), ("green", "green")],
)
def test_a_question_is_answered_by_choice_number_or_words(said: str, answer: str) -> None:
    known = answer in {"Red", "Blue"}

    assert given(payload_of(ONE), "text", said) == {
        "action": "accept",
        "content": {"colour": answer},
    }
    assert given(json.dumps(USER_INPUT).encode(), "text", said) == {
        "answer": answer,
        "wasFreeform": not known,
    }


def test_a_question_is_not_allowed_but_may_be_denied() -> None:
    assert given(payload_of(ONE), "allow", "Blue") is None
    assert given(json.dumps(USER_INPUT).encode(), "allow") is None
    assert given(payload_of(ONE), "deny") == {"action": "decline"}


def test_a_question_of_the_simple_form_is_shown() -> None:
    (waits,) = COPILOT.read_hook("user_input.requested", json.dumps(USER_INPUT).encode())

    assert isinstance(waits, SaysWaiting)
    assert waits.ask
    assert (waits.ask.text, waits.ask.choices) == ("Which colour?", ("Red", "Blue"))


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("Large\n3\nyes\na, c", {"size": "l", "many": 3, "sure": True, "tags": ["a", "c"]}),
        ("1\n-1\nN\n2", {"size": "s", "many": -1, "sure": False, "tags": ["b"]}),
        ("Large\n3\nyes", None),
        ("Large\nmany\nyes\na", None),
        ("Large\n3\nperhaps\na", None),
        ("Large\n3\nyes\na, z", None),
        ("", None),
    ],
)
def test_a_form_takes_a_line_for_each_field(said: str, content: dict[str, object] | None) -> None:
    expected = None if content is None else {"action": "accept", "content": content}

    assert given(payload_of(MANY), "text", said) == expected


def test_a_plan_is_carried_out_as_before_or_comes_back_with_notes() -> None:
    asked = payload_of(PLAN)
    smaller = {"approved": False, "feedback": "smaller"}

    assert given(asked, "allow") == {"approved": True, "selectedAction": "interactive"}
    assert given(asked, "deny") == {"approved": False}
    assert given(asked, "deny", "smaller") == smaller
    assert given(asked, "text", "smaller") == smaller
