"""The control connection against a real tmux, and against programs that misbehave."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import libtmux
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux.control import Control, TmuxGoneError
from fleet.tools.tmux.server import Server

NASTY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@pytest.fixture
def control(running: Server) -> Control:
    return running.connection()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(NASTY)
@example("a; kill-server ;")
@example(";")
@example('\'"\\"')
@example("~")
@example("$HOME ${HOME} #{pid} #(touch x) %% %H")
@example("# comment\n # more\n%if 1\n")
@example("{ } \\n \\\\ \x01\x1b[2J\x7f\r\n\t é 🙂 \u0085")
@example("-n")
def test_any_text_arrives_as_it_was_given(control: Control, short: Path, text: str) -> None:
    control.command("set-buffer", "-b", "x", "--", f"<{text}")
    control.command("set-option", "-s", "@x", text)
    control.command("save-buffer", "-b", "x", str(short / "out"))

    assert (short / "out").read_bytes() == f"<{text}".encode()
    assert "_hub" in control.command("list-sessions", "-F", "#{session_name}")


def test_a_path_that_is_not_utf8_arrives_as_it_is(control: Control, short: Path) -> None:
    odd = short / os.fsdecode(b"odd-\xff")

    control.command("set-buffer", "-b", "x", "content")
    control.command("save-buffer", "-b", "x", str(odd))

    assert odd.read_text() == "content"


def test_a_refusal_tells_tmuxs_reason_and_keeps_arguments_secret(control: Control) -> None:
    with pytest.raises(ToolError, match="new-session: unknown flag") as refused:
        control.command("new-session", "-Z", "-e", "KEY=secret")

    assert not isinstance(refused.value, TmuxGoneError)
    assert "secret" not in repr(vars(refused.value))
    assert control.command("display-message", "-p", "on") == ["on"]


def test_a_pipeline_answers_in_order_whatever_fails(control: Control) -> None:
    commands = [("display-message", "-p", "1"), ("bogus",), ("display-message", "-p", "3")]

    first, second, third = control.pipeline(commands)

    assert (first, third) == (["1"], ["3"])
    assert isinstance(second, ToolError)
    assert control.pipeline([]) == []


def test_a_group_ends_with_its_first_failure(control: Control) -> None:
    with pytest.raises(ToolError, match="has-session"):
        control.group(
            [("set", "-s", "@a", "1"), ("has-session", "-t", "=no"), ("set", "-s", "@a", "2")]
        )

    assert control.command("show", "-s", "-v", "@a") == ["1"]


def test_each_thread_gets_its_own_answers(control: Control) -> None:
    def ask(number: int) -> list[str]:
        return control.command("display-message", "-p", f"{number}")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))) == [[f"{number}"] for number in range(200)]


def test_more_than_any_buffer_holds_goes_through(control: Control) -> None:
    long = "x" * 500

    answers = control.pipeline([("display-message", "-p", long)] * 3000, timeout_s=30)

    assert answers == [[long]] * 3000


@pytest.fixture
def stuck(running: Server, control: Control) -> Iterator[Control]:
    pid = running.pid()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    yield control
    os.kill(pid, signal.SIGCONT)


def test_a_reply_that_does_not_come_ends_the_connection(stuck: Control) -> None:
    with pytest.raises(ToolError, match="does not answer") as late:
        stuck.command("list-panes", timeout_s=0.05)

    assert not isinstance(late.value, TmuxGoneError)
    assert stuck.closed
    with pytest.raises(TmuxGoneError):
        stuck.command("display-message", "-p", "the next one's answer")


def test_a_second_thread_waits_no_longer_than_it_said(stuck: Control) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(stuck.command, "list-panes", timeout_s=0.3)
        until(stuck._lock.locked)
        with pytest.raises(ToolError, match="busy"):
            stuck.command("list-panes", timeout_s=0.05)
        with pytest.raises(ToolError, match="does not answer"):
            first.result()


def test_the_end_of_the_server_is_told(running: Server, control: Control) -> None:
    pid = running.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)

    with pytest.raises(TmuxGoneError, match="the tmux server is gone") as gone:
        control.command("list-panes")

    assert gone.value.hint == "fleet up starts it again"


def test_it_takes_no_output_and_no_size(running: Server, control: Control) -> None:
    witness = libtmux.Server(socket_path=running.socket)
    [client] = witness.cmd("list-clients", "-F", "#{client_flags}").stdout

    assert {"no-output", "ignore-size", "control-mode"} <= set(client.split(","))


def test_what_tmux_says_unasked_is_kept(control: Control) -> None:
    control.command("rename-session", "-t", "=_hub", "_hub2")
    control.command("rename-session", "-t", "=_hub2", "_hub")
    control.command("list-panes")

    assert any("_hub2" in notice for notice in control.notices)


def fake(script: str) -> Control:
    return Control.open(["sh", "-c", script], env=dict(os.environ), timeout_s=5)


GREETING = "printf '%%begin 1 1 0\\n%%end 1 1 0\\n'; read line; "


@pytest.fixture
def liar() -> Iterator[Control]:
    control = fake(
        GREETING + "printf '%%begin 1 2 1\\n%%end 1 2 1\\n%%begin 1 3 1\\n%%end 1 3 1\\n'; cat"
    )
    yield control
    control.close()


def test_an_answer_to_no_question_ends_the_connection(liar: Control) -> None:
    with pytest.raises(TmuxGoneError, match="nobody asked"):
        liar.command("list-panes")

    assert liar.closed


def test_what_tmux_runs_for_itself_is_nobodys_answer() -> None:
    control = fake(
        GREETING
        + r"printf '%%begin 1 2 0\nhook\n%%end 1 2 0\n%%begin 1 3 1\nmine\n%%end 1 3 1\n'; cat"
    )

    assert control.command("list-panes") == ["mine"]
    control.close()


def test_a_client_that_is_refused_says_why() -> None:
    with pytest.raises(ToolError, match="tmux attach: no such thing"):
        fake("printf '%%begin 1 1 0\\nno such thing\\n%%error 1 1 0\\n'; cat")


def test_a_client_that_ends_at_once_says_why() -> None:
    with pytest.raises(TmuxGoneError, match="lost server"):
        fake("echo lost server >&2")


def test_a_client_that_breaks_off_is_gone() -> None:
    with pytest.raises(TmuxGoneError, match="detached by force"):
        fake(GREETING + "echo %exit detached by force").command("list-panes")


def test_a_program_that_is_missing_is_named(short: Path) -> None:
    with pytest.raises(ToolError, match="cannot start tmux: No such file"):
        Control.open([str(short / "tmux")], env={})
