"""A fake of the Messages API on this machine: it streams what `scenarios` says, to any number.

Each request is kept in `Api.log`, so that a test can see what an agent was really sent.
"""

import contextlib
import json
import math
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from real.scenarios import END, Json, Step, error_of, step_of

KEY = "sk-ant-api03-not-a-key-0123456789abcdefghij"
_MODELS = ("claude-opus-fake", "claude-haiku-fake")
_TICK_S = 0.25


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    at: float
    path: str
    conversation: str
    body: Json


class Api(ThreadingHTTPServer):
    """The server; `url` is where it listens, on the loopback only."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log: list[Asked] = []
        self.troubles: set[str] = set()
        self.ending = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that is killed leaves a torn connection, which is no fault."""


@contextlib.contextmanager
def serving() -> Iterator[Api]:
    api = Api()
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        api.ending.set()
        api.shutdown()
        api.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _api(self) -> Api:
        assert isinstance(self.server, Api)
        return self.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name is not ours
        """Keep quiet: the log is `Api.log`."""

    def do_HEAD(self) -> None:
        self._whole(200, {})

    def do_GET(self) -> None:
        models = [{"type": "model", "id": name, "display_name": name} for name in _MODELS]
        self._whole(200, {"data": models, "has_more": False} if "/models" in self.path else {})

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"{}")
        conversation = self.headers.get("x-claude-code-session-id", "")
        self._api.log.append(Asked(time.time(), self.path, conversation, body))
        if "/count_tokens" in self.path:
            self._whole(200, {"input_tokens": _tokens(body)})
        elif "/messages" in self.path:
            # What comes without tools is no work: a title, or whether there is a quota.
            self._answer(
                body, step_of(body, self._api.troubles) if body.get("tools") else Step(END)
            )
        else:
            self._whole(404, error_of(Step(status=404, message="no such thing")))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, body: Json, step: Step) -> None:
        if self._api.ending.wait(step.silent_s) if step.silent_s else False:
            return
        if step.status != 200:
            self._whole(step.status, error_of(step), step.headers)
        elif body.get("stream"):
            self._stream(body, step)
        else:
            self._whole(200, _head(body, step) | {"content": _blocks(step)} | _end(step))

    def _whole(self, status: int, content: Json, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        common = {"content-type": "application/json", "request-id": f"req_{uuid.uuid4().hex[:16]}"}
        for name, value in {**common, "content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, body: Json, step: Step) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self._event("message_start", message=_head(body, step) | {"content": []})
        for index, block in enumerate(_blocks(step)):
            self._block(index, block, step.lasts_s if block["type"] == "text" else 0.0)
        end = _end(step)
        usage = end.pop("usage")
        self._event("message_delta", delta=end, usage={"output_tokens": usage["output_tokens"]})
        self._event("message_stop")
        self.wfile.write(b"0\r\n\r\n")

    def _block(self, index: int, block: Json, lasts_s: float) -> None:
        if block["type"] == "text":
            kind, field, text = "text_delta", "text", str(block["text"])
            empty = block | {"text": ""}
        else:
            kind, field, text = "input_json_delta", "partial_json", json.dumps(block["input"])
            empty = block | {"input": {}}
        self._event("content_block_start", index=index, content_block=empty)
        pieces = max(1, math.ceil(lasts_s / _TICK_S))
        size = math.ceil(len(text) / pieces)
        for start in range(0, len(text), size):
            if lasts_s and self._api.ending.wait(_TICK_S):
                return
            delta = {"type": kind, field: text[start : start + size]}
            self._event("content_block_delta", index=index, delta=delta)
        self._event("content_block_stop", index=index)

    def _event(self, name: str, **content: object) -> None:
        data = f"event: {name}\ndata: {json.dumps({'type': name, **content})}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _tokens(body: object) -> int:
    return max(1, len(json.dumps(body)) // 4)


def _head(body: Json, step: Step) -> Json:
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", _MODELS[0]),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": step.input_tokens or _tokens(body),
            "output_tokens": 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _blocks(step: Step) -> list[Json]:
    blocks: list[Json] = [{"type": "text", "text": step.text}] if step.text else []
    if step.tool is not None:
        name = f"toolu_{uuid.uuid4().hex[:20]}"
        call = {"name": step.tool.name, "input": step.tool.given}
        blocks.append({"type": "tool_use", "id": name, **call})
    return blocks


def _end(step: Step) -> Json:
    return {
        "stop_reason": "tool_use" if step.tool else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": step.input_tokens or 1,
            "output_tokens": max(1, len(step.text) // 4),
        },
    }
