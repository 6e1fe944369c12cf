"""The form for a new task: what is typed is kept until it has been given to an agent."""

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace
from textual import events
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, TextArea

from fleet.client.around import environment_for, repository_around
from fleet.errors import FleetError
from fleet.protocol import Agents
from fleet.tui.cells import Span
from fleet.tui.dialogs import form_key
from fleet.tui.draft import FIELDS, FORM, Draft, FaultyError, fault, spawn, typed
from fleet.tui.fields import Choice, Field, Names, Option, line, lines
from fleet.tui.model import Model
from fleet.tui.screen import FleetScreen
from fleet.tui.views import bars
from fleet.tui.widgets import Lines

ABOUT = "new task"
_LAND = (
    Option("", "as configured"),
    Option("review", "after review"),
    Option("auto", "once green"),
)
_KEYS = ("submit", "next_field", "back")
_WIDE = 130


class NewTaskScreen(FleetScreen):
    """Asks for a task, field by field, and gives it to an agent."""

    place: ClassVar[str] = "new"

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[str, Field] = {}
        self._sending = False

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        draft = self._kept()
        repositories = self._repositories()
        chosen = draft.repository or next((it.value for it in repositories), "")
        names = Names(self.fleet.model.tasks)
        prompt = Field("prompt", "what is to be done", lines(draft.prompt))
        rest = (
            Field("repository", "repository", Choice(repositories, chosen)),
            Field("agent", "agent", Choice(value=draft.agent)),
            Field("name", "name", line(draft.name), "made from the prompt"),
            Field("title", "title", line(draft.title), "for lists and merge commits"),
            Field("checks", "must pass", lines(draft.checks), "a command a line"),
            Field("after", "after", line(draft.after, suggester=names), "tasks; → completes"),
            Field("target", "lands on", line(draft.target)),
            Field("land", "lands", Choice(_LAND, draft.land)),
            Field("attempts", "attempts", line(draft.attempts), "with a fresh context"),
            Field("time_limit", "time limit", line(draft.time_limit), "like 90m or 2h"),
            Field("budget", "budget", line(draft.budget), "US dollars"),
        )
        self._fields = {field.field: field for field in (prompt, *rest)}
        self._fields["repository"].display = len(repositories) != 1
        self._header, self._fault, self._footer = Lines("header"), Lines("fault"), Lines("footer")
        yield self._header
        fields = VerticalScroll(*rest, id="rest", can_focus=False)
        yield VerticalScroll(prompt, fields, id="form", can_focus=False)
        yield self._fault
        yield Horizontal(Button("give it to the agent  ^s", id="start", compact=True), id="ways")
        yield self._footer

    def _kept(self) -> Draft:
        text = self.fleet.drafts.get(ABOUT)
        return msgspec.json.decode(text, type=Draft) if text else Draft()

    def _repositories(self) -> list[Option]:
        """Return the repository around us, if there is one, and all that are known."""
        try:
            here = repository_around(Path.cwd())
        except FileNotFoundError:
            here = None
        known = [str(here)] if here is not None else []
        known += sorted({live.row.repo for live in self.fleet.model.tasks.values()} - set(known))
        names = [PurePath(root).name for root in known]
        return [
            Option(root, name if name and names.count(name) == 1 else root)
            for root, name in zip(known, names, strict=True)
        ]

    def on_mount(self) -> None:
        """Begin with the prompt, and ask which agents there are."""
        self._fields["prompt"].editor.focus()
        self._ask_agents()
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Put the prompt beside the rest where there is room for both."""
        self.set_class(event.size.width >= _WIDE, "-wide")
        self.call_after_refresh(self._draw)

    def show(self, model: Model) -> None:
        """Say whether the supervisor is there."""
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        columns = self.size.width
        top = [(Span(" new task", "strong"),), *bars.away(self.fleet.lost, columns)]
        self._header.show(top)
        keys = [replace(key, footer=True) for key in self.fleet.keys if key.command in _KEYS]
        self._footer.show([bars.footer(keys, self.context(), columns)])

    # --- agents ----------------------------------------------------------------------------

    def _ask_agents(self) -> None:
        repository = self._fields["repository"].value
        if repository:
            path = self._environment(repository).get("PATH")
            self.fleet.request(
                Agents(cwd=repository, path=path), then=self._told, otherwise=self._untold
            )

    def _told(self, answer: dict[str, Any]) -> None:
        if not self.is_attached:
            return
        options = [
            Option(it["name"], it["name"], "" if it["found"] else it["why"] or "cannot start")
            for it in answer["agents"]
        ]
        self._choice("agent").offer(options, usual=answer["usual"])
        self._fields["target"].hint(answer["target"])
        self._say_agent()

    def _untold(self, error: FleetError) -> None:
        if self.is_attached:
            self._blame(fault(error))

    def _choice(self, field: str) -> Choice:
        editor = self._fields[field].editor
        if not isinstance(editor, Choice):
            raise TypeError(field)
        return editor

    def _say_agent(self) -> None:
        chosen = self._choice("agent").chosen
        why = chosen.why if chosen else ""
        self._fields["agent"].hint(why, warns=bool(why))

    # --- typing ----------------------------------------------------------------------------

    def typing(self) -> bool:
        """Whether what is typed is text."""
        return True

    def carries_out(self, event: events.Key) -> bool:
        """Carry out the keys that are no text."""
        return form_key(self, event)

    def _draft(self) -> Draft:
        return Draft(**{name: self._fields[name].value for name in FIELDS})

    def _changed(self, widget: Widget | None) -> None:
        """Keep what is typed; what was wrong with it is to be seen anew."""
        self.fleet.drafts[ABOUT] = msgspec.json.encode(self._draft()).decode()
        for field in self._fields.values():
            if field.editor is widget:
                field.blame(None)
        self._fault.show([])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what is typed."""
        self._changed(event.input)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Keep what is typed."""
        self._changed(event.text_area)

    def on_choice_changed(self, _: Choice.Changed) -> None:
        """Keep what is chosen."""
        self._changed(self.focused)
        if self.focused is self._choice("repository"):
            self._ask_agents()
        self._say_agent()

    def on_button_pressed(self, _: Button.Pressed) -> None:
        """Give it to the agent."""
        self.do_submit("")

    def do_next_field(self, _: str) -> None:
        """Go to the next field."""
        self.focus_next()

    def on_input_submitted(self, _: Input.Submitted) -> None:
        """Go on to the next field."""
        self.focus_next()

    # --- sending ---------------------------------------------------------------------------

    def _environment(self, repository: str) -> dict[str, str]:
        try:
            return environment_for(Path(repository))
        except FleetError as error:
            self._blame(fault(error))
            return {}

    def do_submit(self, _: str) -> None:
        """Give the task to its agent, or say by field what is wrong."""
        if self._sending:
            return
        self._blame({})
        draft = self._draft()
        try:
            environment = environment_for(Path(draft.repository)) if draft.repository else {}
            request = spawn(draft, environment)
        except FaultyError as error:
            self._blame(error.faults)
        except FleetError as error:
            self._blame(fault(error))
        else:
            self._sending = True
            self.fleet.request(request, then=self._started, otherwise=self._refused)

    def _started(self, answer: dict[str, Any]) -> None:
        self.fleet.drafts.pop(ABOUT, None)
        names = ", ".join(answer["tasks"])
        self.fleet.say(f"{names} begins as soon as there is a slot")
        if self.is_attached:
            self.dismiss()

    def _refused(self, error: FleetError) -> None:
        self._sending = False
        if self.is_attached:
            self._blame(fault(error))
        else:
            self.fleet.refuse(error.message, error.hint)

    def _blame(self, faults: dict[str, str]) -> None:
        for name, field in self._fields.items():
            field.blame(faults.get(name))
        rest = faults.get(FORM)
        self._fault.show([(Span(f" {rest}", "bad"),)] if rest else [])
        first = next((field for name, field in self._fields.items() if name in faults), None)
        if first is not None:
            first.display = True
            first.editor.focus()

    def do_back(self, _: str) -> None:
        """Leave, once a person who has typed something has confirmed it."""
        if typed(self._draft()):
            saying = ("what you typed is kept for the next time",)
            self.fleet.open("confirm", "leave the new task?", saying, "leave", self.dismiss)
        else:
            self.dismiss()
