"""How Gemini CLI is started: with the user's own configuration, and fleet's beside it."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.agents.adapter import Launch, Request
from fleet.agents.gemini.adapter import GeminiAdapter

RequestFor = Callable[..., Request]
GEMINI = GeminiAdapter()
FRESH = "889a1a7e-0f4c-4c53-9d8f-1f1d8ab6a001"
SETTINGS = "/home/person/.gemini/settings.json"
FOLDERS = "/home/person/.gemini/trustedFolders.json"
OWN = "gemini/.gemini/settings.json"
TRUSTED = "gemini/.gemini/trustedFolders.json"


@pytest.fixture
def ask(request_for: RequestFor) -> RequestFor:
    """Make a request as the supervisor makes it."""

    def make(prompt: str = "Say hello.", **rest: object) -> Request:
        known: dict[str, object] = {
            "fresh": FRESH,
            "repo": "/home/person/shop",
            "version": "0.61.0",
            "environment": {"HOME": "/home/person"},
            "config": {SETTINGS: None, FOLDERS: None},
        }
        return request_for(prompt, **(known | rest))

    return make


def options(request: Request) -> list[str]:
    argv = GEMINI.launch(request).argv
    return list(argv[argv.index("gemini") + 1 :])


def own(request: Request, name: str = OWN) -> Any:
    return json.loads(GEMINI.launch(request).files[name])


# --- the command line -----------------------------------------------------------------------------


def test_a_fresh_start(ask: RequestFor) -> None:
    launch = GEMINI.launch(ask())
    assert launch.argv == (
        *("/bin/sh", "/h/tasks/hello/runs/1/start.sh", "gemini"),
        *("--approval-mode", "auto_edit", "-i", "Say hello."),
    )
    assert launch.seeds == ()


def test_a_new_conversation_names_itself(ask: RequestFor) -> None:
    """Its dialog about trust starts it anew, and then it would refuse a name that it knows."""
    request = ask(consents=frozenset({"trust"}))
    assert FRESH not in GEMINI.launch(request).argv


def test_a_conversation_is_taken_up_again(ask: RequestFor) -> None:
    consents = frozenset({"trust"})
    argv = options(ask(conversation="an-id", messages=("Mind the tests.",), consents=consents))
    assert argv[-4:] == ["--resume", "an-id", "-i", "Mind the tests."]


def test_model_and_mode_are_those_of_the_policy(ask: RequestFor) -> None:
    argv = options(ask(model="flash", permission="yolo"))
    assert argv[:2] == ["--approval-mode", "yolo"]
    assert argv[argv.index("--model") + 1] == "flash"


@pytest.mark.parametrize("prompt", ["-rf /", "'quoted'", '"quoted"', "--help"])
def test_a_prompt_is_never_an_option_nor_without_its_quotes(ask: RequestFor, prompt: str) -> None:
    launch = GEMINI.launch(ask(prompt))
    assert launch.argv[-1] == f" {prompt}"
    assert launch.files["messages/prompt.txt"] == prompt


def test_a_long_prompt_is_read_from_where_it_may_read(ask: RequestFor) -> None:
    launch = GEMINI.launch(ask("x" * 200_000))
    file = "/h/tasks/hello/runs/1/messages/prompt.txt"
    assert launch.argv[-1] == f"Read {file} and do what it says."
    assert launch.files["messages/prompt.txt"] == "x" * 200_000


def test_a_second_attempt_reads_the_notes_where_it_may_read(ask: RequestFor) -> None:
    assert "/h/tasks/hello/runs/1/messages/notes.md" in GEMINI.launch(ask(attempt=2)).argv[-1]


@pytest.mark.parametrize("version", [None, "", "0.33.0", "x"])
def test_a_version_that_was_not_tried_is_started_plainly(
    ask: RequestFor, version: str | None
) -> None:
    launch = GEMINI.launch(ask(version=version, allow=("glob",), consents=frozenset({"trust"})))
    assert launch.argv == ("gemini", "--approval-mode", "auto_edit", "-i", "Say hello.")
    assert launch.files == {}
    assert launch.env == {}


# --- the settings of a run ------------------------------------------------------------------------


def test_all_events_reach_fleet(ask: RequestFor) -> None:
    hooks = own(ask())["hooks"]
    for event in ("SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "Notification"):
        [group] = hooks[event]
        assert group["hooks"][0]["command"] == f"/h/bin/fleet-hook {event}"
    for event in ("PreCompress", "AfterAgent"):
        [group] = hooks[event]
        command = f"/bin/sh /h/tasks/hello/runs/1/tell.sh {event}"
        assert group["hooks"][0]["command"] == command


def test_the_users_own_settings_stay(ask: RequestFor) -> None:
    theirs = """{
      // what I like
      "ui": {"theme": "Dracula", "hideWindowTitle": true}, /* and */
      "hooks": {"AfterAgent": [{"hooks": [{"type": "command", "command": "beep //no comment"}]}]},
      "mcpServers": {"db": {"url": "http://127.0.0.1:1/"}}
    }"""
    settings = own(ask(config={SETTINGS: theirs, FOLDERS: None}))
    assert settings["ui"]["theme"] == "Dracula"
    assert settings["ui"]["hideWindowTitle"] is False
    assert settings["mcpServers"] == {"db": {"url": "http://127.0.0.1:1/"}}
    first, second = settings["hooks"]["AfterAgent"]
    assert first["hooks"][0]["command"] == "beep //no comment"
    assert second["hooks"][0]["name"] == "fleet AfterAgent"
    assert settings["general"]["enableAutoUpdate"] is False


def test_hooks_that_the_user_has_switched_off_stay_off(ask: RequestFor) -> None:
    theirs = {"hooksConfig": {"enabled": False}, "hooks": {"AfterAgent": [{"hooks": []}]}}
    settings = own(ask(config={SETTINGS: json.dumps(theirs), FOLDERS: None}))
    assert settings["hooksConfig"]["enabled"] is True
    [group] = settings["hooks"]["AfterAgent"]
    assert group["hooks"][0]["name"] == "fleet AfterAgent"


@pytest.mark.parametrize("theirs", ["{", "[]", '"x"', "{" * 5000])
def test_settings_that_are_not_understood_are_left_alone(ask: RequestFor, theirs: str) -> None:
    launch = GEMINI.launch(ask(config={SETTINGS: theirs, FOLDERS: None}))
    assert launch.argv[0] == "gemini"
    assert launch.files == {}


@pytest.mark.parametrize("name", ["ui", "hooks", "hooksConfig", "general"])
def test_odd_settings_upset_nothing(ask: RequestFor, name: str) -> None:
    assert own(ask(config={SETTINGS: json.dumps({name: 7}), FOLDERS: None}))["hooks"]


def test_a_home_that_the_user_has_chosen_is_the_one_that_is_linked(ask: RequestFor) -> None:
    environment = {"HOME": "/home/person", "GEMINI_CLI_HOME": "/elsewhere"}
    request = ask(environment=environment)
    assert GEMINI.config_files(request) == (
        "/elsewhere/.gemini/settings.json",
        "/elsewhere/.gemini/trustedFolders.json",
    )


def test_tools_without_permission_are_a_policy_beside_the_users_own(ask: RequestFor) -> None:
    allow = ("run_shell_command(git)", "ShellTool(make test, x)", "web_fetch", "glob(x)")
    request = ask(allow=allow)
    policy = GEMINI.launch(request).files["policy.toml"]
    assert policy.count("[[rule]]") == policy.count('decision = "allow"') == 4
    assert 'toolName = "run_shell_command"\ncommandPrefix = "git"' in policy
    assert 'commandPrefix = "make test, x"' in policy
    assert 'toolName = "web_fetch"\ndecision' in policy
    assert 'toolName = "glob(x)"' in policy  # of which there is none: nothing is allowed by mistake
    ours = "/h/tasks/hello/runs/1/policy.toml"
    assert own(request)["policyPaths"] == ["/home/person/.gemini/policies", ours]
    theirs = json.dumps({"policyPaths": ["/mine.toml"]})
    chosen = own(ask(allow=allow, config={SETTINGS: theirs, FOLDERS: None}))
    assert chosen["policyPaths"] == ["/mine.toml", ours]


def test_without_such_tools_there_is_no_policy(ask: RequestFor) -> None:
    assert "policyPaths" not in own(ask())
    assert "policy.toml" not in GEMINI.launch(ask()).files


# --- trust ----------------------------------------------------------------------------------------


def test_only_with_consent_directories_are_trusted_beforehand(ask: RequestFor) -> None:
    known = json.dumps({"/home/person/x": "DO_NOT_TRUST"})
    config = {SETTINGS: None, FOLDERS: known}
    assert TRUSTED not in GEMINI.launch(ask(config=config)).files
    assert "--include-directories" not in options(ask(config=config))
    assert GEMINI.launch(ask(config=config)).env == {"GEMINI_CLI_TRUSTED_FOLDERS_PATH": FOLDERS}

    request = ask(config=config, consents=frozenset({"trust"}))
    assert own(request, TRUSTED) == {
        "/home/person/x": "DO_NOT_TRUST",
        "/h/w/shop/001": "TRUST_FOLDER",
        "/h/tasks/hello/runs/1/messages": "TRUST_FOLDER",
    }
    launch = GEMINI.launch(request)
    assert launch.env == {"GEMINI_CLI_TRUSTED_FOLDERS_PATH": f"/h/tasks/hello/runs/1/{TRUSTED}"}
    assert launch.seeds == ()
    argv = options(request)
    place = argv.index("--include-directories")
    assert argv[place + 1] == "/h/tasks/hello/runs/1/messages"


def test_a_list_of_trusted_directories_that_is_not_understood_is_left_alone(
    ask: RequestFor,
) -> None:
    request = ask(config={SETTINGS: None, FOLDERS: "{"}, consents=frozenset({"trust"}))
    assert TRUSTED not in GEMINI.launch(request).files
    assert GEMINI.launch(request).env == {"GEMINI_CLI_TRUSTED_FOLDERS_PATH": FOLDERS}


# --- the scripts ----------------------------------------------------------------------------------


def written(launch: Launch, run_dir: Path) -> None:
    for name, text in launch.files.items():
        (run_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (run_dir / name).write_text(text)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A person's home, and a directory for a run."""
    theirs = tmp_path / "home" / ".gemini"
    theirs.mkdir(parents=True)
    for name in ("settings.json", "oauth_creds.json", ".env", "GEMINI.md"):
        (theirs / name).write_text(f"{name} of theirs")
    (tmp_path / "home" / ".env").write_text("KEY=1")
    (tmp_path / "notes.md").write_text("it failed")
    (tmp_path / "it's a run").mkdir()
    return tmp_path


