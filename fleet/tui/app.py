"""The dashboard as an app: it shows what the link tells, and asks the link for what keys say."""

import asyncio
import gc
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib import import_module
from pathlib import PurePath
from typing import Any, ClassVar

from msgspec import Struct
from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen

from fleet.core.commands import Command
from fleet.errors import ConfigError, FleetError
from fleet.paths import Home
from fleet.tui.cells import tidy
from fleet.tui.keys import KEYS, remapped
from fleet.tui.leaving import leaving
from fleet.tui.link import (
    FrameCame,
    Link,
    LinkBack,
    LinkLost,
    PictureCame,
    SupervisorLink,
    ViewEnded,
)
from fleet.tui.model import EMPTY, Model, fold
from fleet.tui.screen import FleetScreen, arrived

SCREENS = {
    "fleet": "fleet.tui.fleet:FleetListScreen",
    "conflicts": "fleet.tui.conflicts:ConflictScreen",
    "confirm": "fleet.tui.dialogs:ConfirmDialog",
    "help": "fleet.tui.help:HelpScreen",
    "new": "fleet.tui.new:NewTaskScreen",
    "note": "fleet.tui.dialogs:NoteDialog",
    "queue": "fleet.tui.queue:QueueScreen",
    "review": "fleet.tui.review:ReviewScreen",
}
Then = Callable[[Any], None]
Tip = Callable[[Model], str]
Otherwise = Callable[[FleetError], None]


class Settings(Struct, frozen=True, kw_only=True):
    """What a person's configuration says of the dashboard."""

    theme: str = "textual-dark"
    keys: Mapping[str, Sequence[str]] = {}
    mouse: bool = True


