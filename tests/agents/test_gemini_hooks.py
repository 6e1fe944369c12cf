"""What Gemini CLI's hooks mean; the payloads were recorded with version 0.61.0."""

import json
from datetime import UTC, datetime

import pytest
from agents.recorded import Recorded

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
from fleet.agents.gemini.adapter import GeminiAdapter
from fleet.core.rows import Ask

GEMINI = GeminiAdapter()
RECORDED = Recorded(GEMINI)
read = RECORDED.read
SESSION = RECORDED.all["SessionStart startup"]["payload"]["session_id"]
DIFF = str(RECORDED.all["Notification edit"]["payload"]["details"]["fileDiff"]).replace("\t", " ")
QUESTION = SaysWaiting(
    "an answer: Which one?",
    "question",
    ask=Ask(kind="question", tool="ask_user", text="Which one?", choices=("Red", "Blue")),
)


def permission(tool: str, about: str, text: str) -> SaysWaiting:
    ask = Ask(kind="permission", tool=tool, text=text)
    return SaysWaiting(f"permission: {tool}: {about}", "permission", ask=ask)


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("SessionStart startup", (SaysConversation(SESSION),)),
        ("SessionStart resume", (SaysConversation("aaaaaaaa-2222-4333-8444-555555555555"),)),
        ("BeforeAgent", (SaysHeard("[[slow 8]] first"), SaysWorking())),
        ("BeforeTool write_file", (SaysDoing("write_file: src/a.txt"),)),
        ("BeforeTool ask_user", (QUESTION,)),
        ("Notification exec", (permission("run_shell_command", "sleep 30", "sleep 30"),)),
        ("Notification edit", (permission("edit", "Makefile", f"Makefile\n{DIFF.strip()}"),)),
        ("Notification ask_user", (SaysWaiting("an answer", "question"),)),
        ("AfterTool ask_user", (SaysWorking(),)),
        ("AfterTool run_shell_command", (SaysWorking(),)),
        ("AfterTool run_shell_command cancelled", (SaysIdle(),)),
        ("PreCompress", (SaysWorking(),)),
        ("AfterAgent", (SaysIdle(),)),
    ],
)
def test_an_event_is_understood(name: str, signals: tuple[Signal, ...]) -> None:
    assert read(name) == signals


def test_a_command_that_prints_that_it_was_cancelled_was_not() -> None:
    said = "<untrusted_context>\nOutput: Command was cancelled by user\n</untrusted_context>"
    response = {"llmContent": said, "returnDisplay": "Command cancelled by user."}
    assert read("AfterTool run_shell_command", tool_response=response) == (SaysWorking(),)


@pytest.mark.parametrize(
    ("details", "need"),
    [
        ({"type": "exit_plan_mode"}, SaysWaiting("a verdict on its plan", "plan")),
        (
            {"type": "mcp", "serverName": "db", "toolName": "query"},
            SaysWaiting(
                "permission: db query",
                "permission",
                ask=Ask(kind="permission", tool="db query", text="permission: db query"),
            ),
        ),
        (
            {"type": "info", "prompt": "fetch it", "urls": ["https://a.example"]},
            SaysWaiting(
                'permission: info: fetch it ["https://a.example"]',
                "permission",
                ask=Ask(kind="permission", tool="info", text='fetch it\n["https://a.example"]'),
            ),
        ),
        (
            {"type": "sandbox_expansion", "title": "More room"},
            permission("sandbox_expansion", "More room", "More room"),
        ),
    ],
)
def test_each_kind_of_dialog_is_understood(details: object, need: Signal) -> None:
    assert read("Notification exec", details=details) == (need,)


def test_what_is_asked_cannot_steer_a_terminal() -> None:
    details = {"type": "exec", "command": "printf '\x1b[2J'\nrm -rf /"}
    (said,) = read("Notification exec", details=details)
    assert isinstance(said, SaysWaiting)
    assert said.need == "permission: run_shell_command: printf ' ' rm -rf /"
    assert said.ask is not None
    assert said.ask.text == "printf ' '\nrm -rf /"


