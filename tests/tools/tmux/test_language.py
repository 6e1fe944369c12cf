"""The two directions of control mode, without a tmux."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.tools.tmux.language import Block, Parser, line, quote

TALK = (
    b"%begin 10 1 0\n%end 10 1 0\n%session-changed $0 _hub\n"
    b"%begin 10 2 1\nfirst\n%end 9 2 1\n%end\n\n%end 10 2 1\n"
    b"%begin 11 3 1\nno such pane\n%error 11 3 1\n%exit\n"
)
BLOCKS = [
    Block([], failed=False, ours=False),
    Block(["first", "%end 9 2 1", "%end", ""], failed=False, ours=True),
    Block(["no such pane"], failed=True, ours=True),
]


@given(st.lists(st.integers(0, len(TALK)), max_size=5))
def test_replies_are_found_however_the_bytes_are_cut(cuts: list[int]) -> None:
    parser = Parser()
    edges = [0, *sorted(cuts), len(TALK)]

    blocks = [block for a, z in pairwise(edges) for block in parser.feed(TALK[a:z])]

    assert blocks == BLOCKS
    assert list(parser.notices) == ["%session-changed $0 _hub", "%exit"]


def test_notices_are_kept_within_bounds() -> None:
    parser = Parser()

    parser.feed(b"%sessions-changed\n" * 1000)

    assert len(parser.notices) == 100


def test_bytes_that_are_no_text_do_not_stop_the_reader() -> None:
    assert Parser().feed(b"%begin 1 1 1\n\xff\n%end 1 1 1\n")[0].lines == [
        "\N{REPLACEMENT CHARACTER}"
    ]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_command_is_always_one_line(argument: str) -> None:
    assert line([("set-buffer", argument)]).count("\n") == 1


def test_what_cannot_be_said_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")
    with pytest.raises(ValueError, match="empty command"):
        line([("display-message",), ()])
