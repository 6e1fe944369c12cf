"""A model's service on this machine: it answers what `scenarios` says, to any number of agents.

Each request is kept in `Api.log`, so that a test can see what an agent was really sent. What a
service of one maker is like is its `Handler`'s affair.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from real.scenarios import Json, Said, Step, Tool, step_of

TICK_S = 0.25
Tools = Mapping[str, Callable[[Json], tuple[str, Json]]]  # by the kinds of `Tool`


@dataclass(frozen=True)
class Asked:
    """A request as it came: what was said before, and whether it is work or only housekeeping."""

    at: float
    path: str
    body: Json
    talk: Sequence[Said] = ()
    work: bool = True
    conversation: str = ""  # where the agent names it

    @property
    def news(self) -> str:
        """What was said since the model's last answer."""
        answers = [place for place, one in enumerate(self.talk) if one.who == "model"]
        later = self.talk[answers[-1] + 1 if answers else 0 :]
        return "\n".join(text for one in later for text in (*one.texts, *one.results))


class Api(ThreadingHTTPServer):
    """The server; `url` is where it listens, on the loopback only.

    `tools` says which of its tools an agent is to call for a step, and with what.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type["Handler"], tools: Tools) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.tools = tools
        self.log: list[Asked] = []
        self.troubles: set[str] = set()
        self.ending = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def call(self, tool: Tool) -> tuple[str, Json]:
        """Return the name of the agent's tool, and what it is given."""
        return self.tools[tool.kind](tool.given)

    def step(self, asked: Asked) -> Step:
        """Return what the model says next."""
        return step_of(asked.talk, json.dumps(asked.body), self.troubles)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that is killed leaves a torn connection, which is no fault."""


@contextlib.contextmanager
def serving(handler: type["Handler"], tools: Tools) -> Iterator[Api]:
    api = Api(handler, tools)
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        api.ending.set()
        api.shutdown()
        api.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """What all makers' services have in common: how they are written to and answered."""

    protocol_version = "HTTP/1.1"

    @property
    def api(self) -> Api:
        assert isinstance(self.server, Api)
        return self.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name is not ours
        """Keep quiet: the log is `Api.log`."""

    def do_HEAD(self) -> None:
        self.whole(200, {})

    def do_GET(self) -> None:
        self.get()

    def do_POST(self) -> None:
        self.post()

    def get(self) -> None:
        """Answer what was asked without a content."""
        self.whole(404, {})

    def post(self) -> None:
        """Answer a request."""
        raise NotImplementedError

    def body(self) -> Json:
        """Return the request's content."""
        content: Json = json.loads(
            self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}"
        )
        return content

    def note(self, asked: Asked) -> Asked:
        """Keep a request in the log."""
        self.api.log.append(asked)
        return asked

    def ends_in(self, seconds: float) -> bool:
        """Wait; return whether the tests have ended meanwhile."""
        return self.api.ending.wait(seconds) if seconds else False

    def whole(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        """Answer at once."""
        data = json.dumps(content).encode()
        self.send_response(status)
        common = {"content-type": "application/json", "content-length": str(len(data))}
        for name, value in {**common, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def begin_stream(self) -> None:
        """Answer by events, each as soon as it is there."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def event(self, content: object, name: str = "") -> None:
        """Send one event of a stream."""
        head = f"event: {name}\n" if name else ""
        data = f"{head}data: {json.dumps(content)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def end_stream(self) -> None:
        """Send the end of a stream."""
        self.wfile.write(b"0\r\n\r\n")


def now() -> float:
    return time.time()


def pieces(text: str, lasts_s: float) -> Iterator[str]:
    """Cut a text as a model that takes so long for it would send it."""
    count = max(1, round(lasts_s / TICK_S))
    size = max(1, -(-len(text) // count))
    return (text[start : start + size] for start in range(0, len(text), size))


def tokens(content: object) -> int:
    return max(1, len(json.dumps(content)) // 4)
