from collections.abc import Callable

import pytest
from msgspec.structs import replace

from fleet.agents.adapter import Request, SaysDone
from fleet.agents.command import CommandAdapter
from fleet.agents.traits import default_done
from fleet.core.policy import AgentCommand, Done
from fleet.errors import ConfigError

RequestFor = Callable[..., Request]
COMMAND = AgentCommand("robot", ("robot", "{prompt}"))


def agent(*command: str, **rest: object) -> CommandAdapter:
    return CommandAdapter(replace(COMMAND, command=command or COMMAND.command, **rest))


def argv(adapter: CommandAdapter, request: Request) -> tuple[str, ...]:
    return adapter.launch(request).argv


def test_placeholders_are_filled_in(request_for: RequestFor) -> None:
    robot = agent("robot", "--in={worktree}", "{task}:{model}:{effort}", "{prompt}")
    request = request_for(model="large", effort="high")

    assert argv(robot, request) == (
        *("robot", "--in=/h/w/shop/001", "hello:large:high", "Say hello."),
    )


def test_what_was_filled_in_is_not_filled_in_again(request_for: RequestFor) -> None:
    prompt = "use {worktree} and {prompt} and {nonsense}"

    assert argv(agent(), request_for(prompt)) == ("robot", prompt)


def test_no_word_is_split_or_quoted(request_for: RequestFor) -> None:
    prompt = "a  b; $(c) 'd' \"e\"\nf"

    assert argv(agent("sh", "-c", 'robot "$1"', "sh", "{prompt}"), request_for(prompt)) == (
        *("sh", "-c", 'robot "$1"', "sh", prompt),
    )


def test_other_braces_are_left_alone(request_for: RequestFor) -> None:
    words = ("awk", "{ print }", "${prompt}", "{}", '{"a": 1}', "{{x", "HEAD@{1}")

    assert argv(agent(*words), request_for()) == words


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (("robot", "--model", "{model}", "{prompt}"), ("robot", "P")),
        (("robot", "-m", "{model}", "{prompt}"), ("robot", "P")),
        (("robot", "--model={model}", "{prompt}"), ("robot", "P")),
        (("robot", "--yes", "--model={model}", "{prompt}"), ("robot", "P")),
        (("robot", "--speed=1", "{effort}", "{prompt}"), ("robot", "--speed=1", "P")),
        (("robot", "{prompt}", "{model}"), ("robot", "P")),
        (("robot", "exec", "{model}", "{prompt}"), ("robot", "exec", "P")),
    ],
)
def test_what_has_no_value_is_left_out_with_its_option(
    template: tuple[str, ...], expected: tuple[str, ...], request_for: RequestFor
) -> None:
    assert argv(agent(*template), request_for("P")) == expected


def test_a_prompt_that_looks_like_an_option_is_no_option(request_for: RequestFor) -> None:
    assert argv(agent("robot", "{prompt}", "{model}"), request_for("-x")) == ("robot", "-x")


def test_the_prompt_can_be_read_from_a_file(request_for: RequestFor) -> None:
    launch = agent("robot", "--file", "{prompt_file}").launch(request_for())

    assert launch.argv == ("robot", "--file", "/h/tasks/hello/runs/1/prompt.txt")
    assert launch.files == {"prompt.txt": "Say hello."}
    assert agent().launch(request_for()).files == {}


def test_a_prompt_too_long_for_an_argument_is_named(request_for: RequestFor) -> None:
    prompt = "ä" * 70_000
    launch = agent().launch(request_for(prompt))

    assert launch.argv == ("robot", "Read /h/tasks/hello/runs/1/prompt.txt and do what it says.")
    assert launch.files == {"prompt.txt": prompt}


