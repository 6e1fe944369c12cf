"""How Codex is started, and what its title and its screen show."""

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from fleet.agents.adapter import (
    Request,
    SaysFailed,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.codex import toml
from fleet.agents.codex.adapter import CodexAdapter

RequestFor = Callable[..., Request]
CODEX = CodexAdapter()
SCREENS = Path(__file__).parent.parent / "data" / "screens"
LINK = "/h/w/shop/001/.git"
SHOP = "/home/person/shop"


@pytest.fixture
def ask(request_for: RequestFor) -> RequestFor:
    """Make a request as the supervisor makes it."""

    def make(prompt: str = "Say hello.", **rest: object) -> Request:
        known: dict[str, object] = {
            "repo": SHOP,
            "version": "0.171.0",
            "environment": {"HOME": "/home/person"},
            "config": {LINK: f"gitdir: {SHOP}/.git/worktrees/001\n"},
        }
        return request_for(prompt, **(known | rest))

    return make


def values(argv: Iterable[str], option: str) -> list[str]:
    words = [*argv]
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def settings(request: Request) -> dict[str, Any]:
    """Return what its options say, merged as Codex does."""
    found: dict[str, Any] = {}
    for word in values(CODEX.launch(request).argv, "-c"):
        _merge(found, tomllib.loads(word))
    return found


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def test_a_prompt_is_its_last_word(ask: RequestFor) -> None:
    argv = CODEX.launch(ask("-rf --help")).argv

    assert argv[:3] == ("codex", "--no-daemon", "--no-alt-screen")
    assert argv[-2:] == ("--", "-rf --help")


def test_a_conversation_is_taken_up_again(ask: RequestFor) -> None:
    argv = CODEX.launch(ask(conversation="c-1", messages=("Mind the tests.",))).argv

    assert argv[:2] == ("codex", "resume")
    assert argv[-3:] == ("--", "c-1", "Mind the tests.")


def test_model_and_effort_are_as_asked(ask: RequestFor) -> None:
    request = ask(model="gpt-6.1", effort="high")

    assert values(CODEX.launch(request).argv, "--model") == ["gpt-6.1"]
    assert settings(request)["model_reasoning_effort"] == "high"
    assert "model_reasoning_effort" not in settings(ask())


@pytest.mark.parametrize(
    ("mode", "sandbox", "approval"),
    [
        ("workspace-write/never", ["workspace-write"], ["never"]),
        ("read-only", ["read-only"], ["on-request"]),
        ("danger-full-access/never", ["danger-full-access"], ["never"]),
        (None, [], []),
    ],
)
def test_a_mode_is_a_sandbox_and_when_to_ask(
    mode: str | None, sandbox: list[str], approval: list[str], ask: RequestFor
) -> None:
    argv = CODEX.launch(ask(permission=mode)).argv

    assert values(argv, "--sandbox") == sandbox
    assert values(argv, "--ask-for-approval") == approval


def test_it_can_commit_but_not_change_what_git_runs(ask: RequestFor) -> None:
    folders = values(CODEX.launch(ask()).argv, "--add-dir")

    assert folders == [
        *(f"{SHOP}/.git/worktrees/001", f"{SHOP}/.git/objects", f"{SHOP}/.git/refs"),
        f"{SHOP}/.git/logs",
    ]
    assert values(CODEX.launch(ask(permission="read-only")).argv, "--add-dir") == []


@pytest.mark.parametrize("text", [None, "", "gitdir: ../x\n", "nothing"])
def test_a_worktree_that_is_none_adds_no_folder(text: str | None, ask: RequestFor) -> None:
    assert CODEX.config_files(ask())[0] == LINK
    assert values(CODEX.launch(ask(config={LINK: text})).argv, "--add-dir") == []


@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        ('model_provider = "x"\n[model_providers.x]\nstream_max_retries = 2', 3),
        ('model_provider = "x"\n[model_providers.x]\nstream_max_retries = "2"', 6),
        ('model_provider = "x"\n[model_providers.x]\nstream_max_retries = -1', 6),
        ('model_provider = "y"\n[model_providers.x]\nstream_max_retries = 2', 6),
        ("model_providers = 5\nmodel_provider = ''", 6),
        ("=", 6),
        (None, 6),
    ],
)
def test_it_knows_from_the_users_file_which_attempt_is_the_last(
    config: str | None, attempts: int, ask: RequestFor
) -> None:
    request = ask(config={"/home/person/.codex/config.toml": config})
    (group,) = settings(request)["hooks"]["PostModelRequest"]

    assert group["hooks"][0]["command"] == f"/h/bin/fleet-hook PostModelRequest:{attempts}"


