"""The Responses API of OpenAI, as far as an agent at work needs it."""

import itertools
import json
import uuid
from collections.abc import Iterable, Iterator

from real.api import TICK_S, Asked, Handler, now, pieces, tokens
from real.scenarios import END, Json, Said, Step

_CALLS = frozenset({"function_call", "custom_tool_call"})
# What an agent tells of itself comes as a user's message, too.
_ABOUT_ITSELF = ("<", "# AGENTS.md")
_ERRORS = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    403: "forbidden",
    429: "rate_limit_exceeded",
    500: "server_error",
}


class Responses(Handler):
    """Answers one request."""

    def get(self) -> None:
        self.whole(200, {"object": "list", "data": [], "models": []})

    def post(self) -> None:
        body = self.body()
        # What comes without tools is no work: a title, or a summary of what was said.
        asked = self.note(
            Asked(
                now(),
                self.path,
                body,
                talk_of(body.get("input", ())),
                work=bool(body.get("tools")),
                conversation=str(self.headers.get("session-id") or ""),
            )
        )
        if self.path.endswith("/responses"):
            self._answer(body, self.api.step(asked) if asked.work else Step(END))
        else:
            self.whole(404, error_of(Step(status=404, message="no such thing")))

    def _answer(self, body: Json, step: Step) -> None:
        if self.ends_in(step.silent_s):
            return
        if step.status != 200:
            self.whole(step.status, error_of(step), step.headers)
            return
        self.begin_stream()
        self._event("response.created", response=_response(body, step, "in_progress", []))
        items = list(self._items(step))
        for place, item in enumerate(items):
            if not self._item(place, item, step.lasts_s):
                return
        self._event("response.completed", response=_response(body, step, "completed", items))
        self.end_stream()

    def _item(self, place: int, item: Json, lasts_s: float) -> bool:
        """Send one; return whether there is to be more."""
        empty: Json = {"content": []} if item["type"] == "message" else {"arguments": ""}
        begun = {**item, **empty, "status": "in_progress"}
        self._event("response.output_item.added", output_index=place, item=begun)
        for piece in pieces(item["content"][0]["text"], lasts_s) if "content" in item else ():
            if lasts_s and self.ends_in(TICK_S):
                return False
            where = {"item_id": item["id"], "output_index": place, "content_index": 0}
            self._event("response.output_text.delta", **where, delta=piece)
        self._event("response.output_item.done", output_index=place, item=item)
        return True

    def _event(self, name: str, **content: object) -> None:
        self.event({"type": name, **content}, name)

    def _items(self, step: Step) -> Iterator[Json]:
        if step.text:
            text = {"type": "output_text", "text": step.text, "annotations": []}
            yield _whole("message", "msg", role="assistant", content=[text])
        if step.tool is not None:
            name, given = self.api.call(step.tool)
            call = f"call_{uuid.uuid4().hex[:20]}"
            arguments = json.dumps(given)
            yield _whole("function_call", "fc", call_id=call, name=name, arguments=arguments)


def talk_of(items: Iterable[Json]) -> list[Said]:
    """Return what was said: all that a model says at once is one message."""
    said = (_said(it) for it in items)
    grouped = itertools.groupby(said, key=lambda one: one.who == "model")
    return [
        one
        for is_model, group in grouped
        for one in ([Said("model", _texts(group))] if is_model else group)
    ]


def _texts(group: Iterable[Said]) -> tuple[str, ...]:
    return tuple(text for one in group for text in one.texts)


def _said(item: Json) -> Said:
    kind = item.get("type", "message")
    if kind.endswith("_output"):
        return Said("user", results=(_text(item.get("output")),))
    if kind in _CALLS or kind == "reasoning" or item.get("role") == "assistant":
        return Said("model", (_text(item.get("content")),))
    text = _text(item.get("content"))
    about = text.lstrip().startswith(_ABOUT_ITSELF)
    return Said("user" if item.get("role") == "user" and not about else "another", (text,))


def _text(content: object) -> str:
    if not isinstance(content, list):
        return str(content or "")
    return "\n".join(str(it.get("text", "")) for it in content)


def _whole(kind: str, prefix: str, **content: object) -> Json:
    name = f"{prefix}_{uuid.uuid4().hex[:20]}"
    return {"type": kind, "id": name, "status": "completed", **content}


def _response(body: Json, step: Step, status: str, output: list[Json]) -> Json:
    given, told = step.input_tokens or tokens(body), max(1, len(step.text) // 4)
    usage = {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": told,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + told,
    }
    return {
        "id": f"resp_{uuid.uuid4().hex[:20]}",
        "object": "response",
        "created_at": int(now()),
        "model": body.get("model"),
        "status": status,
        "output": output,
        **({"usage": usage} if status == "completed" else {}),
    }


def error_of(step: Step) -> Json:
    kind = _ERRORS.get(step.status, "server_error")
    return {"error": {"message": step.message, "type": kind, "code": kind, "param": None}}
