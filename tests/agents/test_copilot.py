"""How Copilot CLI is started: with the user's own configuration, and a plugin of fleet's beside."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.agents import traits
from fleet.agents.adapter import Request, SaysWaiting, Signal
from fleet.agents.copilot.adapter import CopilotAdapter

RequestFor = Callable[..., Request]
COPILOT = CopilotAdapter()
SCREENS = Path(__file__).parent.parent / "data" / "screens"
NEW = "1.0.102"
CONFIG = "/home/person/.copilot/config.json"
FLAGS = "COPILOT_CLI_ENABLED_FEATURE_FLAGS"
EXTENSION = "copilot/extensions/bridge/extension.mjs"


@pytest.fixture
def ask(request_for: RequestFor) -> RequestFor:
    """Make a request as the supervisor makes it."""

    def make(prompt: str = "Say hello.", **rest: object) -> Request:
        known: dict[str, object] = {
            "repo": "/home/person/shop",
            "version": NEW,
            "environment": {"HOME": "/home/person"},
        }
        return request_for(prompt, **(known | rest))

    return make


def hooks(request: Request) -> Any:
    return json.loads(COPILOT.launch(request).files["copilot/hooks.json"])["hooks"]


def test_a_new_conversation_is_named_after_its_task(ask: RequestFor) -> None:
    argv = COPILOT.launch(ask()).argv

    assert argv[:3] == (
        "copilot",
        "--plugin-dir=/h/tasks/hello/runs/1/copilot",
        "--allow-tool=write",
    )
    assert "--name=fleet: hello" in argv
    assert argv[-3:] == ("--add-dir=/h/tasks/hello/runs/1/messages", "-i", "Say hello.")


def test_a_conversation_is_taken_up_again(ask: RequestFor) -> None:
    argv = COPILOT.launch(ask(conversation="c-1", messages=("Mind the tests.",))).argv

    assert "--resume=c-1" in argv
    assert not [word for word in argv if word.startswith("--name")]
    assert argv[-2:] == ("-i", "Mind the tests.")


def test_tools_model_and_effort_are_as_asked(ask: RequestFor) -> None:
    argv = COPILOT.launch(ask(allow=("shell(git:*)", "url"), model="gpt-x", effort="high")).argv
    text = " ".join(argv)

    assert "--allow-tool=write --allow-tool=shell(git:*) --allow-tool=url " in text
    assert "--model=gpt-x --reasoning-effort=high" in text


@pytest.mark.parametrize(
    ("permission", "options"),
    [
        (None, ["--allow-tool=write"]),
        ("edits", ["--allow-tool=write"]),
        ("manual", []),
        ("plan", ["--mode=plan"]),
        ("allow-all", ["--allow-all"]),
        ("autopilot", ["--mode=autopilot"]),
    ],
)
def test_permission_is_one_of_its_modes(
    permission: str | None, options: list[str], ask: RequestFor
) -> None:
    argv = COPILOT.launch(ask(permission=permission)).argv
    bridge = "--allow-tool=extension-permission-access(plugin:fleet:bridge)"

    assert list(argv[2 : argv.index(bridge)]) == options


@pytest.mark.parametrize("version", ["1.0.101", "0.0.421", "1.0", None, ""])
def test_an_old_version_gets_hooks_alone(version: str | None, ask: RequestFor) -> None:
    launch = COPILOT.launch(ask(version=version))
    text = " ".join(launch.argv)

    assert EXTENSION not in launch.files
    assert FLAGS not in launch.env
    assert "extension" not in text
    assert "--name" not in text


def test_its_bridge_is_switched_on_beside_what_the_user_has_switched_on(ask: RequestFor) -> None:
    theirs = {"HOME": "/home/person", FLAGS: "ONE,TWO"}
    launch = COPILOT.launch(ask(environment=theirs))

    assert COPILOT.launch(ask()).env[FLAGS] == "EXTENSIONS"
    assert launch.env[FLAGS] == "ONE,TWO,EXTENSIONS"
    assert launch.env["COPILOT_AUTO_UPDATE"] == "false"
    assert "@github/copilot-sdk" in launch.files[EXTENSION]


@pytest.mark.parametrize("prompt", ["-rf is what it is about", "ä" * 70_000])
def test_a_prompt_that_is_no_argument_is_in_a_file_that_it_may_read(
    prompt: str, ask: RequestFor
) -> None:
    launch = COPILOT.launch(ask(prompt))

    assert launch.argv[-1] == "Read /h/tasks/hello/runs/1/messages/prompt.txt and do what it says."
    assert launch.files["messages/prompt.txt"] == prompt


# --- its hooks ------------------------------------------------------------------------------------


def run_hook(command: str, root: Path) -> list[str]:
    """Run a hook's command, and return what it told fleet."""
    told = root / "told"
    hook = root / "bin" / "fleet-hook"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\necho "$@" >>{told}\nexit 7\n')
    hook.chmod(0o700)
    subprocess.run(["sh", "-c", command], check=True)
    return told.read_text().split() if told.exists() else []