def test_a_configuration_of_its_own_is_found(ask: RequestFor) -> None:
    there = ask(environment={"HOME": "/home/person", "CODEX_HOME": "/c"})

    assert CODEX.config_files(there) == (LINK, "/c/config.toml")
    assert CODEX.config_files(ask()) == (LINK, "/home/person/.codex/config.toml")
    assert CODEX.config_files(ask(environment={})) == (LINK,)


@pytest.mark.parametrize("version", ["0.165.0", "0.144.0", None, "unknown"])
def test_an_old_version_has_no_server_to_do_without(version: str | None, ask: RequestFor) -> None:
    assert "--no-daemon" not in CODEX.launch(ask(version=version)).argv


def test_a_prompt_too_long_for_an_argument_is_in_a_file(ask: RequestFor) -> None:
    launch = CODEX.launch(ask("ä" * 70_000))

    assert launch.argv[-1] == "Read /h/tasks/hello/runs/1/prompt.txt and do what it says."
    assert launch.files == {"prompt.txt": "ä" * 70_000}


def test_only_with_consent_the_repository_is_trusted(ask: RequestFor) -> None:
    agreed = ask(consents=frozenset({"trust"}), repo='/home/it\'s "mine"\x7f')

    assert settings(agreed)["projects"] == {'/home/it\'s "mine"\x7f': {"trust_level": "trusted"}}
    assert "projects" not in settings(ask())
    assert CODEX.launch(agreed).seeds == ()


def test_values_are_written_as_toml_reads_them() -> None:
    value = {"a b": ['"\\\n\x7f🔑', 3, True, {"deep": "'"}], "é": ""}

    assert tomllib.loads(f"it={toml.text(value)}") == {"it": value}


# --- its hooks ------------------------------------------------------------------------------------


def test_each_of_its_hooks_is_trusted_for_the_launch(ask: RequestFor) -> None:
    hooks = settings(ask())["hooks"]
    trusted = hooks.pop("state")
    keys = {
        f"/<session-flags>/config.toml:{name}:{place}:0"
        for name, groups in ((_snake(event), found) for event, found in hooks.items())
        for place in range(len(groups))
    }

    assert {*trusted} == keys
    assert "--dangerously-bypass-hook-trust" not in CODEX.launch(ask()).argv


def _snake(event: str) -> str:
    return "".join(f"_{it.lower()}" if it.isupper() else it for it in event).removeprefix("_")


def test_a_digest_is_what_codex_itself_says(request_for: RequestFor) -> None:
    """It was asked, by `hooks/list` of its server, with versions from 0.144 to 0.171."""
    trusted = settings(request_for(home="/home/person/fleet"))["hooks"]["state"]
    said = {
        "stop:0": "72890da0c60a50dc28c4d5a1479e70283701a454417e09ca903cb760e40bcff8",
        "permission_request:0": "96a5cfb8acfdb0b22997a7ba87c401e95dac61ba3bb213b8dce325bd8b8ace0e",
        "pre_tool_use:1": "d37819220692c414e84d5d01a6ca4e1ac5298fd89e8a489ac8b7fad7b6904540",
    }

    for key, digest in said.items():
        found = trusted[f"/<session-flags>/config.toml:{key}:0"]
        assert found == {"trusted_hash": f"sha256:{digest}"}


def test_only_what_asks_may_wait_for_a_person(ask: RequestFor) -> None:
    hooks = settings(ask())["hooks"]
    entries = [
        (group.get("matcher"), group["hooks"][0])
        for event, groups in hooks.items()
        if event != "state"
        for group in groups
    ]
    asking = [(matcher, it) for matcher, it in entries if it["command"].endswith(" --ask")]

    assert [matcher for matcher, _ in asking] == ["request_user_input", None]
    assert all(it["timeout"] > 7 * 24 * 3600 and it["statusMessage"] for _, it in asking)
    assert all(it["timeout"] <= 10 for _, it in entries if (_, it) not in asking)
    assert not any(it["async"] for _, it in entries)


def test_what_an_agent_around_it_left_is_scrubbed() -> None:
    assert {"CODEX_SESSION_ID", "CODEX_SANDBOX", "CODEX_THREAD_ID"} <= {*CODEX.scrub}
    assert "CODEX_HOME" not in CODEX.scrub


# --- its title ------------------------------------------------------------------------------------

DIALOG = SaysWaiting("an answer to the dialog in its pane", "question")