def scripted(ask: RequestFor, place: Path) -> Launch:
    theirs = str(place / "home" / ".gemini")
    config = {f"{theirs}/settings.json": None, f"{theirs}/trustedFolders.json": None}
    request = ask(
        run_dir=str(place / "it's a run"),
        home=str(place),
        notes=str(place / "notes.md"),
        environment={"HOME": str(place / "home")},
        config=config,
    )
    launch = GEMINI.launch(request)
    written(launch, place / "it's a run")
    return launch


def test_the_home_of_a_run_has_all_of_the_users_but_the_settings(
    ask: RequestFor, place: Path
) -> None:
    launch = scripted(ask, place)
    shown = ("/bin/sh", "-c", 'printf %s "$GEMINI_CLI_HOME"; cd "$GEMINI_CLI_HOME/.gemini"; ls -A')
    env = {"HOME": str(place / "home"), "PATH": os.environ["PATH"]}
    argv = [*launch.argv[:2], *shown]
    ran = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)

    run_dir = place / "it's a run"
    assert ran.stdout.startswith(f"{run_dir}/gemini")
    ours, theirs = run_dir / "gemini" / ".gemini", place / "home" / ".gemini"
    for name in ("oauth_creds.json", ".env", "GEMINI.md", "tmp", "history"):
        assert (ours / name).readlink() == theirs / name
    assert (run_dir / "gemini" / ".env").readlink() == place / "home" / ".env"
    assert not (ours / "settings.json").is_symlink()
    assert "hooks" in (ours / "settings.json").read_text()
    assert (run_dir / "messages" / "notes.md").read_text() == "it failed"
    assert (theirs / "settings.json").read_text() == "settings.json of theirs"


