"""Takes the README's pictures: the real dashboard, a real supervisor, and agents of shell commands.

What each picture waits for stands on the screen; it is then written as SVG to .pictures/, or to the
directory that is named.
"""

import asyncio
import html
import io
import re
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from textual.pilot import Pilot

from fleet.cli.demo import spawn
from fleet.cli.demo_cast import Part
from fleet.cli.demo_guests import SCRIPTS, configuration
from fleet.cli.demo_stage import Stage, stage
from fleet.client import Client
from fleet.tui.app import FleetApp
from fleet.tui.link import SupervisorLink

FOLDER = Path(__file__).resolve().parent.parent / ".pictures"
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TEXT = re.compile(
    r'<text class="([^"]*)" x="([^"]*)" y="([^"]*)" textLength="([^"]*)"([^>]*)>([^<]*)</text>'
)
WIDE, NARROW = (110, 30), (80, 24)
LIMIT_S, LOOK_S = 120.0, 0.1
STAYS = "sleep 3600"
EXPORT = """\
def export(rows, path):
    with open(path, "w") as file:
        for row in rows:
            file.write(",".join(row) + "\\n")


def formats():
    return ["csv"]
"""
BETTER = """\
import json


def export(rows, path, *, kind="csv"):
    with open(path, "w") as file:
        if kind == "json":
            json.dump(rows, file, indent=2)
            return
        for row in rows:
            file.write(",".join(row) + "\\n")


def formats():
    return ["csv", "json"]
"""
COMMIT = "git add -A && git commit -qm"
PARSER = f"""\
printf '\\033[1m$ make test\\033[0m\\n'
printf 'tests/test_lexer.py   \\033[32m........................\\033[0m  24 passed\\n'
printf 'tests/test_parser.py  \\033[32m..........\\033[31mF\\033[32m...\\033[0m  1 failed\\n\\n'
printf '\\033[31mE  expected an indent of 4, found a tab\\033[0m (parser.py:88)\\n\\n'
printf '* A tab counts as one column there. I read how the lexer expands them.\\n'
{STAYS}
"""
PARTS = (
    Part("release-notes", "publish the notes of 2.4", "publish the notes of 2.4", "lands",
         agent="careful"),
    Part("export-json", "export tables as JSON, too",
         f"cat >export.py <<'END'\n{BETTER}END\n{COMMIT} 'export tables as JSON, too'", "lands",
         checks=("python3 -m py_compile export.py", "grep -q json export.py")),
    Part("login", "let a session end after an hour",
         f"echo timeout >session.txt; {COMMIT} 'end sessions'", "does not land",
         checks=("echo 'test_session: expected 3600, got 60'; false",)),
    Part("parser", "make the parser take tabs", PARSER, "lands"),
    Part("docs", "write the chapter on exports",
         f"echo 'drafting docs/export.md'; {STAYS}", "lands"),
    Part("letter", "answer the question of the forum", "answer the question of the forum", "lands",
         agent="talkative"),
)  # fmt: skip


@dataclass
class Camera:
    """Presses keys, waits for what is to be seen, and takes pictures."""

    app: FleetApp
    pilot: Pilot[int]
    folder: Path

    def text(self) -> str:
        """Return what is on the screen."""
        width, height = self.app.size
        console = Console(width=width, height=height, record=True, file=io.StringIO())
        console.print(self.app.screen._compositor.render_update(full=True))  # noqa: SLF001 (as Textual itself takes pictures)
        return console.export_text()

    async def sees(self, *words: str) -> None:
        """Wait until all of `words` are on the screen."""
        end = time.monotonic() + LIMIT_S
        while not all(it in self.text() for it in words):
            if time.monotonic() > end:
                sys.exit(f"pictures: never saw {words}:\n{self.text()}")
            await self.pilot.pause(LOOK_S)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause()

    async def find(self, task: str) -> None:
        """Select a task."""
        await self.press("g")
        while f"── {task} " not in self.text():
            await self.press("j")

    def take(self, name: str) -> None:
        """Write what is to be seen."""
        self.app.clear_notifications()
        (self.folder / f"{name}.svg").write_text(tidied(self.app.export_screenshot(title="fleet")))
        print(f"{name}.svg", file=sys.stderr)


