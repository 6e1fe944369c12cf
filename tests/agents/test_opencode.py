"""How opencode is started: with the user's own configuration, and a plugin of fleet's beside it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.agents.adapter import Launch, Request
from fleet.agents.opencode.adapter import OpencodeAdapter
from fleet.agents.prompts import LONGEST_ARGUMENT

RequestFor = Callable[..., Request]
OPENCODE = OpencodeAdapter()
SCREENS = Path(__file__).parent.parent / "data" / "screens"
RUN = "/h/tasks/hello/runs/1"
PLUGIN = f"file://{RUN}/opencode-fleet.js"
CONTENT = "OPENCODE_CONFIG_CONTENT"
OWN = [
    ["external_directory", "/h/tasks/hello/*", "allow"],
    ["external_directory", f"{RUN}/*", "allow"],
    ["edit", "../../../tasks/hello/notes.md", "allow"],
]


def options(launch: Launch) -> Any:
    return json.loads(launch.files["opencode-fleet.json"])


def config(launch: Launch) -> Any:
    return json.loads(launch.env[CONTENT])


def test_it_starts_afresh_with_its_prompt_and_the_plugin(request_for: RequestFor) -> None:
    launch = OPENCODE.launch(request_for())

    assert launch.argv == ("opencode", "--prompt=Say hello.")
    assert config(launch) == {"plugin": [PLUGIN]}
    assert launch.env["OPENCODE_DISABLE_AUTOUPDATE"] == "1"
    assert launch.files.keys() == {"opencode-fleet.js", "opencode-fleet.json"}
    assert "bin/fleet-hook" in launch.files["opencode-fleet.js"]
    assert options(launch) == {"title": "fleet: hello", "rules": OWN}
    assert launch.seeds == ()


def test_a_conversation_is_taken_up_again_by_the_plugin(request_for: RequestFor) -> None:
    request = request_for(conversation="ses_1", messages=("Mind\nthe tests.",), model="a/b/c")
    launch = OPENCODE.launch(request)

    assert launch.argv == ("opencode", "--model", "a/b/c", "--session", "ses_1")
    assert launch.files["prompt.txt"] == "Mind\nthe tests."
    assert options(launch) == {
        "title": "fleet: hello",
        "rules": OWN,
        "session": "ses_1",
        "prompt": f"{RUN}/prompt.txt",
        "model": {"providerID": "a", "modelID": "b/c"},
    }


def test_a_prompt_too_long_for_an_argument_is_read_from_a_file(request_for: RequestFor) -> None:
    prompt = "ä" * LONGEST_ARGUMENT
    launch = OPENCODE.launch(request_for(prompt))

    assert launch.argv[1:] == (f"--prompt=Read {RUN}/prompt.txt and do what it says.",)
    assert launch.files["prompt.txt"] == prompt


@pytest.mark.parametrize(
    ("mode", "words", "rules"),
    [
        (None, (), []),
        ("auto", (), []),
        ("ask", (), [["edit", "*", "ask"], ["bash", "*", "ask"], ["webfetch", "*", "ask"]]),
        ("edit", (), [["edit", "*", "allow"], ["bash", "*", "ask"], ["webfetch", "*", "ask"]]),
        ("plan", ("--agent", "plan"), []),
    ],
)
def test_a_mode_is_rules_or_an_agent(
    mode: str | None, words: tuple[str, ...], rules: list[Any], request_for: RequestFor
) -> None:
    launch = OPENCODE.launch(request_for(permission=mode))

    assert launch.argv == ("opencode", *words, "--prompt=Say hello.")
    assert options(launch)["rules"] == [*rules, *OWN]


def test_the_plugin_allows_what_nobody_denies(request_for: RequestFor) -> None:
    assert options(OPENCODE.launch(request_for(permission="auto")))["auto"] is True
    assert "auto" not in options(OPENCODE.launch(request_for(permission="edit")))


def test_an_agent_goes_on_in_its_mode(request_for: RequestFor) -> None:
    launch = OPENCODE.launch(request_for(permission="plan", conversation="ses_1"))

    assert launch.argv == ("opencode", "--agent", "plan", "--session", "ses_1")
    assert options(launch)["agent"] == "plan"


def test_tools_that_need_no_permission_come_after_the_mode(request_for: RequestFor) -> None:
    allow = ("Bash(git *)", "webfetch", "bash(make (all))", "webfetch(http://x/*)", "?!")
    rules = options(OPENCODE.launch(request_for(permission="ask", allow=allow)))["rules"]

    assert rules[3:-3] == [
        ["bash", "git *", "allow"],
        ["webfetch", "*", "allow"],
        ["bash", "make (all)", "allow"],
    ]


def test_its_effort_is_given_by_the_plugin(request_for: RequestFor) -> None:
    assert options(OPENCODE.launch(request_for(effort="high")))["effort"] == "high"


@pytest.mark.parametrize(
    ("theirs", "merged"),
    [
        ('{"theme": "x", "plugin": ["a"]}', {"theme": "x", "plugin": ["a", PLUGIN]}),
        ('{"plugin": "a"}', {"plugin": [PLUGIN]}),
        ("{} // no JSON", {"plugin": [PLUGIN]}),
        ("[1]", {"plugin": [PLUGIN]}),
        ('{"a":' * 100_000, {"plugin": [PLUGIN]}),
        ("", {"plugin": [PLUGIN]}),
    ],
)
def test_what_the_user_says_in_the_same_variable_stays(
    theirs: str, merged: Any, request_for: RequestFor
) -> None:
    assert config(OPENCODE.launch(request_for(environment={CONTENT: theirs}))) == merged


def test_a_path_is_an_address_in_which_nothing_is_filled_in(request_for: RequestFor) -> None:
    launch = OPENCODE.launch(request_for(run_dir="/h/a b/{env:HOME}/ä#?%"))

    assert config(launch)["plugin"] == [
        "file:///h/a%20b/%7Benv%3AHOME%7D/%C3%A4%23%3F%25/opencode-fleet.js"
    ]


# --- its input line -------------------------------------------------------------------------------


def screen(name: str) -> str:
    return (SCREENS / f"opencode-{name}.txt").read_text()


@pytest.mark.parametrize(
    ("name", "stands"),
    [
        ("idle", ""),
        ("home", ""),
        ("typed", "half a thought"),
        ("pasted", "half a thought[Pasted ~1 lines]"),
        ("lines", "one\ntwo"),
        ("wide", "中文 wide"),
        ("shell", "!ls"),
        ("shell-empty", "!"),
    ],
)
def test_its_input_line_holds(name: str, stands: str) -> None:
    assert OPENCODE.input_line(screen(f"input-{name}")) == stands


def test_what_it_offers_for_a_beginning_is_not_nothing() -> None:
    assert "/cle" in (OPENCODE.input_line(screen("input-slash")) or "")


@pytest.mark.parametrize("name", ["permission", "question"])
def test_a_dialog_has_no_input_line(name: str) -> None:
    assert OPENCODE.input_line(screen(name)) is None


def test_what_stands_beside_its_input_line_is_not_in_it() -> None:
    edge = "▀" * 30
    rows = ("  ┃" + " " * 30 + "beside", "  ┃ 中" + " " * 27 + "beside", "  ┃ Build", f"  ╹{edge}")

    assert OPENCODE.input_line("\n".join(rows)) == "中"
    assert OPENCODE.input_line("\n".join(("above", *rows[2:]))) is None


def test_it_does_not_take_itself_for_a_part_of_another(request_for: RequestFor) -> None:
    unset = OPENCODE.launch(request_for()).unset

    assert {"OPENCODE", "OPENCODE_PID", "GIT_DIR", "CLAUDECODE"} <= set(unset)