def known_theme(name: str, themes: Collection[str]) -> str:
    """Return the name of a theme that there is.

    Raises:
        ConfigError: there is none of that name.
    """
    if name in themes:
        return name
    near = get_close_matches(name, themes, n=1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    raise ConfigError(
        f'theme: there is no theme "{name}"{guess}',
        hint=f"there are: {', '.join(sorted(themes))}",
        key=("theme",),
    )


class Answered(Message):
    """A request was carried out."""

    def __init__(self, result: Any, then: Then | None, sentence: str) -> None:
        super().__init__()
        self.result, self.then, self.sentence = result, then, sentence


class Refused(Message):
    """A request was not carried out."""

    def __init__(self, error: FleetError, otherwise: Otherwise | None = None) -> None:
        super().__init__()
        self.error, self.otherwise = error, otherwise


class FleetApp(App[int]):
    """Shows one model on whichever screen is on top; it holds no truth of its own."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = "fleet.tcss"
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False

    def __init__(
        self,
        link: Link,
        home: Home,
        settings: Settings = Settings(),  # noqa: B008 (it is frozen)
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tip: Tip | None = None,
    ) -> None:
        super().__init__(ansi_color=bool(os.environ.get("NO_COLOR")) or None)
        self.link, self.home, self.now, self.tip = link, home, now, tip
        self.keys = remapped(KEYS, settings.keys)
        self.model: Model = EMPTY
        self.linked = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.visiting = False  # another program has the terminal
        self.lost: str | None = None  # why the supervisor is away
        self.removed: list[str] = []  # from here, the last one last
        self.drafts: dict[str, str] = {}  # what was typed and has not gone anywhere yet
        self._wanted_theme = known_theme(settings.theme, self.available_themes)

    async def on_event(self, event: events.Event) -> None:
        """Give a key to the screen on top, or to the widget in focus where it has no use for it."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            await arrived(self.focused)
            if isinstance(self.screen, FleetScreen) and self.screen.takes(event):
                return
        await super().on_event(event)

    def on_mount(self) -> None:
        """Begin to listen."""
        self.loop = asyncio.get_running_loop()
        self.theme = self._wanted_theme
        self.push_screen(self.made("fleet"))
        self.run_worker(self.link.run(self.post_message), group="link", exit_on_error=True)

    def made(self, name: str, *arguments: Any) -> Screen[None]:
        """Return a new screen of that name; its module is loaded only now."""
        module, _, kind = SCREENS[name].partition(":")
        screen: Screen[None] = getattr(import_module(module), kind)(*arguments)
        return screen

    def request(
        self,
        command: Command,
        *,
        then: Then | None = None,
        otherwise: Otherwise | None = None,
        done: str = "",
    ) -> None:
        """Ask the supervisor; then call `then` with its answer and say `done`.

        Where it refuses, call `otherwise`, or else say why.
        """
        asking = self._ask(command, then, otherwise, done)
        self.run_worker(asking, group="requests", exit_on_error=True)

    async def _ask(
        self, command: Command, then: Then | None, otherwise: Otherwise | None, done: str
    ) -> None:
        try:
            self.post_message(Answered(await self.link.ask(command), then, done))
        except FleetError as error:
            self.post_message(Refused(error, otherwise))

    def refuse(self, why: str, hint: str | None = None) -> None:
        """Say why something cannot be."""
        self.say(f"{why}\n{hint}" if hint else why, severity="warning")

    def say(self, sentence: str, *, severity: str = "information") -> None:
        """Tell a person something, for a while."""
        lines = "\n".join(tidy(line) for line in sentence.splitlines())
        level: Any = severity
        self.clear_notifications()
        self.notify(lines, severity=level, markup=False, timeout=4)

    def on_answered(self, message: Answered) -> None:
        """Go on with what was waiting for the answer."""
        if message.then is not None:
            message.then(message.result)
        if message.sentence:
            self.say(message.sentence)

    def on_refused(self, message: Refused) -> None:
        """Say why not."""
        if message.otherwise is not None:
            message.otherwise(message.error)
        else:
            self.refuse(message.error.message, message.error.hint)

    def on_picture_came(self, message: PictureCame) -> None:
        """Show what has changed."""
        self.model = fold(EMPTY if message.whole else self.model, message.picture)
        if message.picture.rings:
            self.bell()
        self._show()

    def on_link_lost(self, message: LinkLost) -> None:
        """Say that what is shown is as it was."""
        hint = f"; {message.hint}" if message.hint else ""
        self.linked, self.lost = False, tidy(f"{message.why}{hint}")
        self._show()

    def on_link_back(self, _: LinkBack) -> None:
        """Go on."""
        self.linked, self.lost = True, None
        self._show()

    def on_frame_came(self, message: FrameCame) -> None:
        """Let the screens draw it."""
        for screen in self.screen_stack:
            if isinstance(screen, FleetScreen):
                screen.frame_came(message)

    def on_view_ended(self, message: ViewEnded) -> None:
        """Let the screens say it."""
        for screen in self.screen_stack:
            if isinstance(screen, FleetScreen):
                screen.view_ended(message)

    def _show(self) -> None:
        if isinstance(self.screen, FleetScreen):
            self.screen.show(self.model)

    def open(self, name: str, *arguments: Any) -> None:
        """Put a screen of `SCREENS` on top."""
        if name in SCREENS:
            self.push_screen(self.made(name, *arguments))
        else:
            self.refuse(f"there is no {name} screen")

    def do_help(self, _: str) -> None:
        """Show every key."""
        self.open("help", self.screen)

    def do_palette(self, _: str) -> None:
        """Find a command by its name."""
        from textual.command import CommandPalette  # noqa: PLC0415 (only where it is wanted)

        from fleet.tui.palette import FleetCommands  # noqa: PLC0415

        self.push_screen(CommandPalette(providers=[FleetCommands], placeholder="what to do"))

    def do_new(self, _: str) -> None:
        """Give work to a new agent."""
        self.open("new")

    def do_queue(self, _: str) -> None:
        """Show what is about to land."""
        self.open("queue")

    def do_conflicts(self, _: str) -> None:
        """Show which open branches do not fit together."""
        self.open("conflicts")

    def do_quit(self, _: str) -> None:
        """Leave."""
        self.exit(0)


def run(home: Home, settings: Settings, *, tip: Tip | None = None) -> int:
    """Show the dashboard until a person leaves it or a signal ends us; return the exit code.

    What `tip` says of the state stands below the first line.
    """
    gc.freeze()  # what is loaded by now stays: sifting it for garbage would hold up a key
    app = FleetApp(SupervisorLink(home), home, settings, tip=tip)
    with leaving(app):
        return app.run(mouse=settings.mouse) or 0