def test_hooks_that_say_what_the_bridge_says_keep_quiet_while_it_is_up(
    tmp_path: Path, ask: RequestFor
) -> None:
    run_dir = tmp_path / "run's"
    (run_dir / "copilot").mkdir(parents=True)
    said = hooks(ask(home=str(tmp_path), run_dir=str(run_dir)))
    start, stop = said["SessionStart"][0]["bash"], said["Stop"][0]["bash"]

    assert run_hook(stop, tmp_path) == ["Stop"]
    (run_dir / "copilot" / "bridge-up").touch()
    assert run_hook(stop, tmp_path) == ["Stop"]
    assert run_hook(start, tmp_path) == ["Stop", "SessionStart"]


def test_no_hook_refuses_a_tool_whatever_becomes_of_fleet(ask: RequestFor) -> None:
    for (entry,) in hooks(ask(home="/nowhere", run_dir="/nowhere")).values():
        subprocess.run(["sh", "-c", entry["bash"]], check=True, stderr=subprocess.DEVNULL)
        assert entry["timeoutSec"] == 10


def test_no_hook_decides_on_permissions(ask: RequestFor) -> None:
    """It would come before the dialog, and for what needs no permission, too."""
    assert "PermissionRequest" not in hooks(ask())


# --- consent --------------------------------------------------------------------------------------

HEAD = "// User settings belong in settings.json.\n// This file is managed automatically.\n"
TRUSTING = frozenset({"trust"})


def seeded(request: Request) -> str | None:
    seeds = COPILOT.launch(request).seeds
    assert all(seed.path in COPILOT.config_files(request) for seed in seeds)
    return seeds[0].text if seeds else None


def test_without_consent_no_file_of_the_users_is_touched(ask: RequestFor) -> None:
    assert seeded(ask(config={CONFIG: "{}"})) is None


def test_with_consent_the_repository_is_trusted_and_all_else_kept(ask: RequestFor) -> None:
    known = {"firstLaunchAt": "ä", "trustedFolders": ["/other"]}
    said = seeded(ask(config={CONFIG: HEAD + json.dumps(known)}, consents=TRUSTING))

    assert said is not None
    assert said.startswith(HEAD + "{")
    assert json.loads(said.removeprefix(HEAD)) == {
        "firstLaunchAt": "ä",
        "trustedFolders": ["/other", "/home/person/shop"],
    }
    assert seeded(ask(config={CONFIG: said}, consents=TRUSTING)) is None


def test_where_there_is_no_file_one_is_made(ask: RequestFor) -> None:
    said = seeded(ask(config={CONFIG: None}, consents=TRUSTING))

    assert said is not None
    assert json.loads(said) == {"trustedFolders": ["/home/person/shop"]}


@pytest.mark.parametrize("text", ["{", "[]", '{"trustedFolders": 5}', "{} // end", "// {}"])
def test_a_file_that_is_not_understood_is_left_alone(text: str, ask: RequestFor) -> None:
    assert seeded(ask(config={CONFIG: text}, consents=TRUSTING)) is None


def test_a_configuration_of_its_own_is_found(ask: RequestFor) -> None:
    environment = {"HOME": "/home/person", "COPILOT_HOME": "/c"}

    assert COPILOT.config_files(ask(environment=environment)) == ("/c/config.json",)
    assert COPILOT.config_files(ask(environment={})) == ()


# --- its screen -----------------------------------------------------------------------------------


def screen(name: str) -> str:
    return (SCREENS / f"copilot-{name}.txt").read_text()


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("trust", SaysWaiting("trust in this directory", "trust")),
        ("login", SaysWaiting("a login", "login")),
        ("permission", SaysWaiting("permission", "permission")),
        ("question", SaysWaiting("an answer", "question")),
        ("plan", SaysWaiting("a verdict on its plan", "plan")),
        ("working", None),
        ("interrupted", None),
        ("failed", None),
    ],
)
def test_its_screen_shows(name: str, signal: Signal | None) -> None:
    assert COPILOT.read_screen(screen(name)) == (() if signal is None else (signal,))


def test_a_dialog_that_was_answered_is_history() -> None:
    bottom = "\n".join(screen("working").splitlines()[-4:])

    assert COPILOT.read_screen(screen("trust") + bottom) == ()
    assert COPILOT.read_screen(screen("login") + screen("working")) == ()
    assert COPILOT.read_screen("") == ()


def test_a_dialog_that_is_not_known_needs_a_person() -> None:
    unknown = screen("trust").replace("Do you trust", "Do you like")

    assert COPILOT.read_screen(unknown) == (SaysWaiting("an answer to the dialog in its pane"),)


LONG = "and much more of it " * 10


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("input-empty", ""),
        ("input-typed", "mind the tests"),
        ("input-long", f"mind the tests {LONG}".strip()),
        ("input-slash", "/add-dir"),
        ("input-shell", "!ls"),
        ("interrupted", ""),
        ("permission", None),
        ("question", None),
        ("plan", None),
        ("trust", None),
    ],
)
def test_its_input_line_is_read(name: str, typed: str | None) -> None:
    line = COPILOT.input_line(screen(name))

    assert (line if line is None else line.replace("\n", " ")) == typed


def test_another_key_is_another_account() -> None:
    one, two = ({"GH_TOKEN": key} for key in ("one", "two"))

    assert traits.account(COPILOT, one, salt="s") == traits.account(COPILOT, one, salt="s")
    assert traits.account(COPILOT, one, salt="s") != traits.account(COPILOT, two, salt="s")
