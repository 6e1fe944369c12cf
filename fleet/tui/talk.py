"""What a person types on a screen: a message for an agent, which is kept until it has gone."""

from typing import TYPE_CHECKING, Any

from fleet.core.commands import Send
from fleet.tui.tasks import TaskScreen

if TYPE_CHECKING:
    from fleet.tui.prompt import Prompt

FILTER = "/"


class TalkScreen(TaskScreen):
    """A screen with a line for text at its bottom, above the widget `footer`."""

    def __init__(self) -> None:
        super().__init__()
        self._drafts: dict[str, str] = {}
        self._prompt: Prompt | None = None

    def about(self) -> str | None:
        """Return what is typed about, if anything is typed."""
        return self._prompt.about if self._prompt else None

    def typing(self) -> bool:
        """Whether what is typed is text."""
        return self._prompt is not None

    async def on_prompt_ready(self) -> None:
        """Pass on what was typed before the line for it was there."""
        await self.ready()

    def typed(self, about: str, text: str) -> None:
        """Keep what is typed so far."""
        self._drafts[about] = text

    def given_up(self, about: str) -> None:
        """Someone has left the line with Escape."""

    def type_text(self, label: str, *, about: str, text: str) -> None:
        """Let a person type; `about` says what it is for: the filter, or a task."""
        from fleet.tui.prompt import Prompt  # noqa: PLC0415 (an editor takes a while to load)

        self.hold()
        self._prompt = Prompt(label, about=about, text=text)
        self.mount(self._prompt, before="#footer")
        self.show(self.fleet.model)

    def do_send(self, _: str) -> None:
        """Type what to tell the agent."""
        task = self._selected().row.task
        self.type_text(f"to {task}:", about=task, text=self._drafts.get(task, ""))

    def on_prompt_changed(self, message: Any) -> None:
        """Keep what is typed, or look for it."""
        self.typed(message.prompt.about, message.prompt.text)

    def on_prompt_cancelled(self, message: Any) -> None:
        """Stop typing; a message that was begun is kept."""
        self._end_typing()
        self.given_up(message.prompt.about)

    def on_prompt_submitted(self, message: Any) -> None:
        """Send it; it is kept until it has surely gone."""
        about, text = message.prompt.about, message.prompt.text
        if about != FILTER and not self.fleet.linked:
            self.fleet.refuse("the supervisor is away", "what you typed stays until it is back")
            return
        self._end_typing()
        if about != FILTER and text.strip():
            self._tell(about, text)

    def _end_typing(self) -> None:
        if self._prompt is not None:
            self._prompt.remove()
            self._prompt = None
        self.set_focus(None)
        self.show(self.fleet.model)

    def _tell(self, task: str, text: str) -> None:
        live = self.fleet.model.tasks.get(task)

        def gone() -> None:
            self._drafts.pop(task, None)

        if live and live.ask and live.ask.id is not None and live.ask.kind == "question":
            self.answer(live, "text", text, then=gone)
            return

        def sent(result: dict[str, Any]) -> None:
            gone()
            said = [_outcome(it) for it in result["sent"]]
            self.fleet.say("\n".join(said) or f"{task} reads no messages")

        self.fleet.request(Send(task=task, text=text), then=sent)


def _outcome(sent: dict[str, Any]) -> str:
    why = f": {sent['reason']}" if sent.get("reason") else ""
    return f"{sent['task']}: {sent['outcome']}{why}"
