"""A supervisor that says what a test told it to say: the wire's other side, in a thread."""

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet import __version__
from fleet.errors import FleetError
from fleet.paths import Home


@dataclass
class Items:
    """Items of a stream, then its result; with `open_end` no result ever."""

    items: Sequence[Any]
    result: Any = None
    open_end: bool = False


class HangUpError(Exception):
    """Close the connection in place of an answer."""


class SilenceError(Exception):
    """Never answer."""


@dataclass
class FakeSupervisor:
    """Answers requests by their call: a value, `Items`, an error to raise, or a function."""

    home: Home
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers.setdefault("hello", {"version": __version__, "pid": 4711, "home": "h"})
        self._connections: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.home.socket()))
        self._listening.listen(16)
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def calls(self, call: str) -> list[dict[str, Any]]:
        """Return the requests of one kind, in the order in which they came."""
        return [ask for ask in self.asked if ask["call"] == call]

    def close(self) -> None:
        _hang_up(self._listening)
        self._join(self._threads[:1])  # from here on no connection is added
        for connection in self._connections:
            _hang_up(connection)
        self.home.socket().unlink(missing_ok=True)
        self._join(self._threads[1:])

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(10)

    def _run(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            try:
                for line in lines:
                    for reply in self._replies(json.loads(line)):
                        connection.sendall(json.dumps(reply).encode() + b"\n")
            except HangUpError:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _replies(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        number, ask = request["id"], request["ask"]
        self.asked.append(ask)
        self.actors.append(request["actor"])
        answer = self.answers.get(ask["call"])
        try:
            value = answer(ask) if callable(answer) else answer
            if isinstance(value, Exception):
                raise value
        except SilenceError:
            return []
        except FleetError as error:
            failure = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
            return [{"kind": "failure", "id": number, **failure}]
        if not isinstance(value, Items):
            return [{"kind": "result", "id": number, "result": value}]
        items = [{"kind": "item", "id": number, "item": item} for item in value.items]
        end = {"kind": "result", "id": number, "result": value.result}
        return items if value.open_end else [*items, end]


def _hang_up(it: socket.socket) -> None:
    with suppress(OSError):
        it.shutdown(socket.SHUT_RDWR)
    it.close()


def main() -> None:
    """Be the program that clients start: note that it began, then serve until told to end."""
    home, notes = Home(Path(sys.argv[1])), Path(sys.argv[2])
    with notes.open("a") as out:
        out.write(json.dumps({"pid": os.getpid(), "env": dict(os.environ), "cwd": str(Path.cwd())}))
        out.write("\n")
    ended = threading.Event()

    def down(_: dict[str, Any]) -> dict[str, int]:
        ended.set()
        return {"stopped": 0}

    fake = FakeSupervisor(home, {"down": down})
    ended.wait(60)
    fake.close()


if __name__ == "__main__":
    main()