def tidied(svg: str) -> str:
    """Return a picture that is the same wherever it is drawn, and asks no one for a font.

    Some programs leave out the blanks at the ends of a text, and then move or stretch the rest.
    """
    return _TEXT.sub(_trimmed, _FONT.sub("", svg))


def _trimmed(found: re.Match[str]) -> str:
    kind, left, top, room, clip, text = found.groups()
    signs = html.unescape(text).rstrip("\n")
    bare = signs.strip("\xa0")
    if not bare:
        return ""
    column = float(room) / cell_len(signs)
    x = float(left) + column * (len(signs) - len(signs.lstrip("\xa0")))
    room = column * cell_len(bare)
    said = html.escape(bare).replace("\xa0", "&#160;")
    return f'<text class="{kind}" x="{x:g}" y="{top}" textLength="{room:g}"{clip}>{said}</text>'


async def fleet(camera: Camera) -> None:
    """Take the list, with an agent at work in view, and with one that asks for a permission."""
    await camera.sees("3 need you", "2 working", "failed", "✓2")
    await camera.find("parser")
    await camera.sees("how the lexer expands", "live")
    camera.take("fleet")
    await camera.find("release-notes")
    await camera.sees("make publish", "y allow", "live")
    camera.take("permission")


async def review(camera: Camera) -> None:
    """Take a change as it is read."""
    await camera.find("export-json")
    await camera.press("d")
    await camera.sees("export.py", "json.dump", "a approve")
    camera.take("review")
    await camera.press("escape")


async def new(camera: Camera) -> None:
    """Take the form for a new task, half filled in."""
    await camera.press("n")
    await camera.sees("what is to be done", "careful")
    await camera.press(
        *_keys("Let export() write YAML, as it writes JSON.\n\nKeep the order of rows.")
    )
    await camera.press("tab", "tab", *_keys("export-yaml"), "tab", "tab", *_keys("make test"))
    camera.take("new-task")
    await camera.press("escape", "y")


async def narrow(camera: Camera) -> None:
    """Take the list on the smallest terminal."""
    await camera.find("release-notes")
    await camera.sees("make publish", "live")
    camera.take("80x24")


def _keys(text: str) -> list[str]:
    return ["enter" if it == "\n" else it for it in text]


async def shoot(
    place: Stage, size: tuple[int, int], folder: Path, *scenes: Callable[[Camera], Awaitable[None]]
) -> None:
    """Play scenes on a screen of that size."""
    app = FleetApp(SupervisorLink(place.home), place.home)
    async with app.run_test(size=size, notifications=True) as pilot:
        for scene in scenes:
            await scene(Camera(app, pilot, folder))


def main() -> None:
    """Take all pictures."""
    folder = Path(sys.argv[1]).resolve() if sys.argv[1:] else FOLDER
    folder.mkdir(exist_ok=True)
    with stage(keep=False) as place:
        _furnish(place)
        with Client.connect(place.home, start=True) as client:
            spawn(client, place, PARTS)
        with chdir(place.repository):
            asyncio.run(shoot(place, WIDE, folder, fleet, review, new))
            asyncio.run(shoot(place, NARROW, folder, narrow))


def _furnish(place: Stage) -> None:
    (place.repository / "export.py").write_text(EXPORT)
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "export tables")
    folder = place.root / "agents"
    folder.mkdir()
    for name, script in SCRIPTS.items():
        (folder / name).write_text(script)
    file = place.config / "fleet" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(configuration(str(folder)))


if __name__ == "__main__":
    main()
