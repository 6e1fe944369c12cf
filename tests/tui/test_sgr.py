"""Colours of a pane are kept, and nothing else in it is obeyed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color

from fleet.tui.sgr import bare, segments

RED, BLUE = Color.from_ansi(1), Color.from_ansi(12)


def drawn(line: str) -> list[tuple[str, str]]:
    return [(it.text, str(it.style)) for it in segments(line)]


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("plain", [("plain", "none")]),
        ("\x1b[1mbold\x1b[0m no", [("bold", "bold"), (" no", "none")]),
        ("\x1b[1;2;3;4;7;9mall", [("all", "bold dim italic underline reverse strike")]),
        ("\x1b[4;3;7;9m\x1b[24;23;27;29mnone", [("none", "none")]),
        ("\x1b[1;2m\x1b[22mnone", [("none", "none")]),
        ("\x1b[31mr\x1b[39md", [("r", "color(1)"), ("d", "none")]),
        ("\x1b[94;41mb\x1b[49mb", [("b", "color(12) on color(1)"), ("b", "color(12)")]),
        ("\x1b[38;5;200mx", [("x", "color(200)")]),
        ("\x1b[38;2;1;2;3mx", [("x", "#010203")]),
        ("\x1b[48:2::1:2:3mx", [("x", "on #010203")]),
        ("\x1b[38;2;1mx", [("x", "#010000")]),
        ("\x1b[4:3mcurly\x1b[4:0m", [("curly", "underline")]),
        ("\x1b[58;5;9mx", [("x", "none")]),
        ("\x1b[38;9;1mx", [("x", "bold")]),
        ("\x1b[99999999mx", [("x", "none")]),
        ("\x1b[mx", [("x", "none")]),
        ("a\x1b[2Jb\x1b]0;t\x07c", [("abc", "none")]),
        ("a\x1b[", [("a", "none")]),
    ],
)
def test_a_line_is_drawn_in_its_colours(line: str, pieces: list[tuple[str, str]]) -> None:
    said = [(text, style.replace("bright_blue", "color(12)").replace("red", "color(1)"))
            for text, style in drawn(line)]  # fmt: skip
    assert said == pieces


@settings(deadline=None)
@given(st.text(alphabet="\x1b[]0123456789;:mJHx界\x07\x9b ", max_size=60))
def test_nothing_but_colours_is_obeyed(line: str) -> None:
    text = "".join(it.text for it in segments(line))
    assert text.isprintable()
    assert all(it.control is None for it in segments(line))
    assert bare(line).isprintable()
