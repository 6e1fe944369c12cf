import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from branches import commit

from fleet.errors import RefusedError, ToolError
from fleet.tools.git import gates, run, workspaces
from fleet.tools.git.gates import check_out
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.run import Answer

Plain = Callable[..., str]


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


class Gate:
    def __init__(self, place: Place, root: Path, plain: Plain) -> None:
        self.place, self.path, self.lock, self.plain = place, root / "g" / "001", root / "l", plain

    def holds(self, commit: str, *keep: str) -> None:
        """Check out `commit` and compare every file with a plain clone."""
        check_out(self.place, self.path, commit, keep=keep, lock=self.lock)
        copy = self.path.parent / "copy"
        self.plain(self.place.root, "clone", "-q", "--no-checkout", ".", str(copy))
        self.plain(copy, "fetch", "-q", "origin", commit)
        self.plain(copy, "checkout", "-q", "--detach", commit)
        found, wanted = self.files(self.path), self.files(copy)
        shutil.rmtree(copy)
        assert {k: v for k, v in found.items() if k.split("/")[0] not in keep} == wanted
        assert self.plain(self.path, "status", "--porcelain", "--ignored").replace(
            "".join(f"!! {name}/" for name in keep), ""
        ) in ("", *(f"?? {name}/" for name in keep))
        assert self.plain(self.path, "rev-parse", "HEAD") == commit

    def files(self, root: Path) -> dict[str, bytes]:
        return {
            str(file.relative_to(root)): file.read_bytes()
            for file in root.rglob("*")
            if file.is_file() and file.relative_to(root).parts[0] != ".git"
        }


@pytest.fixture
def gate(place: Place, tmp_path: Path, plain: Plain) -> Gate:
    return Gate(place, tmp_path, plain)


@pytest.fixture
def first(repo: Path) -> str:
    return commit(repo, "first", {"src/one.txt": "one\n", "new/file": "n\n"}, start="main")


@pytest.fixture
def second(repo: Path) -> str:
    return commit(repo, "second", {"src/one.txt": None, "new": "a file\n"}, start="main")


def test_a_gate_is_made_and_pointed_anew(gate: Gate, first: str, second: str) -> None:
    gate.holds(first)
    gate.holds(second)
    gate.holds(first)


def test_nothing_that_a_check_left_remains_but_what_is_kept(
    gate: Gate, first: str, second: str, plain: Plain
) -> None:
    gate.holds(first)
    (gate.path / "build").mkdir()
    (gate.path / "build" / "cache").write_text("kept")
    (gate.path / "left.log").write_text("ignored")
    (gate.path / "left").write_text("untracked")
    plain(gate.path, "init", "-q", "nested")
    (gate.path / "src" / "two.txt").write_text("edited")
    plain(gate.path, "checkout", "-q", "-b", "stray")
    plain(gate.path, "add", "left")

    gate.holds(second, "build")

    assert (gate.path / "build" / "cache").read_text() == "kept"
    assert not (gate.path / "nested").exists()
    gate.holds(second)
    assert not (gate.path / "build").exists()


def test_a_gate_heals_when_its_directory_or_its_link_is_gone(
    gate: Gate, first: str, second: str
) -> None:
    gate.holds(first)
    shutil.rmtree(gate.path)
    gate.holds(second)
    (gate.path / ".git").unlink()
    gate.holds(first)


def test_a_gate_heals_from_locks_and_broken_indexes(
    gate: Gate, repo: Path, first: str, second: str
) -> None:
    gate.holds(first)
    admin = repo / ".git" / "worktrees" / "001"
    (admin / "index.lock").write_text("")
    gate.holds(second)
    (admin / "index").write_bytes(b"DIRC not an index at all")
    gate.holds(first)


def test_files_hidden_from_git_do_not_pass_the_gate(
    gate: Gate, first: str, second: str, plain: Plain
) -> None:
    gate.holds(first)
    plain(gate.path, "update-index", "--assume-unchanged", "src/two.txt")
    plain(gate.path, "update-index", "--skip-worktree", "README.md", "docs/guide.md")
    (gate.path / "src" / "two.txt").write_text("green at any rate\n")
    (gate.path / "README.md").write_text("green at any rate\n")
    (gate.path / "docs" / "guide.md").unlink()

    gate.holds(second)


def test_a_gate_is_whole_where_the_user_sees_a_part(
    gate: Gate, repo: Path, first: str, second: str, plain: Plain
) -> None:
    plain(repo, "sparse-checkout", "set", "docs")

    gate.holds(first)
    plain(gate.path, "sparse-checkout", "set", "docs")
    gate.holds(second)

    assert not (repo / "src").exists()


def test_the_users_filters_are_used(gate: Gate, repo: Path, plain: Plain) -> None:
    for name, command in {"smudge": "tr a-z A-Z", "clean": "tr A-Z a-z"}.items():
        plain(repo, "config", "--global", f"filter.shout.{name}", command)
    attributes = {".gitattributes": "*.loud filter=shout\n", "a.loud": "hello\n"}

    gate.holds(commit(repo, "filtered", attributes, start="main"))

    assert (gate.path / "a.loud").read_text() == "HELLO\n"


def test_a_repository_in_the_way_is_left_alone(gate: Gate, first: str, plain: Plain) -> None:
    gate.path.mkdir(parents=True)
    plain(gate.path, "init", "-q")

    with pytest.raises(RefusedError, match="is a repository"):
        gate.holds(first)


def test_a_gate_that_cannot_be_put_right_is_an_error(
    gate: Gate, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "_fault", lambda *_, **__: "x is left over")

    with pytest.raises(ToolError, match=r"does not hold .*: x is left over"):
        gate.holds(first)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("commit", "-q", "--allow-empty", "-m", "x"), "HEAD is at"),
        (("rm", "-q", "--cached", "src/two.txt"), "the index holds another tree"),
        (("update-index", "--skip-worktree", "src/two.txt"), "src/two.txt is left out"),
    ],
)
def test_what_is_wrong_is_seen(
    change: tuple[str, ...], fault: str, gate: Gate, first: str, plain: Plain
) -> None:
    gate.holds(first)
    plain(gate.path, *change)

    assert gates._fault(gate.place, gate.path, first).startswith(fault)


def test_what_cannot_be_cleaned_is_no_gate(
    gate: Gate, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.holds(first)
    real = run.git

    def stubborn(cwd: Path, *args: str, **options: Any) -> Answer:
        if args[0] == "clean":
            raise ToolError("failed to remove left.log")
        return real(cwd, *args, **options)

    monkeypatch.setattr(workspaces, "git", stubborn)
    with pytest.raises(ToolError, match=r"failed to remove left\.log"):
        gate.holds(first)


def test_a_gate_takes_few_processes(
    gate: Gate, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    real = run.git

    def counted(cwd: Path, *args: str, **more: object) -> run.Answer:
        commands.append(args[0])
        return real(cwd, *args, **more)  # type: ignore[arg-type] # passes on what it was given

    gate.holds(first)
    gate.holds(second)
    gate.holds(first)
    for module in (gates, workspaces):
        monkeypatch.setattr(module, "git", counted)
    gate.holds(second)

    assert commands == ["reset", "clean"]
