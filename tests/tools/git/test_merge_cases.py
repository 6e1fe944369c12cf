"""What git makes of the odd cases, as a table: which two sides fit, and how a conflict is told."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit, numbered

from fleet.tools.git import lfs
from fleet.tools.git.merging import Conflicted, Merged, merge_trees, pairs
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.submodules import unpublished

Plain = Callable[..., str]
Files = dict[str, str | None]
LFS = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
UNION = "*.bin filter=lfs merge=union\n"


def pointer(oid: str, size: int = 12) -> str:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid * 64}\nsize {size}\n"


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


ONE = "src/one.txt"
# What the start has besides, what each side does, the files in conflict (None: they fit), and what
# git says of it.
CASES: dict[str, tuple[Files, Files, Files, set[str] | None, str]] = {
    "other lines": ({}, {ONE: numbered(n1="a")}, {ONE: numbered(n20="b")}, None, ""),
    "same line": ({}, {ONE: numbered(n1="a")}, {ONE: numbered(n1="b")}, {ONE}, "(content)"),
    "same change": ({}, {ONE: numbered(n1="a")}, {ONE: numbered(n1="a")}, None, ""),
    "modify and delete": ({}, {ONE: numbered(n1="a")}, {ONE: None}, {ONE}, "(modify/delete)"),
    "both delete": ({}, {ONE: None}, {ONE: None}, None, ""),
    "both add": ({}, {"new": "a\n"}, {"new": "b\n"}, {"new"}, "CONFLICT (add/add)"),
    "rename and modify": (
        {}, {ONE: None, "src/uno.txt": numbered()}, {ONE: numbered(n1="b")}, None, "",
    ),
    "rename and rename": (
        {}, {ONE: None, "src/uno.txt": numbered()}, {ONE: None, "src/eins.txt": numbered()},
        {ONE, "src/uno.txt", "src/eins.txt"}, "CONFLICT (rename/rename)",
    ),
    "renamed directory and new file": (
        {}, {"docs/guide.md": None, "manual/guide.md": "read me\n"}, {"docs/more.md": "more\n"},
        {"manual/more.md"}, "CONFLICT (file location)",
    ),
    "file and directory": (
        {}, {"new": "a\n"}, {"new/b": "b\n"}, {"new~HASH"}, "CONFLICT (file/directory)",
    ),
    "union": ({".gitattributes": "*.txt merge=union\n"},
        {ONE: numbered(n1="a")}, {ONE: numbered(n1="b")}, None, ""),
    "no merge": ({".gitattributes": "*.txt -merge\n"},
        {ONE: numbered(n1="a")}, {ONE: numbered(n20="b")}, {ONE}, "CONFLICT (content)"),
    "binary": ({"logo": "\0" + numbered()},
        {"logo": "\0" + numbered(n1="a")}, {"logo": "\0" + numbered(n20="b")},
        {"logo"}, "Cannot merge binary files: logo"),
    "line ends of one side": (
        {}, {ONE: crlf(numbered())}, {ONE: numbered(n1="b")}, {ONE}, "CONFLICT (content)",
    ),
    "lfs on both sides": ({".gitattributes": LFS, "a.bin": pointer("0")},
        {"a.bin": pointer("1")}, {"a.bin": pointer("2")}, {"a.bin"}, "CONFLICT (content)"),
    "lfs on one side": ({".gitattributes": LFS, "a.bin": pointer("0")},
        {"a.bin": pointer("1")}, {"b.bin": pointer("2")}, None, ""),
    "lfs by union": ({".gitattributes": UNION, "a.bin": pointer("0")},
        {"a.bin": pointer("1")}, {"a.bin": pointer("2")}, {"a.bin"}, "CONFLICT (lfs)"),
    "lfs beside text": ({".gitattributes": LFS, "a.bin": pointer("0")},
        {ONE: numbered(n1="a")}, {ONE: numbered(n20="b")}, None, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_fits_and_what_does_not(repo: Path, name: str) -> None:
    before, left, right, wanted, said = CASES[name]
    start = commit(repo, "start", before, start="main")
    ours, theirs = (commit(repo, side, files, start=start) for side, files in
                    (("ours", left), ("theirs", right)))  # fmt: skip

    merged = merge_trees(locate(repo), into=ours, change=theirs)

    if wanted is None:
        assert isinstance(merged, Merged)
        return
    assert isinstance(merged, Conflicted)
    assert {it.replace(ours, "HASH").replace(theirs, "HASH") for it in merged.files} == wanted
    assert any(said in kind for kind in merged.kinds), merged.kinds
    assert not [kind for kind in merged.kinds if kind.startswith("Auto-merging")]


def test_where_no_file_is_kept_by_lfs_nothing_is_asked(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = commit(repo, "start", {".gitattributes": "*.txt text\n"}, start="main")
    place = locate(repo)
    lfs.kept_by_lfs(place, [ONE], attributes=start)
    monkeypatch.setattr(lfs, "git", None)

    assert lfs.kept_by_lfs(place, [ONE], attributes=start) == ()


# --- submodules -----------------------------------------------------------------------------

ALLOW = ("-c", "protocol.file.allow=always")


@pytest.fixture
def place(repo: Path, plain: Plain) -> Place:
    """Return `repo` with a submodule `lib`, a clone of `origin` beside it."""
    origin = repo.parent / "origin"
    plain(repo.parent, "clone", "-q", "--bare", str(repo), str(origin))
    plain(repo, *ALLOW, "submodule", "--quiet", "add", "--name", "the lib", str(origin), "lib")
    plain(repo, "commit", "-qm", "submodule")
    return locate(repo)


def bump(place: Place, plain: Plain, branch: str, text: str) -> str:
    """Commit in the submodule, and that on a new branch of the repository."""
    lib = place.root / "lib"
    plain(lib, "checkout", "-q", "--detach", "main")
    (lib / "new.txt").write_text(text)
    plain(lib, "add", "-A")
    plain(lib, "commit", "-qm", text)
    plain(place.root, "checkout", "-q", "-b", branch, "main")
    plain(place.root, "commit", "-qam", f"bump to {text}")
    tip = plain(place.root, "rev-parse", "HEAD")
    plain(place.root, "checkout", "-q", "main")
    return tip


def test_a_submodule_that_both_sides_moved_conflicts(place: Place, plain: Plain) -> None:
    one, two = bump(place, plain, "one", "1\n"), bump(place, plain, "two", "2\n")

    merged = merge_trees(place, into=one, change=two)

    assert isinstance(merged, Conflicted)
    assert merged.files == ("lib",)
    assert any("lib" in kind for kind in merged.kinds)
    [tried] = pairs(place, [(one, two)], attributes="main")
    assert isinstance(tried, Conflicted)
    assert tried.files == ("lib",)
    assert isinstance(merge_trees(place, into="main", change=one), Merged)


def test_a_submodule_s_commit_must_be_on_its_remote(place: Place, plain: Plain) -> None:
    tip = bump(place, plain, "one", "1\n")
    assert unpublished(place, base="main", commit=tip) == ("lib",)

    head = plain(place.root, "rev-parse", f"{tip}:lib")
    plain(place.root / "lib", "push", "-q", "origin", f"{head}:refs/heads/new")

    assert unpublished(place, base="main", commit=tip) == ()


def test_nobody_knows_a_submodule_that_has_no_copy_here(place: Place, plain: Plain) -> None:
    tip = bump(place, plain, "one", "1\n")
    shutil.rmtree(place.git_dir / "modules")

    assert unpublished(place, base="main", commit=tip) == ("lib",)


def test_what_moves_no_submodule_is_not_asked_about(place: Place, repo: Path) -> None:
    tip = commit(repo, "plain", {"a": "a\n"}, start="main")

    assert unpublished(place, base="main", commit=tip) == ()


def test_a_link_that_gitmodules_does_not_name_is_nowhere(place: Place, plain: Plain) -> None:
    bump(place, plain, "one", "1\n")
    plain(place.root, "checkout", "-q", "one")
    plain(place.root, "rm", "-q", "--cached", ".gitmodules")
    plain(place.root, "commit", "-qm", "nameless")

    assert unpublished(place, base="main", commit="one") == ("lib",)
