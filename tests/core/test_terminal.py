"""Text of other people cannot command a terminal; each row of a screen can be drawn by itself."""

import pytest

from fleet.core.terminal import clean, clean_lines, clean_row, clean_screen

RED, RESET = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("row", "colour", "shown", "after"),
    [
        ("plain", "", "plain", ""),
        ("", "31", "", "31"),
        (f"{RED}red", "", f"{RED}red{RESET}", "31"),
        (f"{RED}red{RESET} plain", "", f"{RED}red{RESET} plain{RESET}", ""),
        ("still red", "31", f"{RED}still red{RESET}", "31"),
        ("\x1b[1;32mx", "31", "\x1b[31m\x1b[1;32mx" + RESET, "32;1"),
        ("\x1b[38;5;200;4mx", "", "\x1b[38;5;200;4mx" + RESET, "38;5;200;4"),
        ("\x1b[38;2;1;2;3mx\x1b[91my", "1", "\x1b[1m\x1b[38;2;1;2;3mx\x1b[91my" + RESET, "1;91"),
        (
            "\x1b[48:5:7mx\x1b[39;22m",
            "1;31",
            "\x1b[1;31m\x1b[48:5:7mx\x1b[39;22m" + RESET,
            "48:5:7",
        ),
        ("\x1b[4:3mx\x1b[4:0m", "", "\x1b[4:3mx\x1b[4:0m" + RESET, ""),
        ("\x1b[mx", "1", "\x1b[1m\x1b[mx" + RESET, ""),
        ("\x1b[107mx\x1b[49m", "", "\x1b[107mx\x1b[49m" + RESET, ""),
        ("\x1b[38mx", "", "\x1b[38mx" + RESET, "38"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "", "link", ""),
        ("a\x1b[2Jb\x07c\x0e\td\n\x9b1me", "", "abc de", ""),
    ],
)
def test_a_row(row: str, colour: str, shown: str, after: str) -> None:
    assert clean_row(row, colour) == (shown, after)


@pytest.mark.parametrize("text", ["日本", "e\u0301", "\U0001f469\u200d\U0001f4bb", "\u2764\ufe0f"])
def test_wide_and_combined_signs_are_left_as_they_are(text: str) -> None:
    assert clean_row(text) == (text, "")
    assert clean_screen(text) == text


def test_what_turns_the_direction_of_text_is_taken_away() -> None:
    assert clean_row("a\u202eb") == ("ab", "")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;YWJj\x1b\\after", "after"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("\x1b(Bafter", "after"),
        ("\x9b2Jafter", "after"),
        ("two\nlines\tand\rmore", "two lines and more"),
        ("back\b\bspace\x00", "backspace"),
        ("right\u202eleft", "rightleft"),
        ("no\u00a0break", "no break"),
        ("\x1b", ""),
        ("日本 é ✓", "日本 é ✓"),
    ],
)
def test_a_line_holds_nothing_that_a_terminal_obeys(given: str, shown: str) -> None:
    assert clean(given) == shown


def test_lines_keep_their_ends_and_tabs() -> None:
    assert clean_lines("a\n\tb\r\n\x1b[2Jc") == "a\n\tb\nc"


def test_a_screen_keeps_its_colours_only() -> None:
    shown = clean_screen("\x1b[1;31mred\x1b[2J\x1b[H\x1b]0;t\x07 end")
    assert shown == "\x1b[1;31mred end\x1b[0m"
    assert clean_screen("plain\x1b[2J") == "plain"
