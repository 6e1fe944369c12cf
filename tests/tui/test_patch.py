"""Patches read into files and numbered lines, whatever git, a file's name or an agent wrote."""

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from reviews import PATCH

from fleet.tui.views.marked import parsed
from fleet.tui.views.reading import Document


def lines(document: Document) -> list[str]:
    return [f"{row.lead}{row.sign}{row.text}".rstrip() for row in document.rows]


def labels(document: Document) -> list[tuple[str, str]]:
    return [(it.label, "".join(span.text for span in it.note)) for it in document.sections]


def test_files_and_their_sizes() -> None:
    assert labels(parsed(PATCH)) == [
        ("src/export.py", "+5 -3"),
        ("docs/new name.md", "+1 -1"),
        ("logo.png", "binary"),
        ("src/über.py", "+0 -2"),
    ]


def test_renames_binaries_and_deletions_are_said() -> None:
    titles = [row.text for row in parsed(PATCH).rows if row.style == "file"]
    assert titles == [
        "src/export.py",
        "docs/new name.md   renamed from docs/old name.md",
        "logo.png   new, binary",
        "src/über.py   deleted",
    ]


def test_lines_have_the_number_of_their_own_side() -> None:
    shown = lines(parsed(PATCH))
    assert '   4 -    with open(path, "w") as file:' in shown
    assert '   4 +    with open(path, "w", encoding="utf-8") as file:' in shown
    assert "   8      return path" in shown
    assert "     \\ No newline at end of file" in shown


def test_one_reads_hunk_by_hunk() -> None:
    document = parsed(PATCH)
    assert [document.rows[stop].text for stop in document.stops] == [
        "lines 1-8  def export(rows):",
        "lines 41-44  class Exporter:",
        "line 3",
        "lines 1-2",
    ]


def test_lines_that_look_like_heads_are_lines() -> None:
    patch = (
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n"
        "--- a/y\n+++ b/y\n diff --git a/z b/z\n @@ -1 +1 @@\n"
    )
    document = parsed(patch)
    assert labels(document) == [("x", "+1 -1")]
    assert lines(document)[2:] == [
        "   1 --- a/y",
        "   1 +++ b/y",
        "   2  diff --git a/z b/z",
        "   3  @@ -1 +1 @@",
    ]


def test_a_mode_alone_is_a_change() -> None:
    patch = "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    assert parsed(patch).rows[0].text == "run   mode 100644, → 100755"


def test_what_was_left_out_is_said() -> None:
    assert parsed(PATCH, cut=True).rows[-1].text == "the rest is too long for a screen"


def test_runs_of_one_length_replace_each_other() -> None:
    document = parsed(PATCH)
    twins = [(document.rows[a].text, document.rows[b].text) for a, b in document.twins.items()]
    assert ("how to export", "how to export JSON") in twins
    assert len(twins) == 6


@given(st.text(max_size=300))
def test_nonsense_is_read_without_complaint(text: str) -> None:
    parsed(text)
    parsed(f"diff --git a/x b/x\n@@ -1,9 +1,9 @@\n{text}")


def test_names_as_git_really_writes_them(tmp_path: Path) -> None:
    names = ["plain", "with blank", 'qu"ote', "tab\there", "über", "new\nline", "a b/c b/d"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    git = ("git", "-C", str(tmp_path))
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    out = subprocess.run([*git, "diff", "--cached"], check=True, capture_output=True)
    found = {label for label, _ in labels(parsed(out.stdout.decode(errors="replace")))}
    assert found == {"plain", "with blank", 'qu"ote', "tab here", "über", "new␊line", "a b/c b/d"}
