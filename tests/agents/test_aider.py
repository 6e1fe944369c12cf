"""How aider is started: on a prompt in a file, without a person, and without a trace."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.agents import traits
from fleet.agents.adapter import Request, SaysWaiting
from fleet.agents.aider.adapter import AiderAdapter

RequestFor = Callable[..., Request]
AIDER = AiderAdapter()
SCREENS = Path(__file__).parent.parent / "data" / "screens"


def test_its_prompt_and_what_it_keeps_are_in_the_runs_directory(request_for: RequestFor) -> None:
    launch = AIDER.launch(request_for("Say\nhello."))

    assert launch.argv[0] == "aider"
    assert launch.argv[-4:] == (
        "--chat-history-file=/h/tasks/hello/runs/1/chat.md",
        "--input-history-file=/h/tasks/hello/runs/1/input.history",
        "--message-file=/h/tasks/hello/runs/1/prompt.txt",
        "--map-tokens=0",
    )
    assert launch.files == {"prompt.txt": "Say\nhello."}


def test_it_asks_nobody_and_leaves_no_trace(request_for: RequestFor) -> None:
    launch = AIDER.launch(request_for())

    assert {"--yes-always", "--no-suggest-shell-commands", "--no-check-update"} <= {*launch.argv}
    assert {"--no-gitignore", "--no-attribute-author", "--no-attribute-committer"} <= {*launch.argv}
    assert launch.env["BROWSER"] == "true"
    assert (AIDER.converses, AIDER.done) == (False, "exit")


@pytest.mark.parametrize("prompt", ["/etc/hosts is wrong", "!rm is too much", "!"])
def test_no_prompt_is_one_of_its_commands(prompt: str, request_for: RequestFor) -> None:
    assert AIDER.launch(request_for(prompt)).files == {"prompt.txt": f"\n{prompt}"}


def test_model_and_effort_are_as_asked(request_for: RequestFor) -> None:
    argv = AIDER.launch(request_for(model="anthropic/x", effort="high")).argv

    assert argv[-2:] == ("--model=anthropic/x", "--reasoning-effort=high")


@pytest.mark.parametrize("place", [0, 1])
def test_it_has_a_map_only_where_git_ignores_that(place: int, request_for: RequestFor) -> None:
    environment = {"HOME": "/home/person"}
    files = AIDER.config_files(request_for(environment=environment))
    config = {files[place]: "build/\n.aider*\n"}

    assert files == ("/h/w/shop/001/.gitignore", "/home/person/.config/git/ignore")
    mapped = AIDER.launch(request_for(environment=environment, config=config))
    assert "--map-tokens=0" not in mapped.argv
    assert "--map-tokens=0" in AIDER.launch(request_for(config={files[place]: "# .aider*"})).argv


def test_a_later_attempt_reads_what_earlier_ones_left(request_for: RequestFor) -> None:
    argv = AIDER.launch(request_for(attempt=2)).argv

    assert "--read=/h/tasks/hello/notes.md" in argv
    assert not [word for word in AIDER.launch(request_for()).argv if word.startswith("--read=")]


def test_a_name_that_is_in_the_environment_alone_is_told_to_git(request_for: RequestFor) -> None:
    """It would write a made-up one into the repository's configuration."""
    name = {"GIT_AUTHOR_NAME": "A Person", "GIT_AUTHOR_EMAIL": "a@b.invalid"}
    env = AIDER.launch(request_for(environment=name)).env

    assert (
        env.items()
        >= {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "A Person",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "a@b.invalid",
        }.items()
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"GIT_AUTHOR_NAME": "A Person"},
        {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_CONFIG_COUNT": "1"},
    ],
)
def test_git_is_told_nothing_that_is_not_known(
    environment: dict[str, str], request_for: RequestFor
) -> None:
    assert AIDER.launch(request_for(environment=environment)).env == {"BROWSER": "true"}


def test_it_wants_a_login_where_it_has_no_key() -> None:
    screen = (SCREENS / "aider-login.txt").read_text()

    assert AIDER.read_screen(screen) == (SaysWaiting("a login", "login"),)
    assert AIDER.read_screen(screen + "a\nb\nc\nd\n") == ()


def test_another_key_is_another_account() -> None:
    one, two = ({"ANTHROPIC_API_KEY": key} for key in ("one", "two"))

    assert traits.account(AIDER, one, salt="s") == traits.account(AIDER, one, salt="s")
    assert traits.account(AIDER, one, salt="s") != traits.account(AIDER, two, salt="s")
