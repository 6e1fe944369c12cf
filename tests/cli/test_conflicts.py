"""The conflict map is data for scripts, and sentences for people."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from command_line import Run
from fake_supervisor import FakeSupervisor

NONE: dict[str, Any] = {"pairs": [], "stale": [], "branches": 0}


def since(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def side(task: str, title: str) -> dict[str, str]:
    return {"task": task, "title": title, "branch": f"fleet/{task}", "summary": ""}


def found() -> dict[str, Any]:
    pair = {
        "repo": "/shop",
        "target": "main",
        "tasks": ["exporter", "importer"],
        "sides": [side("exporter", "Export files"), side("importer", "Import\x1b[2J files")],
        "files": ["src/a.py", "src/b\x1b[31m.py"],
        "since": since(3.5),
    }
    stale = {
        "repo": "/shop",
        "target": "main",
        "task": "menu",
        "title": "A menu",
        "branch": "fleet/menu",
        "files": ["src/c.py"],
        "landed": ["abc1234 Merge fleet/theme: Themes (theme: Themes)"],
        "since": since(125),
        "why": "",
    }
    return {"pairs": [pair], "stale": [stale], "branches": 4}


def test_pairs_and_what_is_stale_are_told(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["conflicts"] = found()

    assert run("conflicts").out == (
        "exporter conflicts with importer  for 3m, into main\n"
        "  exporter: Export files\n"
        "  importer: Import files\n"
        "  in src/a.py\n"
        "  in src/b.py\n"
        "\n"
        "menu is stale: it conflicts with main  for 2h\n"
        "  menu: A menu\n"
        "  in src/c.py\n"
        "  landed: abc1234 Merge fleet/theme: Themes (theme: Themes)\n"
    )


def test_what_cannot_be_merged_at_all_says_why(run: Run, fake: FakeSupervisor) -> None:
    [stale] = found()["stale"]
    odd = stale | {"files": [], "landed": [], "why": "refusing to merge unrelated histories"}
    fake.answers["conflicts"] = NONE | {"stale": [odd, stale]}

    said = run("conflicts").out

    assert "  refusing to merge unrelated histories\n\nmenu is stale" in said


def test_nothing_is_said_too(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["conflicts"] = NONE | {"branches": 1}
    assert run("conflicts").err == "nothing conflicts; 1 branch was tried\n"

    fake.answers["conflicts"] = NONE | {"branches": 3}
    assert run("conflicts", "menu").err == "nothing conflicts with menu; 3 branches were tried\n"


def test_json_is_the_whole_map(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["conflicts"] = found() | {"pairs": []}

    assert json.loads(run("conflicts", "--json").out) == fake.answers["conflicts"]
