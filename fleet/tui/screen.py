"""What all screens have in common: keys are looked up, refused with a reason, or carried out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.screen import Screen

from fleet.core.rows import LiveRow
from fleet.tui.keys import Context, Key, pressed
from fleet.tui.link import FrameCame, ViewEnded
from fleet.tui.model import Model
from fleet.tui.widgets import COMPONENTS

if TYPE_CHECKING:
    from fleet.tui.app import FleetApp


class FleetScreen(Screen[None]):
    """A screen whose keys are those of `keys.KEYS` for its `place`.

    A key calls `do_<command>(key)` of the screen, else of the app. `live` is the task that it is
    about, and `show` is called with each new model.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    place: ClassVar[str]

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

    def on_key(self, event: events.Key) -> None:
        """Carry out what a key stands for."""
        if self.typing():
            return
        for name in (*event.aliases, *([event.character] if event.character else [])):
            key = pressed(self.fleet.keys, name, self.place)
            if key is not None:
                event.stop()
                event.prevent_default()
                self.carry_out(key, event.character or event.key)
                return

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