def records(*rows: dict[str, object]) -> str:
    lines = [json.dumps(row, separators=(",", ":")) for row in rows]
    return "\n".join(("", '{"sessionId":"x"}', *lines, '{"$set":{"messages":[]}}', ""))


def answered(number: int, at: str, total: int) -> dict[str, object]:
    tokens = {"input": total - 1, "output": 1, "cached": 0, "thoughts": 0, "tool": 0}
    said = '"tokens":{"input":7,"total":7} {"type":"error"}'
    return {
        "id": f"{number:036}",
        "timestamp": at,
        "type": "gemini",
        "content": said,
        "tokens": tokens | {"total": total},
    }


def error(at: str, content: str) -> dict[str, object]:
    return {"id": f"{99:036}", "timestamp": at, "type": "error", "content": content}


def tell(ask: RequestFor, place: Path, transcript: str) -> Any:
    """Return what the script tells fleet of a turn that ended."""
    scripted(ask, place)
    run_dir, hook = place / "it's a run", place / "bin" / "fleet-hook"
    (run_dir / "gemini" / "since").write_text("2026-11-27T05:00:00\n")
    (place / "chat.jsonl").write_text(transcript)
    hook.parent.mkdir()
    hook.write_text('#!/bin/sh\ncat >"$0.$1"\n')
    hook.chmod(0o755)
    payload = {"session_id": "x", "transcript_path": str(place / "chat.jsonl")}
    said = json.dumps(payload | {"prompt_response": 'a "quoted" answer'}, separators=(",", ":"))
    script = ("/bin/sh", str(run_dir / "tell.sh"), "AfterAgent")
    subprocess.run(script, input=said, text=True, check=True)
    told = json.loads((place / "bin" / "fleet-hook.AfterAgent").read_text())
    assert told.pop("event") == json.loads(said)
    return told