@pytest.mark.parametrize(
    ("title", "signals"),
    [
        ("⠙ Working | Context 0% used", (SaysWorking(), SaysUsage(context=0.0))),
        ("⠏ Thinking | Context 93% used", (SaysWorking(), SaysUsage(context=0.93))),
        ("Ready | Context 1% used", (SaysIdle(), SaysUsage(context=0.01))),
        ("Ready", (SaysIdle(),)),
        ("[ ! ] Action Required | Context 1% used", (DIALOG, SaysUsage(context=0.01))),
        ("[ . ] Action Required", (DIALOG,)),
        ("⠹ shop", (SaysWorking(),)),
        ("Ready | Context 999% used", (SaysIdle(), SaysUsage(context=1.0))),
        ("a-host", ()),
        ("Readying", ()),
        ("vim: Ready | Context 1% used", ()),
        ("", ()),
    ],
)
def test_its_title_says(title: str, signals: tuple[Signal, ...]) -> None:
    assert CODEX.read_title(title) == signals


# --- its screen -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("screen", "kind", "need"),
    [
        ("trust", "trust", "trust in this directory"),
        ("login", "login", "a login"),
        ("hooks", "trust", "a review of hooks in its pane"),
        ("permission", "permission", "permission"),
        ("question", "question", "an answer"),
        ("failed-429", "rate-limit", "exceeded retry limit, last status: 429 Too Many Requests"),
        ("failed-401", "login", "unexpected status 401 Unauthorized: Incorrect API key"),
        ("failed-narrow", "login", "unexpected status 401 Unauthorized: Incorrect API key"),
        ("failed-500", "error", "currently experiencing high demand"),
        ("failed-context", "context", "Codex ran out of room in the model's context window"),
    ],
)
def test_its_screen_shows_what_it_waits_for(screen: str, kind: str, need: str) -> None:
    (said,) = CODEX.read_screen((SCREENS / f"codex-{screen}.txt").read_text())

    assert isinstance(said, SaysWaiting | SaysFailed)
    assert said.kind == kind
    assert need in (shown := said.need if isinstance(said, SaysWaiting) else said.reason)
    assert "http" not in shown
    assert isinstance(said, SaysFailed) == screen.startswith("failed")


@pytest.mark.parametrize("screen", ["idle", "working", "interrupted", "retrying"])
def test_its_screen_adds_nothing(screen: str) -> None:
    assert CODEX.read_screen((SCREENS / f"codex-{screen}.txt").read_text()) == ()


@pytest.mark.parametrize("quoted", ["trust", "login", "hooks", "permission", "question"])
def test_a_dialog_that_is_quoted_is_none(quoted: str) -> None:
    dialog = (SCREENS / f"codex-{quoted}.txt").read_text().rstrip()
    idle = (SCREENS / "codex-idle.txt").read_text()

    assert CODEX.read_screen(idle.replace("• Hello.", f"• It shows:\n{dialog}\n")) == ()


def test_a_failure_is_history_once_something_follows_it() -> None:
    screen = (SCREENS / "codex-failed-429.txt").read_text()
    sign = "\u203a"
    more = screen.replace(f"{sign} Ask", f"{sign} go on\n\n\n• Working (1s)\n\n{sign} Ask")

    assert CODEX.read_screen(more) == ()
    assert CODEX.read_screen("") == CODEX.read_screen("\n\n") == ()
    assert CODEX.read_screen("■ nothing below it") == ()


# --- its input line -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stands"),
    [
        ("empty", ""),
        ("cleared", ""),
        ("typed", "typed text"),
        ("two-lines", "typed text\nsecond \u203a"),
        ("shell", "!ls"),
        ("slash", "/mo"),
        ("working", ""),
        ("queued", ""),
        ("put-back", "queued one"),
    ],
)
def test_its_input_line_holds(name: str, stands: str) -> None:
    assert CODEX.input_line((SCREENS / f"codex-input-{name}.txt").read_text()) == stands


@pytest.mark.parametrize("name", ["permission", "question", "trust", "hooks", "login"])
def test_a_dialog_has_no_input_line(name: str) -> None:
    assert CODEX.input_line((SCREENS / f"codex-{name}.txt").read_text()) is None


def test_a_screen_without_an_input_line_has_none() -> None:
    sent = "\x1b[2m\u203a \x1b[0ma prompt that was sent"

    assert CODEX.input_line("") is None
    assert CODEX.input_line(f"{sent}\n\n  fake-model\n") is None
