"""What all screens have in common: keys are looked up, refused with a reason, or carried out."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.screen import Screen
from textual.widget import Widget

from fleet.core.rows import LiveRow
from fleet.tui.keys import Key, pressed
from fleet.tui.link import FrameCame, ViewEnded
from fleet.tui.model import Model
from fleet.tui.refusals import Context
from fleet.tui.widgets import COMPONENTS

if TYPE_CHECKING:
    from fleet.tui.app import FleetApp

_ARRIVES_S = 1.0


async def arrived(widget: Widget | None) -> None:
    """Wait until a widget has taken in all that was typed into it."""
    done = asyncio.Event()
    if widget is not None and widget.call_later(done.set):
        with suppress(TimeoutError):  # it went away with what was typed
            await asyncio.wait_for(done.wait(), _ARRIVES_S)


class FleetScreen(Screen[None]):
    """A screen whose keys are those of `keys.KEYS` for its `place`.

    A key calls `do_<command>(key)` of the screen, else of the app. `live` is the task that it is
    about, and `show` is called with each new model.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    place: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._held: list[events.Key] = []
        self._making = True  # what keys are for is not there yet

    @property
    def fleet(self) -> "FleetApp":
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def live(self) -> LiveRow | None:
        """Return the task that keys are about."""
        return None

    def show(self, model: Model) -> None:
        """Show what is known now."""

    def frame_came(self, message: FrameCame) -> None:
        """Draw what has changed in the pane in view."""

    def view_ended(self, message: ViewEnded) -> None:
        """Say that there is nothing more to be seen of a pane."""

    def context(self) -> Context:
        """Return what a refusal may look at."""
        return Context(
            model=self.fleet.model, live=self.live(), screen=self.place, linked=self.fleet.linked
        )

    def typing(self) -> bool:
        """Whether what is typed is text."""
        return False

    def on_screen_resume(self) -> None:
        """Catch up with what has changed while another screen was on top."""
        self.show(self.fleet.model)

    def on_mount(self) -> None:
        """Take keys, once what is typed in has got its focus."""
        self.app.call_later(self.ready)

    def hold(self) -> None:
        """Let keys wait until `ready`: what they are typed into is being made."""
        self._making = True

    async def ready(self) -> None:
        """Go on with the keys that had to wait; those that come meanwhile come after them."""
        self._making = False
        while self._held and not self._making:
            key = self._held[0]
            await arrived(self.focused)
            if not self.is_current or not self.carries_out(key):
                aim = (self.focused or self) if self.is_current else self.app
                aim.post_message(events.Key(key.key, key.character))
            del self._held[0]

    def takes(self, event: events.Key) -> bool:
        """Carry out a key before any widget hears of it, or return False.

        The app asks for one key after the other. So what one does counts for the next, however
        fast they are typed: a field that tab leads to, a screen that a letter opens.
        """
        if self._making or self._held:
            self._held.append(event)
            return True
        return self.carries_out(event)

    def carries_out(self, event: events.Key) -> bool:
        """Carry out what a key stands for, if it stands for anything."""
        if self.typing():
            return False
        for name in (*event.aliases, *([event.character] if event.character else [])):
            key = pressed(self.fleet.keys, name, self.place)
            if key is not None:
                self.carry_out(key, event.character or event.key)
                return True
        return False

    def carry_out(self, key: Key, pressed_key: str = "") -> None:
        """Do what `key` stands for, or say why not."""
        why = key.refusal(self.context())
        if why is not None:
            self.fleet.refuse(why)
            return
        action = getattr(self, f"do_{key.command}", None) or getattr(
            self.fleet, f"do_{key.command}", None
        )
        if action is not None:
            cast("Callable[[str], None]", action)(pressed_key)