def test_variables_are_filled_in_and_left_out_alike(request_for: RequestFor) -> None:
    env = {"PROMPT": "{prompt_file}", "MODEL": "{model}", "PLAIN": "1", "EMPTY": ""}
    launch = agent("robot", env=env).launch(request_for())

    assert launch.env == {
        "PROMPT": "/h/tasks/hello/runs/1/prompt.txt",
        "PLAIN": "1",
        "EMPTY": "",
    }
    assert launch.files == {"prompt.txt": "Say hello."}


RESUMING = ("robot", "--resume", "{conversation}", "{prompt}")


def test_a_conversation_is_taken_up_again(request_for: RequestFor) -> None:
    robot = agent(resume=RESUMING)
    request = request_for(conversation="c-1", messages=("Mind the tests.", "And the docs."))

    assert argv(robot, request_for()) == ("robot", "Say hello.")
    assert argv(robot, request) == (
        *("robot", "--resume", "c-1", "Mind the tests.\n\nAnd the docs."),
    )
    assert argv(robot, replace(request, messages=()))[-1] == "Go on where you stopped."


def test_an_agent_that_cannot_resume_is_told_everything_anew(request_for: RequestFor) -> None:
    robot = agent("robot", "--resume", "{conversation}", "{prompt}")

    assert argv(robot, request_for(conversation="c-1", messages=("Mind the tests.",))) == (
        *("robot", "Say hello.\n\nMind the tests."),
    )


def test_only_an_agent_that_reads_is_sent_to_the_notes(request_for: RequestFor) -> None:
    second = request_for(attempt=2)

    assert argv(agent(), second) == ("robot", "Say hello.")
    assert "/h/tasks/hello/notes.md" in argv(agent(converses=True), second)[1]
    assert argv(agent(converses=True), request_for()) == ("robot", "Say hello.")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (replace(COMMAND, command=("robot", "{promt}")), 'unknown placeholder "{promt}"'),
        (replace(COMMAND, command=("robot", "{file}")), 'unknown placeholder "{file}"'),
        (replace(COMMAND, resume=("robot", "{session}")), 'unknown placeholder "{session}"'),
        (replace(COMMAND, env={"X": "{x}"}), 'unknown placeholder "{x}"'),
        (replace(COMMAND, command=("{prompt}",)), "name of a program"),
        (replace(COMMAND, resume=("{model}", "x")), "name of a program"),
        (replace(COMMAND, command=()), "name of a program"),
        (replace(COMMAND, env={"FLEET_RUN": "x"}), "FLEET_RUN is set by fleet itself"),
    ],
)
def test_what_is_not_understood_is_refused_at_once(command: AgentCommand, why: str) -> None:
    with pytest.raises(ConfigError, match=r"^agents\.robot: ") as refusal:
        CommandAdapter(command)

    assert why in refusal.value.message
    assert "{prompt_file}" in str(refusal.value.hint)


@pytest.mark.parametrize(
    ("first", "program"),
    [("robot", "robot"), ("/opt/robot", "/opt/robot"), ("./robot.sh", None), ("bin/r", None)],
)
def test_its_program_is_the_first_word(first: str, program: str | None) -> None:
    assert agent(first, "{prompt}").program() == program


@pytest.mark.parametrize(
    ("converses", "done", "has_checks", "expected"),
    [
        (False, None, False, "exit"),
        (True, None, False, "manual"),
        (False, None, True, "turn"),
        (True, None, True, "turn"),
        (True, "exit", False, "exit"),
        (True, "manual", True, "manual"),
    ],
)
def test_when_its_runs_end(
    *, converses: bool, done: Done | None, has_checks: bool, expected: Done
) -> None:
    robot = agent(converses=converses, done=done)

    assert default_done(robot, has_checks=has_checks) == expected


def test_it_has_as_many_attempts_as_configured() -> None:
    assert agent().attempts == 1
    assert agent(attempts=5).attempts == 5


def test_it_reports_by_the_generic_hooks() -> None:
    assert agent().read_hook("done", b"{}") == (SaysDone(),)


def test_it_reports_where_its_configuration_says_so() -> None:
    assert not agent().reports
    assert agent(reports=True).reports
