"""Long texts as lines: what is made of text that nobody may trust, and where readers go in it."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from fleet.tui.cells import Line, Span, length
from fleet.tui.views.reading import (
    Document,
    Page,
    Row,
    Section,
    after,
    before,
    found,
    section_at,
    visible,
    window,
)


def text(line: Line) -> str:
    return "".join(span.text for span in line)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("plain", "plain"),
        ("\tx\ty", "    x   y"),
        ("a\tb", "a   b"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("end\r", "end␍"),
        ("\x07\x00\x7f\x9b", "␇␀␡⟨9b⟩"),
        ("if admin\u202e\u2066: #", "if admin⟨202e⟩⟨2066⟩: #"),
        ("zero\u200bwidth\xa0\ufeff", "zero⟨200b⟩width⟨a0⟩⟨feff⟩"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301"),
        ("❤\ufe0f", "❤"),
        ("名前\t.", "名前    ."),
        ("שלום", "שלום"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_seen(written: str, seen: str) -> None:
    assert visible(written) == seen


@example("\x80\U00014647\U000a0c2e", 0, 16, "E")  # a mark begins where the room ends
@given(st.text(max_size=60), st.integers(0, 30), st.integers(1, 30), st.text(max_size=3))
def test_no_text_is_wider_than_its_room(written: str, left: int, columns: int, needle: str) -> None:
    page = Page(Document((Row(written, "added"),)), columns, left=left, needle=needle)
    line = page[0]
    assert length(line) <= columns
    assert cell_len(text(line)) <= columns
    assert all(sign.isprintable() for sign in text(line))


def test_a_line_of_a_megabyte_costs_what_is_seen_of_it() -> None:
    line = Page(Document((Row("x" * 1_000_000),)), 40, left=100)[0]
    assert text(line) == "x" * 39 + "…"


def test_only_what_is_seen_of_a_long_document_is_made() -> None:
    read = 0

    class Counted(list[Row]):
        def __getitem__(self, place: Any) -> Any:
            nonlocal read
            read += 1
            return super().__getitem__(place)

    page = Page(Document(Counted([Row("x")] * 50_000)), 80)
    assert len(page) == 50_000
    assert len(page[100:124]) == 24
    assert read == 24


class TestWindows:
    def test_what_is_left_of_it_is_cut(self) -> None:
        assert text(window((Span("abcdef"), Span("ghi")), 4, 10)) == "efghi"

    def test_half_of_a_wide_sign_is_a_blank(self) -> None:
        assert text(window((Span("名前x"),), 1, 10)) == " 前x"

    def test_what_is_right_of_it_is_marked(self) -> None:
        assert text(window((Span("abcdef"),), 1, 3)) == "bc…"

    def test_styles_stay(self) -> None:
        assert window((Span("ab", "good"), Span("cd", "bad")), 1, 9) == (
            Span("b", "good"),
            Span("cd", "bad"),
        )


class TestMarks:
    def test_what_differs_between_twins_is_marked(self) -> None:
        rows = (Row("call(a, b)", "removed"), Row("call(a, b, c)", "added"))
        page = Page(Document(rows, twins={0: 1, 1: 0}), 80)
        assert Span(", c", "added added-word") in page[1]
        assert [span.style for span in page[0]][2:] == ["removed"]

    def test_lines_that_have_little_in_common_are_not(self) -> None:
        rows = (Row("return None", "removed"), Row("yield from them", "added"))
        page = Page(Document(rows, twins={0: 1, 1: 0}), 80)
        assert all("word" not in span.style for line in page for span in line)

    def test_what_is_looked_for_is_marked_as_text(self) -> None:
        page = Page(Document((Row("a.b A.B axb"),)), 80, needle="a.b")
        assert [span.text for span in page[0] if span.style == "found"] == ["a.b", "A.B"]


class TestPlaces:
    document = Document(
        tuple(Row(it) for it in ("one", "Two", "three", "two")),
        (Section(0, "a"), Section(2, "b")),
    )

    def test_found_in_any_letters(self) -> None:
        assert found(self.document, "two") == [1, 3]
        assert found(self.document, "") == []

    def test_the_next_and_the_one_before(self) -> None:
        assert (after([1, 3], 1), after([1, 3], 3)) == (3, None)
        assert (before([1, 3], 3), before([1, 3], 1)) == (1, None)

    def test_which_section_a_row_is_in(self) -> None:
        assert [section_at(self.document, row) for row in range(4)] == [0, 0, 1, 1]
        assert section_at(Document(), 0) is None
