"""What Gemini CLI's screen and title say; the screens were recorded with version 0.61.0."""

from pathlib import Path

import pytest

from fleet.agents.adapter import SaysIdle, SaysWaiting, SaysWorking, Signal
from fleet.agents.gemini.adapter import GeminiAdapter

SCREENS = Path(__file__).parent.parent / "data" / "screens"
GEMINI = GeminiAdapter()
DIALOG = "an answer to the dialog in its pane"
LIMIT = "Usage limit reached for gemini-3.8-flash. Access resets at 6:11 AM UTC."


def recorded(name: str) -> str:
    return (SCREENS / f"gemini-{name}.txt").read_text()


@pytest.mark.parametrize(
    ("screen", "says"),
    [
        ("trust", SaysWaiting("trust in this directory", "trust")),
        ("folders", SaysWaiting("trust in further directories", "trust")),
        ("limit", SaysWaiting(LIMIT, "question")),
        ("permission", SaysWaiting(DIALOG, "question")),
        ("question", SaysWaiting(DIALOG, "question")),
    ],
)
def test_a_dialog_that_no_hook_tells_of_is_seen(screen: str, says: Signal) -> None:
    assert GEMINI.read_screen(recorded(screen)) == (says,)


@pytest.mark.parametrize("screen", ["idle", "working", "interrupted", "failed"])
def test_where_no_dialog_is_open_the_screen_says_nothing(screen: str) -> None:
    assert GEMINI.read_screen(recorded(screen)) == ()


def test_it_asks_what_to_do_where_a_model_is_in_demand() -> None:
    said = "We are currently experiencing high demand for all Pro models."
    box = f"╭────╮\n│ {said} │\n│ ● 1. Keep trying │\n╰────╯\n"
    assert GEMINI.read_screen(box) == (SaysWaiting(said, "question"),)


def test_a_dialog_in_the_history_is_none() -> None:
    both = recorded("trust").rstrip() + "\n\n" + recorded("idle").lstrip()
    assert GEMINI.read_screen(both) == ()
    assert GEMINI.read_screen(recorded("trust") + "an answer that quotes it") == ()


@pytest.mark.parametrize("text", ["", "\n\n", "╰", "╭\n╰", "╰──╯\n╰──╯", "\x1b[31m╭\n│ ● 1. x"])
def test_a_torn_screen_says_nothing(text: str) -> None:
    assert GEMINI.read_screen(text) == ()


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("◇  Ready (shop)" + " " * 65, (SaysIdle(),)),
        ("✦  Working… (shop)" + " " * 62, (SaysWorking(),)),
        ("✦  ◇ a thought of the model's (shop)", (SaysWorking(),)),
        ("⏲  Working… (shop)", (SaysWorking(),)),
        ("  ✋  Action Required (shop)", (SaysWaiting(DIALOG, "question"),)),
        ("Gemini CLI (shop)", ()),
        ("host: ✋", ()),
        ("", ()),
        ("   ", ()),
    ],
)
def test_the_title_says_what_it_does(title: str, says: tuple[Signal, ...]) -> None:
    assert GEMINI.read_title(title) == says


def test_the_input_line_is_read() -> None:
    assert GEMINI.input_line(recorded("input-empty")) == ""
    assert GEMINI.input_line(recorded("input-filled")) == "some words in it"


def test_several_rows_of_it_are_read() -> None:
    filled = recorded("input-filled")
    row = next(line for line in filled.split("\n") if "some words" in line)
    more = filled.replace(row, f"{row}\n   and more")
    assert GEMINI.input_line(more) == "some words in it\nand more"


def test_a_cursor_before_typed_words_hides_none() -> None:
    at_start = recorded("input-filled").replace(
        "some words in it\x1b[7m\x1b[39m ", "\x1b[7msome\x1b[0m words in it "
    )
    assert GEMINI.input_line(at_start) == "some words in it"


@pytest.mark.parametrize("screen", ["permission", "question", "trust", "limit"])
def test_a_dialog_has_no_input_line(screen: str) -> None:
    assert GEMINI.input_line(recorded(screen)) is None
