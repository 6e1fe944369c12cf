"""What is read of a change: files, lines and blobs, whatever their names and sizes."""

from pathlib import Path

import measured
from measured import Changed

from fleet.evaluation import source as reading
from fleet.evaluation.source import Source


def test_lines_have_the_numbers_they_have_in_their_files(changed: Changed) -> None:
    before = "".join(f"{number}\n" for number in range(1, 11))
    after = before.replace("3\n", "drei\n").replace("9\n", "").replace("1\n", "1\nnew\n", 1)

    file = changed({"a.txt": before}, {"a.txt": after}).files[0]

    assert (file.added, file.removed, file.lines) == (2, 2, 4)
    assert file.new == {2: "new", 4: "drei"}
    assert file.gone == {3: "3", 9: "9"}


def test_a_renamed_file_is_one_file(changed: Changed) -> None:
    held = "".join(f"line {number}\n" for number in range(30))

    (file,) = changed({"old.py": held}, {"old.py": None, "new.py": held + "more\n"}).files

    assert (file.old_path, file.path, file.status) == ("old.py", "new.py", "R")
    assert file.new == {31: "more"}


def test_names_may_be_anything(changed: Changed) -> None:
    name = 'a "quoted"\tand\nlong ß.py'

    (file,) = changed({}, {name: "x = 1\n"}).files

    assert (file.path, file.new) == (name, {1: "x = 1"})


def test_lines_that_look_like_a_patch_are_lines(changed: Changed) -> None:
    held = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\nindex 1234567..89abcde\n"

    a, b = changed({"a": "+++ x\n-- y\n"}, {"a": "--- z\n", "b": held}).files

    assert (a.new, a.gone) == ({1: "--- z"}, {1: "+++ x", 2: "-- y"})
    assert list(b.new.values()) == held.splitlines()


def test_binary_and_large_files_have_no_text(changed: Changed) -> None:
    large = "x" * (reading.MOST_BLOB + 1)

    source = changed({}, {"a.bin": b"\0\1", "b.txt": large, "c.txt": "c\n"})
    held = {file.path: source.new(file) for file in source.files}

    assert held == {"a.bin": None, "b.txt": None, "c.txt": "c\n"}


def test_contents_are_given_in_order(changed: Changed) -> None:
    source = changed({f"{number}.txt": f"{number}\n" * 999 for number in range(50)}, {"x": "x"})
    entries = source.tree()

    held = list(source.contents(entry.blob for entry in entries))

    assert [len(it) for it in held] == [entry.size for entry in entries]
    assert held[entries.index(next(it for it in entries if it.path == "7.txt"))] == b"7\n" * 999


def test_a_patch_without_end_is_cut(tmp_path: Path) -> None:
    base = measured.commit(tmp_path, {"a": ""})
    sealed = measured.commit(tmp_path, {"a": "long line\n" * 1_000_000})

    with Source(tmp_path / ".git", base, sealed) as source:
        assert source.cut
        assert source.files[0].added == 1_000_000
