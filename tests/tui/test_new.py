"""The form for a new task, with the keyboard alone."""

from pathlib import Path
from typing import Any

import pytest
from drawn import drawn
from fake_link import FakeLink, Running
from reviews import AGENTS, shown
from screens import live, picture
from textual.events import Key

from fleet.core.commands import Spawn
from fleet.errors import FleetError, RefusedError
from fleet.protocol import Agents
from fleet.tui.dialogs import ConfirmDialog
from fleet.tui.fields import Names
from fleet.tui.fleet import FleetListScreen
from fleet.tui.new import NewTaskScreen


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: FakeLink) -> Path:
    """The dashboard is opened in a repository."""
    root = tmp_path / "site"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    link.answers |= {"Agents": AGENTS, "Spawn": {"tasks": ["fix-it"]}}
    return root


def spawned(link: FakeLink) -> list[Spawn]:
    return [asked for asked in link.asked if isinstance(asked, Spawn)]


async def test_a_task_is_given(running: Running, link: FakeLink, repository: Path) -> None:
    async with running(picture()) as (app, pilot):
        await pilot.press("n", *"fix it", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, FleetListScreen)
        assert "fix-it begins as soon as there is a slot" in drawn(app)
        assert app.drafts == {}
    [asked] = spawned(link)
    assert (asked.cwd, asked.prompt, asked.agent) == (str(repository), "fix it", "shell")
    assert "PATH" in asked.environment
    assert isinstance(link.asked[0], Agents)


async def test_every_field_by_keyboard(running: Running, link: FakeLink, repository: Path) -> None:
    keys = [
        *("f", "enter", "x", "tab"),  # the prompt
        *("left", "tab"),  # the agent
        *("n", "tab", "t", "tab"),  # name and title
        *("t", "r", "u", "e", "enter", "f", "tab"),  # checks
        *("i", "m", "p", "right", "tab"),  # after, completed
        *("m", "tab", "a", "tab"),  # target; lands: the option that begins so, the next one
        *("3", "tab", "2", "h", "tab", "5"),
    ]
    async with running(shown(), size=(80, 24)) as (app, pilot):
        app.open("new")
        await pilot.pause()
        await pilot.press("tab", "left", "right", "shift+tab")  # the repository stays as it was
        await pilot.press(*keys[:4], "tab", *keys[4:])
        await pilot.pause()
        assert "the program crusher is not on your PATH" in drawn(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
    [asked] = spawned(link)
    assert asked.prompt == "f\nx"
    assert (asked.agent, asked.name, asked.title) == ("crusher", "n", "t")
    assert (asked.checks, asked.after, asked.target) == (("true", "f"), ("importer",), "m")
    assert (asked.attempts, asked.timeout_s, asked.budget_usd) == (3, 7200.0, 5.0)


async def test_faults_are_shown_beside_their_fields(
    running: Running, link: FakeLink, repository: Path
) -> None:
    async with running(picture(), size=(80, 24)) as (app, pilot):
        await pilot.press("n", "ctrl+s")
        assert "say what is to be done" in drawn(app)
        link.answers["Spawn"] = RefusedError("there is no branch x in /site", hint="--target B")
        await pilot.press("f", "ctrl+s")
        await pilot.pause()
        text = drawn(app)
        assert "say what" not in text
        assert any("lands on" in it and "there is no branch x" in it for it in text.splitlines())
        await pilot.press("m")
        assert "there is no branch" not in drawn(app)


async def test_a_draft_is_kept_while_the_supervisor_is_away(
    running: Running, link: FakeLink, repository: Path
) -> None:
    link.answers["Spawn"] = FleetError("the supervisor went away before it answered")
    async with running(picture()) as (app, pilot):
        await pilot.press("n", *"fix", "ctrl+s")
        await pilot.pause()
        assert "the supervisor went away before it answered" in drawn(app)
        await pilot.press("escape")
        assert isinstance(app.screen, ConfirmDialog)
        await pilot.press("n")
        assert isinstance(app.screen, NewTaskScreen)
        await pilot.press("escape", "y")
        assert isinstance(app.screen, FleetListScreen)
        await pilot.press("n")
        assert "fix" in drawn(app)


async def test_nothing_typed_is_nothing_asked(
    running: Running, link: FakeLink, repository: Path
) -> None:
    async with running(picture()) as (app, pilot):
        await pilot.press("n", "escape")
        assert isinstance(app.screen, FleetListScreen)


async def test_outside_a_repository_one_is_chosen(
    running: Running, link: FakeLink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    link.answers |= {"Agents": AGENTS, "Spawn": {"tasks": ["a"]}}
    async with running(picture()) as (app, pilot):
        await pilot.press("n", "f", "ctrl+s")
        assert "this is no repository; open the dashboard in one" in drawn(app)
    async with running(shown()) as (app, pilot):
        await pilot.press("n", "f", "ctrl+s")
        await pilot.pause()
    assert [asked.cwd for asked in spawned(link)] == ["shop"]


async def test_repositories_of_one_name_are_told_apart(
    running: Running, link: FakeLink, repository: Path
) -> None:
    lives = [live("a", of={"repo": "/one/shop"}), live("b", of={"repo": "/two/shop"})]
    async with running(picture(*lives)) as (app, pilot):
        await pilot.press("n")
        await pilot.pause()
        text = drawn(app)
    assert "site" in text
    assert "/one/shop" in text
    assert "/two/shop" in text


async def test_a_file_that_is_not_understood_is_said(
    running: Running, link: FakeLink, repository: Path
) -> None:
    (repository / "fleet.yaml").write_text("cheks: 1\n")
    async with running(picture()) as (app, pilot):
        await pilot.press("n", "f", "ctrl+s")
        await pilot.pause()
        assert "unknown key" in drawn(app)
    assert spawned(link) == []


async def test_the_mouse_does_too(running: Running, link: FakeLink, repository: Path) -> None:
    async with running(picture()) as (_, pilot):
        await pilot.press("n", "f")
        await pilot.click("#field-agent Choice", offset=(3, 0))
        await pilot.click("#start")
        await pilot.pause()
    assert [asked.agent for asked in spawned(link)] == ["crusher"]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("im", "importer"), ("docs, im", "docs, importer"), ("x", None), ("", None), ("docs ", None)],
)
async def test_names_are_completed(typed: str, completed: str | None) -> None:
    names: Any = Names(["importer", "docs"])
    assert await names.get_suggestion(typed) == completed


async def test_what_is_typed_faster_than_the_form_is_drawn_arrives_in_its_fields(
    running: Running, link: FakeLink, repository: Path
) -> None:
    async with running(picture()) as (app, pilot):
        for key in ("n", "f", "i", "x", "tab", "tab", "i", "t", "ctrl+s"):
            app.post_message(Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, FleetListScreen)
    [asked] = spawned(link)
    assert (asked.prompt, asked.name) == ("fix", "it")
