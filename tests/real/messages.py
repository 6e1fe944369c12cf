"""The Messages API of Anthropic, as far as an agent at work needs it."""

import json
import uuid
from collections.abc import Sequence

from real.api import TICK_S, Asked, Handler, now, pieces, tokens
from real.scenarios import END, Json, Said, Step

KEY = "sk-ant-api03-not-a-key-0123456789abcdefghij"
_MODELS = ("claude-opus-fake", "claude-haiku-fake")
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class Messages(Handler):
    """Answers one request."""

    def get(self) -> None:
        models = [{"type": "model", "id": name, "display_name": name} for name in _MODELS]
        self.whole(200, {"data": models, "has_more": False} if "/models" in self.path else {})

    def post(self) -> None:
        body = self.body()
        asked = self.note(
            Asked(
                now(),
                self.path,
                body,
                talk_of(body.get("messages", ())),
                work=self.is_work(body),
                conversation=self.headers.get("x-claude-code-session-id", ""),
            )
        )
        if "/count_tokens" in self.path:
            self.whole(200, {"input_tokens": tokens(body)})
        elif "/messages" in self.path:
            self._answer(body, self.step(asked) if asked.work else Step(END))
        else:
            self.whole(404, error_of(Step(status=404, message="no such thing")))

    def is_work(self, body: Json) -> bool:
        """Whether a model is to work: for a title, or to see its quota, it gets no tools."""
        return bool(body.get("tools"))

    def step(self, asked: Asked) -> Step:
        """Return what the model does next."""
        return self.api.step(asked)

    def _answer(self, body: Json, step: Step) -> None:
        if self.ends_in(step.silent_s):
            return
        if step.status != 200:
            self.whole(step.status, error_of(step), step.headers)
        elif body.get("stream"):
            self._stream(body, step)
        else:
            self.whole(200, _head(body, step) | {"content": self._blocks(step)} | _end(step))

    def _stream(self, body: Json, step: Step) -> None:
        self.begin_stream()
        self._event("message_start", message=_head(body, step) | {"content": []})
        for index, block in enumerate(self._blocks(step)):
            self._block(index, block, step.lasts_s if block["type"] == "text" else 0.0)
        end = _end(step)
        usage = end.pop("usage")
        self._event("message_delta", delta=end, usage={"output_tokens": usage["output_tokens"]})
        self._event("message_stop")
        self.end_stream()

    def _block(self, index: int, block: Json, lasts_s: float) -> None:
        if block["type"] == "text":
            kind, field, text = "text_delta", "text", str(block["text"])
            empty = block | {"text": ""}
        else:
            kind, field, text = "input_json_delta", "partial_json", json.dumps(block["input"])
            empty = block | {"input": {}}
        self._event("content_block_start", index=index, content_block=empty)
        for piece in pieces(text, lasts_s):
            if lasts_s and self.ends_in(TICK_S):
                return
            self._event("content_block_delta", index=index, delta={"type": kind, field: piece})
        self._event("content_block_stop", index=index)

    def _event(self, name: str, **content: object) -> None:
        self.event({"type": name, **content}, name)

    def _blocks(self, step: Step) -> list[Json]:
        blocks: list[Json] = [{"type": "text", "text": step.text}] if step.text else []
        if step.tool is not None:
            name, given = self.api.call(step.tool)
            call = {"id": f"toolu_{uuid.uuid4().hex[:20]}", "name": name, "input": given}
            blocks.append({"type": "tool_use", **call})
        return blocks


def talk_of(messages: Sequence[Json]) -> list[Said]:
    """Return what was said."""
    return [_said(one) for one in messages]


def _said(message: Json) -> Said:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = (str(it["text"]) for it in parts if it.get("type") == "text")
    results = (_result(it) for it in parts if it.get("type") == "tool_result")
    role = str(message["role"])
    return Said("model" if role == "assistant" else role, tuple(texts), tuple(results))


def _result(block: Json) -> str:
    content = block.get("content", "")
    if isinstance(content, str):
        return content
    return "\n".join(str(it.get("text", "")) for it in content)


def _head(body: Json, step: Step) -> Json:
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", _MODELS[0]),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": step.input_tokens or tokens(body),
            "output_tokens": 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def _end(step: Step) -> Json:
    return {
        "stop_reason": "tool_use" if step.tool else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": step.input_tokens or 1,
            "output_tokens": max(1, len(step.text) // 4),
        },
    }


def error_of(step: Step) -> Json:
    kind = _ERRORS.get(step.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": step.message}}
