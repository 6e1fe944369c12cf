"""Each request gets its own answer, or the reason why there is none."""

import json
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
from fake_supervisor import FakeSupervisor, HangUpError, Items, SilenceError
from waiting import until

from fleet import __version__
from fleet.client import Client, connection, starting
from fleet.core.commands import Spawn, Stop
from fleet.errors import FleetError, RefusedError, UsageError
from fleet.paths import Home
from fleet.protocol import Events, List, Show


def _result(request: dict[str, Any], result: Any) -> bytes:
    return json.dumps({"kind": "result", "id": request["id"], "result": result}).encode() + b"\n"


class Scripted:
    """Answers hello; then hands all requests that came in one go to the function appended."""

    def __init__(self, home: Home) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(home.socket()))
        self._listening.listen()
        self._answers: list[Any] = []
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> list[Any]:
        self._thread.start()
        return self._answers

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._thread.join(10)

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection, suppress(OSError):
            connection.sendall(_result(json.loads(connection.recv(1 << 16)), {}))
            asks: list[dict[str, Any]] = []
            while len(asks) < 3 and (chunk := connection.recv(1 << 16)):
                asks += [json.loads(line) for line in chunk.splitlines()]
                if asks[0]["ask"]["call"] == "ls":
                    break
            if asks:
                for piece in until(lambda: self._answers)[0](asks):
                    connection.sendall(piece)
            connection.recv(1)


def test_an_answer_is_what_the_supervisor_said(fake: FakeSupervisor) -> None:
    fake.answers["ls"] = [{"task": "a"}]
    with Client.connect(fake.home, start=False) as client:
        assert client.supervisor["pid"] == 4711
        assert client.ask(List(all=True)) == [{"task": "a"}]
    assert fake.asked[0] == {"call": "hello", "version": __version__}
    assert fake.asked[1]["all"] is True


