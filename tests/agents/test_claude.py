"""How Claude Code is started: with the user's own configuration, and fleet's beside it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet.agents.adapter import (
    Presence,
    Request,
    SaysDoing,
    SaysIdle,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.claude.adapter import ClaudeAdapter

RequestFor = Callable[..., Request]
CLAUDE = ClaudeAdapter()
FRESH = "889a1a7e-0f4c-4c53-9d8f-1f1d8ab6a001"
SCREENS = Path(__file__).parent.parent / "data" / "screens"
NEW = "2.1.332"
STATE = "/home/person/.claude.json"
CLASSIC = {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "Notification"}


@pytest.fixture
def ask(request_for: RequestFor) -> RequestFor:
    """Make a request as the supervisor makes it."""

    def make(prompt: str = "Say hello.", **rest: object) -> Request:
        known: dict[str, object] = {
            "fresh": FRESH,
            "repo": "/home/person/shop",
            "version": NEW,
            "environment": {"HOME": "/home/person"},
        }
        return request_for(prompt, **(known | rest))

    return make


def settings(request: Request) -> Any:
    return json.loads(CLAUDE.launch(request).files["settings.json"])


def test_a_new_conversation_has_the_name_it_was_given(ask: RequestFor) -> None:
    assert CLAUDE.launch(ask()).argv == (
        *("claude", "--settings", "/h/tasks/hello/runs/1/settings.json"),
        *("--permission-mode", "acceptEdits", "--session-id", FRESH, "--name", "fleet: hello"),
        *("--", "Say hello."),
    )


def test_a_conversation_is_taken_up_again(ask: RequestFor) -> None:
    argv = CLAUDE.launch(ask(conversation="c-1", messages=("Mind the tests.",))).argv

    assert argv[argv.index("--resume") + 1] == "c-1"
    assert "--session-id" not in argv
    assert argv[-2:] == ("--", "Mind the tests.")


def test_mode_tools_model_and_effort_are_as_asked(ask: RequestFor) -> None:
    allow = ("Bash(git *)", "Bash(make:*)")
    argv = CLAUDE.launch(ask(permission="plan", allow=allow, model="opus", effort="high")).argv
    text = " ".join(argv)

    assert "--permission-mode plan --allowedTools Bash(git *) Bash(make:*) --session-id" in text
    assert "--model opus --effort high -- Say hello." in text


@pytest.mark.parametrize("version", ["2.1.196", "2.0", "1.0.3", None, ""])
def test_an_old_version_gets_what_it_knows(version: str | None, ask: RequestFor) -> None:
    request = ask(version=version, effort="high")
    hooks = settings(request)["hooks"]
    argv = CLAUDE.launch(request).argv

    assert not {"--effort", "--name"} & {*argv}
    assert CLASSIC <= set(hooks) <= CLASSIC | {"PermissionRequest"}
    assert ("PermissionRequest" in hooks) == (version == "2.1.196")
    assert hooks["Stop"][0]["hooks"][0]["command"] == "/h/bin/fleet-hook Stop"


def test_a_prompt_too_long_for_an_argument_is_in_a_file(ask: RequestFor) -> None:
    launch = CLAUDE.launch(ask("ä" * 70_000))

    assert launch.argv[-1] == "Read /h/tasks/hello/runs/1/prompt.txt and do what it says."
    assert launch.files["prompt.txt"] == "ä" * 70_000


def test_no_hook_holds_it_up_but_the_one_that_asks(ask: RequestFor) -> None:
    hooks = settings(ask())["hooks"]
    asks = hooks.pop("PermissionRequest")[0]["hooks"][0]
    entries = [group["hooks"][0] for (group,) in hooks.values()]

    assert asks["args"] == ["PermissionRequest", "--ask"]
    assert asks["timeout"] > 7 * 24 * 3600
    assert "async" not in asks
    assert all(entry["async"] and entry["command"] == "/h/bin/fleet-hook" for entry in entries)
    assert {*hooks} >= {"SessionStart", "UserPromptSubmit", "PreToolUse", "Stop", "StopFailure"}
    assert "permission_prompt" not in hooks["Notification"][0]["matcher"]


def test_it_may_read_what_was_left_for_it_and_keep_its_notes(ask: RequestFor) -> None:
    assert settings(ask())["permissions"]["allow"] == [
        "Read(//h/tasks/hello/runs/1/prompt.txt)",
        "Read(//h/tasks/hello/runs/1/messages/**)",
        "Read(//h/tasks/hello/notes.md)",
        "Edit(//h/tasks/hello/notes.md)",
    ]


def test_only_who_chose_to_bypass_permissions_is_not_warned(ask: RequestFor) -> None:
    key = "skipDangerousModePermissionPrompt"

    assert settings(ask(permission="bypassPermissions"))[key] is True
    assert key not in settings(ask())


# --- the status line ------------------------------------------------------------------------------


def test_its_status_line_shows_what_the_users_shows(ask: RequestFor) -> None:
    theirs = {"statusLine": {"type": "command", "command": "it's mine", "padding": 2}}
    config = {"/home/person/.claude/settings.json": json.dumps(theirs)}
    request = ask(config=config)
    script = CLAUDE.launch(request).files["statusline.sh"]

    assert settings(request)["statusLine"] == {
        "type": "command",
        "command": "/bin/sh /h/tasks/hello/runs/1/statusline.sh",
        "padding": 2,
    }
    assert "/h/bin/fleet-hook statusline" in script
    assert "/bin/sh -c 'it'\"'\"'s mine'" in script


def test_a_projects_status_line_comes_before_the_users(ask: RequestFor) -> None:
    def line(command: str) -> str:
        return json.dumps({"statusLine": {"type": "command", "command": command}})

    files = CLAUDE.config_files(ask())
    config = {file: line(f"line-{place}") for place, file in enumerate(files[:-1])}
    script = CLAUDE.launch(ask(config=config)).files["statusline.sh"]

    assert files == (
        *("/h/w/shop/001/.claude/settings.local.json", "/h/w/shop/001/.claude/settings.json"),
        *("/home/person/.claude/settings.json", STATE),
    )
    assert "line-0" in script
    assert "line-1" not in script


@pytest.mark.parametrize("text", [None, "{", "[]", '{"statusLine": 5}', "{}"])
def test_without_one_it_names_the_task(text: str | None, ask: RequestFor) -> None:
    config = {"/home/person/.claude/settings.json": text}

    assert "$FLEET_TASK" in CLAUDE.launch(ask(config=config)).files["statusline.sh"]


# --- consent --------------------------------------------------------------------------------------


def seeded(request: Request) -> Any:
    seeds = CLAUDE.launch(request).seeds
    assert all(seed.path == STATE for seed in seeds)
    return json.loads(seeds[0].text) if seeds else None


def test_without_consent_no_file_of_the_users_is_touched(ask: RequestFor) -> None:
    assert seeded(ask(config={STATE: "{}"})) is None


def test_with_consent_the_repository_is_trusted_and_all_else_kept(ask: RequestFor) -> None:
    known: dict[str, Any] = {
        "numStartups": 12345678901234567890123,
        "tip": "ä\u2028",
        "projects": {"/other": {"hasTrustDialogAccepted": False, "cost": 0.1}},
    }
    trusted = {
        "projects": {**known["projects"], "/home/person/shop": {"hasTrustDialogAccepted": True}}
    }
    request = ask(config={STATE: json.dumps(known)}, consents=frozenset({"trust"}))

    assert seeded(request) == known | trusted
    again = ask(config={STATE: json.dumps(known | trusted)}, consents=frozenset({"trust"}))
    assert seeded(again) is None


def test_a_key_is_approved_by_its_end_unless_it_was_rejected(ask: RequestFor) -> None:
    def given(state: object) -> Any:
        environment = {"HOME": "/home/person", "ANTHROPIC_API_KEY": "sk-0123456789abcdefghij"}
        config = {STATE: json.dumps(state)}
        consents = frozenset({"api-key"})
        return seeded(ask(config=config, environment=environment, consents=consents))

    tail = "0123456789abcdefghij"

    assert given({})["customApiKeyResponses"] == {"approved": [tail], "rejected": []}
    assert given({"customApiKeyResponses": {"rejected": [tail]}}) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1'])
def test_a_file_that_is_not_understood_is_left_alone(text: str, ask: RequestFor) -> None:
    assert seeded(ask(config={STATE: text}, consents=frozenset({"trust"}))) is None


def test_a_configuration_of_its_own_is_found(ask: RequestFor) -> None:
    environment = {"HOME": "/home/person", "CLAUDE_CONFIG_DIR": "/c"}

    assert CLAUDE.config_files(ask(environment=environment))[-2:] == (
        *("/c/settings.json", "/c/.claude.json"),
    )
    assert CLAUDE.presence_file(environment, 7) == "/c/sessions/7.json"
    assert CLAUDE.presence_file({"HOME": "/home/person"}, 7) == (
        "/home/person/.claude/sessions/7.json"
    )
    assert CLAUDE.presence_file({}, 7) is None


# --- what it does ---------------------------------------------------------------------------------

PRESENCE = {
    "pid": 14348,
    "procStart": "99167",
    "version": NEW,
    "status": "idle",
    "updatedAt": 1795742675729,
    "statusUpdatedAt": 1795742675729,
}


@pytest.mark.parametrize(
    ("said", "signal"),
    [
        ({}, SaysIdle()),
        ({"status": "busy"}, SaysWorking()),
        ({"status": "shell"}, SaysIdle(background=True)),
        ({"status": "waiting", "waitingFor": "permission prompt"},
         SaysWaiting("permission", "permission")),
        ({"status": "waiting", "waitingFor": "input needed"}, SaysWaiting("an answer", "question")),
        ({"status": "waiting", "waitingFor": "its\x1b[2Jturn"}, SaysWaiting("its turn")),
        ({"status": "waiting"}, SaysWaiting("an answer", "question")),
        ({"status": "dancing"}, None),
        ({"procStart": "99168"}, None),
        ({"statusUpdatedAt": 10**40}, None),
        ({"statusUpdatedAt": "now"}, None),
    ],
)  # fmt: skip
def test_its_session_file_says(said: dict[str, object], signal: Signal | None) -> None:
    at = datetime(2026, 11, 27, 1, 24, 35, 729000, tzinfo=UTC)
    content = json.dumps(PRESENCE | said).encode()

    assert CLAUDE.read_presence(content, pid_start=99167) == (signal and Presence(signal, at))


def test_a_torn_session_file_says_nothing() -> None:
    assert CLAUDE.read_presence(b'{"status":', pid_start=99167) is None


def screen(name: str) -> str:
    return (SCREENS / f"claude-{name}.txt").read_text()


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("trust", SaysWaiting("trust in this directory", "trust")),
        ("api-key", SaysWaiting("whether it may use this API key", "login")),
        ("bypass", SaysWaiting("a yes to bypass permissions", "trust")),
        ("onboarding", SaysWaiting("a login", "login")),
        ("retry-401", SaysDoing("401 It is refused., retry in 12 s (6/10)")),
        ("retry-api", SaysDoing("API error, retry in 22 s (1/10)")),
        ("idle", None),
        ("working", None),
        ("permission", None),
        ("question", None),
        ("failed-429", None),
        ("failed-500", None),
        ("interrupted", None),
    ],
)
def test_its_screen_shows(name: str, signal: Signal | None) -> None:
    assert CLAUDE.read_screen(screen(name)) == (() if signal is None else (signal,))


@pytest.mark.parametrize(
    ("name", "stands"),
    [
        ("put-back", "[[hang]] early (agent-001)"),
        ("working", ""),
        ("working-typed", "typed while busy"),
        ("suggested", ""),  # "Resend your message to try again", dim
        ("suggested-busy", ""),  # the cursor on the first sign of what is dim
        ("coloured", "ultrathink /clear @no"),
        ("two-lines", "first\nsecond"),
        ("shell", "!"),
        ("slash", "/cl"),
    ],
)
def test_its_input_line_holds(name: str, stands: str) -> None:
    assert CLAUDE.input_line(screen(f"input-{name}")) == stands


@pytest.mark.parametrize("name", ["permission", "question", "trust", "onboarding"])
def test_a_dialog_has_no_input_line(name: str) -> None:
    assert CLAUDE.input_line(screen(name)) is None


RULE = "\u2500" * 40


@pytest.mark.parametrize(
    ("shown", "stands"),
    [
        (f"{RULE}\n\u276f\xa0/cl\x1b[2mear\x1b[0m\n{RULE}", "/clear"),  # completed as it is typed
        (f"{RULE}\n\u276f\xa0\x1b[2mTry this\x1b[0m\n{RULE}", ""),
        (f"{RULE}\n\u276f\xa0\x1b[38;5;2mgreen\x1b[39m\n{RULE}", "green"),
        (f"{RULE}\n\u276f\xa0\x1b[38;2;2;2;2mdark\x1b[39m\n{RULE}", "dark"),
        (f"{RULE}\n\u276f\xa0still being drawn", None),
        (f"he said\n\u276f\xa0look\n{RULE}", None),
    ],
)
def test_an_input_line_is_told_from_its_looks(shown: str, stands: str | None) -> None:
    assert CLAUDE.input_line(f"above\n{shown}") == stands


def test_one_sign_under_the_cursor_is_typed() -> None:
    shown = screen("input-suggested-busy")
    typed = shown.replace("\x1b[0;2m", "\x1b[0m")

    assert typed != shown
    assert CLAUDE.input_line(typed) == "Press up to edit queued messages"
    assert CLAUDE.input_line("") is None


def test_a_dialog_that_was_answered_is_history() -> None:
    assert CLAUDE.read_screen(screen("trust") + screen("idle")) == ()
    assert CLAUDE.read_screen(screen("retry-api") + screen("idle")) == ()
    assert CLAUDE.read_screen("") == ()


def test_a_long_retry_needs_a_person() -> None:
    (signal,) = CLAUDE.read_screen(screen("retry-api").replace("in 22s", "in 12m 5s"))

    assert signal == SaysWaiting("API error, retry in 725 s (1/10)", "rate-limit")
