"""What a screen shows, as text: for reading in a test, and for comparing with what was approved."""

import io

from rich.console import Console

from fleet.tui.app import FleetApp


def drawn(app: FleetApp) -> str:
    """Return the lines of the screen, without the blanks at their ends."""
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        safe_box=False,
    )
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    console.print(update)
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())