def test_a_person_asks_unless_an_agent_does(
    fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client.connect(fake.home, start=False):
        pass
    monkeypatch.setenv("FLEET_TASK", "importer")
    with Client.connect(fake.home, start=False):
        pass
    assert fake.actors == ["person", "importer"]


def test_a_refusal_keeps_its_reason_hint_and_code(fake: FakeSupervisor) -> None:
    error = RefusedError("no such task", hint="type: fleet ls")
    error.exit_code = 124
    fake.answers["stop"] = error
    with Client.connect(fake.home, start=False) as client, pytest.raises(FleetError) as caught:
        client.ask(Stop(task="x"))
    assert (caught.value.message, caught.value.hint) == ("no such task", "type: fleet ls")
    assert caught.value.exit_code == 124


def test_several_requests_share_a_connection_and_keep_their_order(home: Home) -> None:
    """The answers come in the order of completion, which here is the reverse."""
    with Scripted(home) as lines, Client.connect(home, start=False) as client:
        lines.append(lambda asks: [_result(ask, ask["ask"]["task"]) for ask in reversed(asks)])
        assert client.ask_all([Show(task=name) for name in "abc"]) == ["a", "b", "c"]


def test_a_stream_gives_items_and_then_its_result(fake: FakeSupervisor) -> None:
    fake.answers["events"] = Items([{"seq": 1}, {"seq": 2}], result="end")
    with Client.connect(fake.home, start=False) as client:
        stream = client.stream(Events())
        assert [item["seq"] for item in stream] == [1, 2]
        assert stream.result == "end"
        assert stream.wait(0) is None


def test_waiting_for_an_item_ends_when_none_comes(fake: FakeSupervisor) -> None:
    fake.answers["events"] = Items([{"seq": 1}], open_end=True)
    with Client.connect(fake.home, start=False) as client:
        stream = client.stream(Events(follow=True))
        assert stream.wait(10) == {"seq": 1}
        assert stream.wait(0.01) is None
        assert not stream.ended


def test_a_stream_goes_on_while_other_requests_are_answered(fake: FakeSupervisor) -> None:
    fake.answers |= {"events": Items([1, 2, 3], open_end=True), "ls": []}
    with Client.connect(fake.home, start=False) as client:
        stream = client.stream(Events(follow=True))
        assert client.ask(List()) == []
        assert [stream.wait(10) for _ in range(3)] == [1, 2, 3]


def test_a_lost_connection_is_said(fake: FakeSupervisor) -> None:
    fake.answers["ls"] = HangUpError()
    with Client.connect(fake.home, start=False) as client:
        with pytest.raises(FleetError, match="went away") as caught:
            client.ask(List())
        assert caught.value.hint == "type: fleet status"
        with pytest.raises(FleetError, match="went away"):
            client.ask_all([List()] * 3)


def test_an_answer_without_end_is_not_read_for_ever(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINE_LIMIT", 1000)
    with Scripted(home) as lines, Client.connect(home, start=False) as client:
        lines.append(lambda _: [b"x" * 200_000])
        with pytest.raises(FleetError, match="went away"):
            client.ask(List())


def test_an_answer_that_makes_no_sense_names_the_version(home: Home) -> None:
    with Scripted(home) as lines, Client.connect(home, start=False) as client:
        lines.append(lambda _: [b'{"kind": "oracle"}\n'])
        with pytest.raises(FleetError, match=f"makes no sense to fleet {__version__}"):
            client.ask(List())


def test_a_failure_of_the_connection_itself_is_raised(home: Home) -> None:
    failure = b'{"kind": "failure", "id": 0, "message": "unknown request"}\n'
    with Scripted(home) as lines, Client.connect(home, start=False) as client:
        lines.append(lambda _: [failure])
        with pytest.raises(FleetError, match="unknown request"):
            client.ask(List())


def test_a_reply_to_nobody_is_passed_over(home: Home) -> None:
    with Scripted(home) as lines, Client.connect(home, start=False) as client:
        lines.append(lambda asks: [b'{"kind":"item","id":99,"item":1}\n', _result(asks[0], "ok")])
        assert client.ask(List()) == "ok"


def test_a_request_that_is_too_long_is_refused_before_it_is_sent(fake: FakeSupervisor) -> None:
    with Client.connect(fake.home, start=False) as client:
        with pytest.raises(UsageError, match="too long"):
            client.ask(Spawn(cwd="/", prompt="x" * (4 << 20), environment={}))
        assert fake.calls("spawn") == []


def test_a_supervisor_that_does_not_answer_is_not_waited_for_for_ever(
    fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HELLO_S", 0.05)
    fake.answers["hello"] = SilenceError()
    with pytest.raises(FleetError, match="does not answer"):
        Client.connect(fake.home, start=False)


def test_an_older_supervisor_begins_anew_and_is_asked_again(home: Home) -> None:
    old = FakeSupervisor(home, {"hello": {"restarting": True}})
    new: list[FakeSupervisor] = []

    def restart() -> None:
        until(lambda: old.asked)
        old.close()
        new.append(FakeSupervisor(home, {"ls": "new"}))

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        with Client.connect(home, start=False) as client:
            assert client.ask(List()) == "new"
    finally:
        thread.join()
        new[0].close()


def test_a_supervisor_that_begins_anew_again_and_again_is_given_up(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START_S", 0.2)
    fake = FakeSupervisor(home, {"hello": {"restarting": True}})
    with pytest.raises(FleetError, match="could not become this version"):
        Client.connect(home, start=False)
    fake.close()


def test_one_that_dies_as_we_come_is_not_the_one_that_is_asked(home: Home) -> None:
    new: list[FakeSupervisor] = []

    def die() -> None:
        with dying.accept()[0]:
            dying.close()
            home.socket().unlink()
            new.append(FakeSupervisor(home, {"ls": "new"}))

    with socket.socket(socket.AF_UNIX) as dying:
        dying.bind(str(home.socket()))
        dying.listen()
        thread = threading.Thread(target=die)
        thread.start()
        try:
            with Client.connect(home, start=False) as client:
                assert client.ask(List()) == "new"
        finally:
            thread.join()
            new[0].close()


def test_two_that_die_as_we_come_are_enough(fake: FakeSupervisor) -> None:
    fake.answers["hello"] = HangUpError()
    with pytest.raises(FleetError, match="went away"):
        Client.connect(fake.home, start=False)
    assert len(fake.asked) == 2


def test_a_refused_greeting_is_raised(fake: FakeSupervisor) -> None:
    fake.answers["hello"] = RefusedError("this ledger is newer")
    with pytest.raises(FleetError, match="newer"):
        Client.connect(fake.home, start=False)