def test_what_this_run_has_used_is_counted_once(ask: RequestFor, place: Path) -> None:
    transcript = records(
        answered(1, "2026-11-27T04:59:59.999Z", 5000),  # of an earlier run
        answered(2, "2026-11-27T05:00:01.000Z", 100),
        answered(2, "2026-11-27T05:00:01.000Z", 100),  # with its tool calls
        answered(3, "2026-11-27T05:00:02.000Z", 200),
    )
    assert tell(ask, place, transcript) == {"tokens": 300, "input": 199}


def test_why_the_turn_broke_off_is_found(ask: RequestFor, place: Path) -> None:
    failed = error("2026-11-27T05:00:03.000Z", 'API "Error"')
    told = tell(ask, place, records(answered(2, "2026-11-27T05:00:01.000Z", 100), failed))
    assert told == {"tokens": 100, "input": 99, "error": failed}


def test_what_failed_before_the_last_answer_is_over(ask: RequestFor, place: Path) -> None:
    failed = error("2026-11-27T05:00:01.000Z", "API Error")
    told = tell(ask, place, records(failed, answered(2, "2026-11-27T05:00:02.000Z", 100)))
    assert "error" not in told


def test_a_loop_that_it_stopped_is_a_turn_that_broke_off(ask: RequestFor, place: Path) -> None:
    said = "A potential loop was detected. The request has been halted."
    halted = error("2026-11-27T05:00:03.000Z", said) | {"type": "info"}
    assert tell(ask, place, records(halted))["error"] == halted


def test_without_a_conversation_the_event_is_told_all_the_same(
    ask: RequestFor, place: Path
) -> None:
    assert tell(ask, place, "") == {"tokens": 0, "input": 0}
