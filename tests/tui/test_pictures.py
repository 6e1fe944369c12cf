"""The screens as they were looked at and found good; a difference is to be looked at again."""

from pathlib import Path

import pytest
from drawn import drawn
from fake_link import FakeLink, Running
from reviews import ANSWERS, shown
from syrupy.assertion import SnapshotAssertion

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("queue", "Q j"),
        ("diff", "j j d"),
        ("checks", "j j d 2"),
        ("task", "j j d 3"),
        ("packet", "j j d 4"),
        ("note", "j j d R n o"),
        ("confirm", "j j d W"),
        ("new", "n a b tab tab l"),
    ],
)
async def test_a_screen(  # noqa: PLR0917 (pytest names them)
    running: Running,
    link: FakeLink,
    snapshot: SnapshotAssertion,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    keys: str,
    size: tuple[int, int],
) -> None:
    (tmp_path / "site" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "site")
    link.answers |= ANSWERS
    async with running(shown(), size=size) as (app, pilot):
        for key in keys.split():
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()
        assert drawn(app) == snapshot
