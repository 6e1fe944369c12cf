"""The Gemini API of Google, as far as an agent at work needs it."""

import json
from collections.abc import Sequence

from real.api import TICK_S, Asked, Handler, now, pieces, tokens
from real.scenarios import END, Json, Said, Step

KEY = "AIza-not-a-key-0123456789abcdefghij"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
# What an agent's helpers ask for as JSON: which model is to answer, who speaks next, a summary.
_HELPED = {
    "reasoning": "It is short.",
    "model_choice": "flash",
    "next_speaker": "user",
    "complexity_reasoning": "It is short.",
    "complexity_score": 1,
    "summary": "A short conversation.",
}


class Gemini(Handler):
    """Answers one request."""

    def post(self) -> None:
        body, path = self.body(), self.path.split("?")[0]
        # What comes without tools is no work: a summary, or which model is to answer.
        work = bool(body.get("tools"))
        asked = self.note(Asked(now(), path, body, talk_of(body.get("contents", ())), work))
        if path.endswith(":countTokens"):
            self.whole(200, {"totalTokens": tokens(body)})
        elif not work:
            self.whole(200, _chunk([{"text": _help(body)}], _usage(body, Step())))
        else:
            self._answer(
                body, self.api.step(asked), streamed=path.endswith(":streamGenerateContent")
            )

    def _answer(self, body: Json, step: Step, *, streamed: bool) -> None:
        if self.ends_in(step.silent_s):
            return
        if step.status != 200:
            self.whole(step.status, error_of(step))
        elif streamed:
            self._stream(body, step)
        else:
            self.whole(200, _chunk(self._parts(step), _usage(body, step)))

    def _stream(self, body: Json, step: Step) -> None:
        self.begin_stream()
        for piece in pieces(step.text, step.lasts_s):
            if step.lasts_s and self.ends_in(TICK_S):
                return
            self.event(_chunk([{"text": piece}]))
        calls = [part for part in self._parts(step) if "text" not in part]
        self.event(_chunk(calls or [{"text": ""}], _usage(body, step)))
        self.end_stream()

    def _parts(self, step: Step) -> list[Json]:
        parts: list[Json] = [{"text": step.text}] if step.text else []
        if step.tool is not None:
            name, given = self.api.call(step.tool)
            parts.append({"functionCall": {"name": name, "args": given}})
        return parts


def talk_of(contents: Sequence[Json]) -> list[Said]:
    """Return what was said."""
    return [_said(one) for one in contents]


def _said(content: Json) -> Said:
    parts = content.get("parts") or []
    # Before it may stand where it works, and a prompt that was never answered.
    texts = [str(it["text"]) for it in parts if "text" in it][-1:]
    results = (json.dumps(it["functionResponse"]) for it in parts if "functionResponse" in it)
    return Said(str(content.get("role", "user")), tuple(texts), tuple(results))


def _help(body: Json) -> str:
    wanted = (body.get("generationConfig") or {}).get("responseMimeType")
    return json.dumps(_HELPED) if "json" in str(wanted) else END


def _chunk(parts: list[Json], usage: Json | None = None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if usage is None:
        return {"candidates": [candidate]}
    return {"candidates": [candidate | {"finishReason": "STOP"}], "usageMetadata": usage}


def _usage(body: Json, step: Step) -> Json:
    given, said = step.input_tokens or tokens(body), max(1, len(step.text) // 4)
    return {
        "promptTokenCount": given,
        "candidatesTokenCount": said,
        "totalTokenCount": given + said,
    }


_TOO_LONG = "The input token count (210000) exceeds the maximum number of tokens allowed (200000)."


def error_of(step: Step) -> Json:
    error: Json = {
        "code": step.status,
        "message": _TOO_LONG if "too long" in step.message else step.message,
        "status": _STATUSES.get(step.status, "INTERNAL"),
    }
    if "retry-after" in step.headers:
        delay = f"{step.headers['retry-after']}s"
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        error["details"] = [{"@type": kind, "retryDelay": delay}]
    return {"error": error}
