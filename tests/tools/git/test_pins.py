"""What is pinned outlives garbage collection, and what is pinned no more does not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit
from landings import out

from fleet.errors import ToolError
from fleet.tools.git.pins import pin
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]
GONE = "1" * 40


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


def built(repo: Path, name: str) -> str:
    """Return a commit that no branch has."""
    made = commit(repo, name, {name: "new\n"}, start="main")
    out(repo, "branch", "-qD", name)
    return made


def kept(repo: Path) -> set[str]:
    return set(out(repo, "for-each-ref", "--format=%(refname)", "refs/fleet/spec").splitlines())


def test_what_is_wanted_is_held_and_nothing_else(repo: Path, place: Place) -> None:
    one, two, three = (built(repo, name) for name in ("one", "two", "three"))
    pin(place, "main", one, others=())
    pin(place, "main", two, others={one})
    pin(place, "main", three, others={two})

    assert kept(repo) == {f"refs/fleet/spec/main/{it}" for it in (two, three)}
    out(repo, "reflog", "expire", "--expire=now", "--all")
    out(repo, "gc", "-q", "--prune=now")
    assert [out(repo, "cat-file", "-t", it) for it in (two, three)] == ["commit", "commit"]
    with pytest.raises(Exception, match="128"):
        out(repo, "cat-file", "-t", one)


def test_targets_do_not_meet(repo: Path, place: Place) -> None:
    one, two = built(repo, "one"), built(repo, "two")
    pin(place, "release", one, others=())
    pin(place, "release/2", two, others=())
    pin(place, "release", one, others=())
    assert kept(repo) == {f"refs/fleet/spec/release/{one}", f"refs/fleet/spec/release/2/{two}"}


def test_what_is_gone_keeps_nothing_from_being_held(repo: Path, place: Place) -> None:
    one = built(repo, "one")
    pin(place, "main", one, others={GONE})
    assert kept(repo) == {f"refs/fleet/spec/main/{one}"}
    with pytest.raises(ToolError):
        pin(place, "main", GONE, others={one})
