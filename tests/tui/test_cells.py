"""Nothing that is shown takes more room than it was given, or commands the terminal."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from fleet.tui.cells import LONGEST, Span, cropped, cut, fit, length, pad, spread, tidy, wrapped

NASTY = (
    "\x1b]0;t\x07",
    "\x1b[2J\x1b[H",
    "[red]x[/]",
    "مرحبا",
    "👩‍👩‍👧",
    "e" + "\u0301" * 9,
    "界" * 99,
    "\u202eab",
)
TEXT = st.one_of(
    st.text(), st.sampled_from(NASTY), st.text(alphabet="a \x1b[]m界é\u0301👩\u200d\ufe0f")
)
COLUMNS = st.integers(-1, 40)


@settings(deadline=None)
@given(TEXT)
def test_tidy_text_is_one_line_that_nothing_obeys(text: str) -> None:
    shown = tidy(text)
    assert shown.isprintable() or shown == ""
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in shown)
    assert tidy(shown) == shown


@settings(deadline=None)
@given(TEXT, COLUMNS)
def test_text_takes_exactly_the_room_it_is_given(text: str, columns: int) -> None:
    shown = tidy(text)
    room = max(columns, 0)
    assert cell_len(cut(shown, columns)) <= room
    assert cell_len(fit(shown, columns)) <= max(room, 0)
    assert cell_len(pad(shown, columns)) == max(room, 0)
    assert cell_len(pad(shown, columns, right=True)) == max(room, 0)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=2), st.integers(4, 60))
def test_lines_keep_to_their_columns(left: list[str], right: list[str], columns: int) -> None:
    first = tuple(Span(tidy(text)) for text in left)
    second = tuple(Span(tidy(text)) for text in right)
    assert length(cropped(first, columns)) <= columns
    assert length(spread(first, second, columns)) <= columns


@settings(deadline=None)
@given(TEXT, st.integers(2, 30))
def test_wrapped_text_loses_no_word(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert all(cell_len(line) <= columns for line in lines)
    whole = "".join("".join(tidy(line).split()) for line in text.splitlines())
    assert "".join("".join(line.split()) for line in lines) == whole


def test_a_megabyte_on_one_line_is_but_its_beginning() -> None:
    assert len(tidy("x" * 1_000_000)) == LONGEST
    assert len(tidy("\x1b[31m" + "界" * 1_000_000)) <= LONGEST


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u0301\u0301\u0301\u0301b", "a\u0301\u0301b"),
        ("❤\ufe0f", "❤"),
        ("👍\U0001f3fd no\u3164body", "👍 nobody"),
        ("right\u202eleft", "rightleft"),
        ("[bold]no markup[/]", "[bold]no markup[/]"),
        ("\x1b]0;title\x07name", "name"),
    ],
)
def test_what_misleads_is_left_out(text: str, shown: str) -> None:
    assert tidy(text) == shown


def test_what_is_cut_says_so() -> None:
    assert fit("importer", 5) == "impo…"
    assert fit("界界界", 4) == "界…"
    assert cropped((Span("abc", "x"), Span("defgh")), 5) == (Span("abc", "x"), Span("d…"))
