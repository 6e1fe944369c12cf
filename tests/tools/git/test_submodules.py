import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.errors import RefusedError
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.submodules import unpublished
from fleet.tools.git.workspaces import create, recycle

Plain = Callable[..., str]
ALLOW = ("-c", "protocol.file.allow=always")


@pytest.fixture
def place(repo: Path, plain: Plain) -> Place:
    """Return `repo` with a submodule `lib`, whose origin is gone."""
    origin = repo.parent / "origin"
    plain(repo.parent, "clone", "-q", str(repo), str(origin))
    plain(repo, *ALLOW, "submodule", "--quiet", "add", "--name", "the lib", str(origin), "lib")
    plain(repo, "commit", "-qm", "submodule")
    shutil.rmtree(origin)
    return locate(repo)


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    return tmp_path / "w" / "001"


def test_submodules_come_from_the_repository_itself(
    place: Place, slot: Path, tmp_path: Path, plain: Plain
) -> None:
    config = (place.git_dir / "config").read_bytes()

    create(place, slot, "main", lock=tmp_path / "lock")

    assert (slot / "lib" / "README.md").read_text() == "hello\n"
    assert plain(slot, "status", "--porcelain") == ""
    assert (place.git_dir / "config").read_bytes() == config


def test_submodules_that_the_user_does_not_use_stay_empty(
    place: Place, slot: Path, tmp_path: Path, plain: Plain
) -> None:
    plain(place.root, "submodule", "--quiet", "deinit", "lib")

    create(place, slot, "main", lock=tmp_path / "lock")

    assert not list((slot / "lib").iterdir())


def test_a_submodule_without_a_copy_is_said(place: Place, slot: Path, tmp_path: Path) -> None:
    shutil.rmtree(place.git_dir / "modules")

    with pytest.raises(RefusedError, match="the submodule lib cannot be checked out: it has no"):
        create(place, slot, "main", lock=tmp_path / "lock")


def test_a_copy_without_the_commit_wanted_is_said(
    place: Place, slot: Path, tmp_path: Path, plain: Plain
) -> None:
    unknown = "1" * 40
    plain(place.root, "update-index", "--cacheinfo", f"160000,{unknown},lib")
    plain(place.root, "commit", "-qm", "unknown")

    with pytest.raises(RefusedError, match="the submodule lib cannot be checked out: ") as caught:
        create(place, slot, "main", lock=tmp_path / "lock")

    assert caught.value.hint == "type: git submodule update --init"


def test_recycling_cleans_submodules(
    place: Place, slot: Path, tmp_path: Path, plain: Plain
) -> None:
    create(place, slot, "main", lock=tmp_path / "lock")
    (slot / "lib" / "README.md").write_text("edited")
    (slot / "lib" / "new.txt").write_text("new")

    recycle(place, slot, plain(place.root, "rev-parse", "main"), keep=())

    assert plain(slot, "status", "--porcelain", "--ignored") == ""
    assert (slot / "lib" / "README.md").read_text() == "hello\n"


def test_a_workspace_s_submodule_has_the_remote_that_the_user_s_has(
    place: Place, slot: Path, tmp_path: Path, plain: Plain
) -> None:
    """What is pushed there is pushed to others, and what nobody pushed is on no remote branch."""
    lib = place.root / "lib"
    asked = ("for-each-ref", "--format=%(refname) %(objectname)", "refs/remotes")
    (lib / "mine.txt").write_text("mine\n")
    plain(lib, "add", "-A")
    plain(lib, "commit", "-qm", "nobody has this yet")
    mine = plain(lib, "rev-parse", "HEAD")
    plain(place.root, "commit", "-qam", "ahead of the remote")

    create(place, slot, "main", lock=tmp_path / "lock")

    for _ in range(2):
        here = slot / "lib"
        assert plain(here, "rev-parse", "HEAD") == mine
        assert plain(here, "remote", "get-url", "origin") == str(place.root.parent / "origin")
        assert plain(here, *asked) == plain(lib, *asked)
        assert unpublished(place, base="main~1", commit="main") == ("lib",)
        recycle(place, slot, plain(place.root, "rev-parse", "main"), keep=())


def test_a_remote_inside_the_repository_itself_is_none(
    place: Place, slot: Path, tmp_path: Path, plain: Plain
) -> None:
    create(place, slot, "main", lock=tmp_path / "lock")
    lib = slot / "lib"
    (lib / "mine.txt").write_text("mine\n")
    plain(lib, "add", "-A")
    plain(lib, "commit", "-qm", "nobody has this yet")
    plain(lib, "remote", "set-url", "origin", str(place.git_dir / "modules" / "the lib"))
    plain(lib, "push", "-q", "origin", "HEAD:refs/heads/new")
    plain(slot, "commit", "-qam", "bump")

    assert unpublished(place, base="main", commit=plain(slot, "rev-parse", "HEAD")) == ("lib",)
