"""The command palette: every key by its name, the themes, and the start of a supervisor."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from fleet.tui.keys import shown, works_on
from fleet.tui.screen import FleetScreen

THEMES = (
    *("textual-dark", "textual-light", "nord", "gruvbox", "catppuccin-mocha", "catppuccin-latte"),
    *("tokyo-night", "monokai", "solarized-dark", "solarized-light", "rose-pine", "ansi-dark"),
)


class Found(NamedTuple):
    """One entry of the palette."""

    name: str
    about: str
    call: IgnoreReturnCallbackType


class FleetCommands(Provider):
    """Offers what the screen below can do; what is refused is offered with its reason."""

    async def discover(self) -> Hits:
        """Offer all of it."""
        for found in self._all():
            yield DiscoveryHit(found.name, found.call, help=found.about)

    async def search(self, query: str) -> Hits:
        """Offer what fits to what is typed."""
        matcher = self.matcher(query)
        for found in self._all():
            score = matcher.match(found.name)
            if score > 0:
                yield Hit(score, matcher.highlight(found.name), found.call, help=found.about)

    def _all(self) -> Iterator[Found]:
        screen = self.screen
        if not isinstance(screen, FleetScreen):
            return
        context = screen.context()
        for key in screen.fleet.keys:
            if key.palette and works_on(key, screen.place):
                why = key.refusal(context)
                name = f"{key.label}  {shown(key.keys[0]) if key.keys else ''}".rstrip()
                about = f"not now: {why}" if why else key.help
                yield Found(name, about, partial(screen.carry_out, key))
        yield Found("start supervisor", "where none runs", screen.fleet.link.start)
        for theme in THEMES:
            if theme in self.app.available_themes:
                about = "until you leave; `theme:` in your configuration keeps it"
                yield Found(f"theme {theme}", about, partial(setattr, self.app, "theme", theme))
