"""aider: it has no tools, but changes files by what the model says, and ends after its turn."""

from dataclasses import replace
from pathlib import Path

from place import Place
from real.api import Asked, Tools
from real.clis import Cli
from real.messages import KEY, Messages
from real.scenarios import Json, Said, Step

_CHANGE = "{file}\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"
_NO_TALK = "it ends after its turn"
_MOST_STEPS = 9
_ADDED = "I added these files to the chat"


def prepare(place: Place, url: str) -> None:
    place.env |= {"ANTHROPIC_API_BASE": url, "ANTHROPIC_API_KEY": KEY}
    # It writes a name into the repository's configuration where git knows none.
    identity = "[user]\n\tname = Test Person\n\temail = test@example.invalid\n"
    (Path(place.env["HOME"]) / ".gitconfig").write_text(identity)


class Chat(Messages):
    """What is said to a program without tools: it reads and runs nothing, but takes changes."""

    def is_work(self, body: Json) -> bool:
        return "Git commit messages" not in str(body.get("system"))

    def step(self, asked: Asked) -> Step:
        """Return the first step that is no call of a tool that it does not have, in words."""
        steps = (self._after(asked, count) for count in range(_MOST_STEPS))
        step = next(it for it in steps if it.tool is None or it.tool.kind in TOOLS)
        if step.tool is None:
            return step
        change = self.api.call(step.tool)[1]["text"]
        return replace(step, text=f"{step.text}\n\n{change}", tool=None)

    def _after(self, asked: Asked, count: int) -> Step:
        talk = list(asked.talk)
        if talk and any(text.startswith(_ADDED) for text in talk[-1].texts):
            del talk[-2:]  # a change of a file that it was not shown is to be made once more
        return self.api.step(replace(asked, talk=[*talk, *[Said("model")] * count]))


def _change(file: str, old: str, new: str) -> tuple[str, Json]:
    return "", {"text": _CHANGE.format(file=file.lstrip("/"), old=old, new=new)}


TOOLS: Tools = {
    "edit": lambda it: _change(it["file"], it["old"], it["new"]),
    "write": lambda it: _change(it["file"], "", it["text"].rstrip("\n")),
}
CLI = Cli(
    name="aider",
    package="aider-chat",
    registry="pip",
    program="venv/bin/aider",
    pinned="0.86.2",
    service=Chat,
    tools=TOOLS,
    prepare=prepare,
    options={"model": "anthropic/claude-sonnet-4-5"},
    lacks={
        "talk": _NO_TALK,
        "question": _NO_TALK,
        "plan": _NO_TALK,
        "answers": _NO_TALK,
        "cost": "it says what it costs on its screen alone",
    },
)