def test_a_notification_of_another_type_says_nothing() -> None:
    assert read("Notification exec", notification_type="Whatever") == ()


# --- what our script adds -------------------------------------------------------------------------


def told(name: str, **found: object) -> tuple[Signal, ...]:
    payload = {"event": RECORDED.all[name]["payload"]} | found
    return GEMINI.read_hook(RECORDED.all[name]["event"], json.dumps(payload).encode())


def test_what_was_used_is_told_before_what_it_does() -> None:
    used = SaysUsage(tokens=25563, context=0.5, meter=SESSION)
    assert told("PreCompress", tokens=25563, input=524288) == (used, SaysWorking())
    assert told("AfterAgent", tokens=25563, input=524288) == (used, SaysIdle())
    nothing = SaysUsage(tokens=0, meter=SESSION)
    assert told("PreCompress", tokens=0, input=0) == (nothing, SaysWorking())


def error(content: object) -> dict[str, object]:
    return {"id": "1", "timestamp": "2026-11-27T04:42:08.169Z", "type": "error", "content": content}


def api_error(code: int, message: str, status: str) -> str:
    said = {"error": {"code": code, "message": message, "status": status}}
    return f"[API Error: {json.dumps(said)}]"


@pytest.mark.parametrize(
    ("content", "failed"),
    [
        (
            api_error(403, "no entry", "PERMISSION_DENIED"),
            SaysFailed("API error 403: no entry", "login"),
        ),
        (
            api_error(401, "API key not valid", "UNAUTHENTICATED"),
            SaysFailed("API error 401: API key not valid", "login"),
        ),
        (
            api_error(503, "The model is overloaded.", "UNAVAILABLE"),
            SaysFailed("API error 503: The model is overloaded.", "overloaded"),
        ),
        (
            api_error(403, "Enable billing.", "PERMISSION_DENIED"),
            SaysFailed("API error 403: Enable billing.", "budget"),
        ),
        (
            api_error(400, "The input exceeds the maximum number of tokens allowed.", "X"),
            SaysFailed(
                "API error 400: The input exceeds the maximum number of tokens allowed.", "context"
            ),
        ),
        (api_error(500, "broken", "INTERNAL"), SaysFailed("API error 500: broken")),
        (
            "[API Error: It is refused.\nSuggested retry after 3600s.]\nrequest a quota increase",
            SaysFailed(
                "API Error: It is refused. Suggested retry after 3600s.] request a quota increase",
                "rate-limit",
                datetime(2026, 11, 27, 5, 42, 8, 169000, UTC),
            ),
        ),
        ("", SaysFailed("its turn broke off")),
        ([{"text": "odd"}], SaysFailed("{'text': 'odd'}")),
    ],
)
def test_why_a_turn_broke_off_is_told(content: object, failed: Signal) -> None:
    assert told("AfterAgent no text", error=error(content)) == (failed,)


def test_a_turn_that_escape_ended_is_only_over() -> None:
    assert told("AfterAgent no text", tokens=None) == (SaysIdle(),)


# --- what is torn, or not its own -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("BeforeAgent", SaysWorking()),
        ("PreCompress", SaysWorking()),
        ("AfterAgent", SaysIdle()),
        ("AfterTool", SaysWorking()),
    ],
)
def test_an_event_counts_even_where_its_payload_is_torn(name: str, first: Signal) -> None:
    signals = GEMINI.read_hook(name, b'{"event":{"session_id":"x')
    assert signals[0] == first
    assert all(isinstance(it, BadHook) for it in signals[1:])


@pytest.mark.parametrize("id", ["", "-rf", "a b", "../x", 7])
def test_a_conversation_is_safe_as_an_argument(id: object) -> None:  # noqa: A002 (its name)
    (signal,) = read("SessionStart startup", session_id=id)
    assert isinstance(signal, BadHook)


def test_the_generic_vocabulary_is_understood_too() -> None:
    assert GEMINI.read_hook("done", b"") == (SaysDone(),)
