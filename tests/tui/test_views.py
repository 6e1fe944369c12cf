"""What screens say: columns give way by importance, needs are in full, and all is clean."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from screens import FAILED, NOON, PASSED, asking, changed, everything, live, picture

from fleet.core.rows import Ask, LiveRow, QueueCheck
from fleet.tui.cells import Line, length
from fleet.tui.keys import KEYS, works_on
from fleet.tui.model import EMPTY, Model, fold, listed
from fleet.tui.refusals import Context
from fleet.tui.views import bars, detail, helping
from fleet.tui.views.table import COLUMNS, Table, checks, heading

ALL = fold(EMPTY, picture(*everything()))
SIZES = (40, 80, 120, 200)


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def table(model: Model, columns: int) -> list[str]:
    made = Table()
    lines = made.lines(listed(model), NOON, columns, "importer")
    return [text(heading(made.widths)), *map(text, lines)]


def about(selected: LiveRow, columns: int = 80) -> list[str]:
    model = fold(EMPTY, picture(selected))
    context = Context(model=model, live=selected)
    return [text(line) for line in detail.needs(selected, list(KEYS), context, columns)]


@pytest.mark.parametrize("columns", SIZES)
def test_rows_are_as_wide_as_the_screen(columns: int) -> None:
    heads = {"  needs you  4", "  working  4", "  merge queue  2", "  ended  1"}
    lines = [line for line in table(ALL, columns) if line not in heads]
    assert {len(line) for line in lines} == {columns}


def test_columns_give_way_by_their_importance() -> None:
    there = {columns: set(table(ALL, columns)[0].split()) for columns in SIZES}
    assert there[40] == {"task", "now"} | (there[40] & {"status", "age"})
    assert {"task", "status", "age", "now", "±"} <= there[80]
    assert there[200] == {column.head for column in COLUMNS}


def test_a_column_without_anything_takes_no_room() -> None:
    assert table(fold(EMPTY, picture(live("a"))), 120)[0].split() == [
        *("task", "agent", "status", "age", "now")
    ]


def test_a_row_says_what_is_known() -> None:
    row = next(line for line in table(ALL, 120) if "export-json" in line)
    for said in ("reviewer", "review", "1h", "3 files", "+182 -40", "✓2", "$2.07"):
        assert said in row
    assert "▌ importer" in "\n".join(table(ALL, 120))


def test_ages_grow_and_lines_are_made_anew_only_then() -> None:
    made, entries = Table(), listed(ALL)
    first = made.lines(entries, NOON, 120, None)[1]
    assert made.lines(entries, NOON, 120, None)[1] is first
    later = made.lines(entries, NOON + timedelta(hours=2), 120, None)[1]
    assert "2h" in text(later)
    assert made.lines(entries, NOON, 120, "importer")[1] != first
    news = fold(ALL, picture(changed(ALL.tasks["importer"], added=777)))
    assert "+777" in text(made.lines(listed(news), NOON, 120, None)[1])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((), ""),
        ((PASSED, PASSED), "✓2"),
        ((PASSED, FAILED), "✗1"),
        ((PASSED, QueueCheck(name="x", state="running", seconds=0, log="")), "1/2"),
    ],
)
def test_checks_in_a_few_signs(found: tuple[QueueCheck, ...], said: str) -> None:
    assert checks(found).text == said


def test_a_need_is_said_in_full_with_its_keys() -> None:
    said = about(asking("importer"))
    assert said[0].strip() == "wants to run Shell"
    assert [line.strip("▏ ") for line in said[1:3]] == [
        "rm -rf build && make -j8 all",
        "make install",
    ]
    assert said[-1].split() == ["y", "allow", "N", "deny", "space", "send", "⏎", "attach"]


def test_what_passes_by_itself_is_said_calmly() -> None:
    waits = "too many requests: goes on at 12:10:00 UTC"
    selected = live("a", of={"waits": waits, "status": "waiting"}, doing="Bash: make")
    (row,) = [line for line in table(fold(EMPTY, picture(selected)), 120) if " a " in line]
    assert waits in row
    assert "make" not in row
    assert about(selected)[0].strip() == waits


def test_a_question_is_said_once_with_its_choices() -> None:
    said = about(everything()[1])
    assert sum("which database" in line.casefold() for line in said) == 1
    assert "   2 SQLite, a file beside it" in said
    assert "1-3 answer" in said[-1]
    assert "allow" not in said[-1]


def test_what_only_the_pane_takes_offers_no_answer() -> None:
    said = about(asking("a", Ask(kind="question", text="which?", choices=("x", "y"))))
    assert "answer" not in said[-1]
    assert "attach" in said[-1]


def test_checks_and_conflicts_are_named() -> None:
    found = about(replace(everything()[3], conflicts=("a.py", "b.py")))
    assert "   conflicts: a.py  b.py" in found
    assert "   ✓ test 3s   ✗ lint 1s   " in found


def test_facts_of_a_task() -> None:
    selected = live(
        "a",
        of={"attempt": 3, "tokens": 5200, "after": ("b", "c")},
        last_output=NOON - timedelta(seconds=30),
        attached=True,
        approved_by="person",
    )
    said = text(detail.facts(selected, 200, NOON))
    for fact in ("fleet/a → main", "attempt 3", "5k tokens", "30s ago", "after b, c", "attached"):
        assert fact in said


def test_what_is_too_long_says_how_much_is_missing() -> None:
    lines = [()] * 9
    assert len(detail.shortened(list(lines), 4, "attaching")) == 4
    assert "6 more lines" in text(detail.shortened(list(lines), 4, "attaching")[-1])
    assert detail.shortened(list(lines), 9, "attaching") == lines


def test_a_long_question_hides_neither_its_choices_nor_its_keys() -> None:
    ask = Ask(id="1", kind="question", text="which one? " * 200, choices=("the red", "the blue"))
    long = asking("a", ask=ask)
    lines = detail.needs(long, list(KEYS), Context(model=ALL, live=long), 80)

    seen = [
        text(it) for it in detail.shortened(lines, 8, "attaching", keep=detail.answers(long, 80))
    ]

    assert len(seen) == 8
    assert "more lines" in seen[-4]
    assert ["the red" in seen[-3], "the blue" in seen[-2], "1-2 answer" in seen[-1]] == [True] * 3
    assert "more lines" in text(detail.shortened(lines, 1, "attaching", keep=3)[-1])


def test_the_header_says_how_all_stands() -> None:
    top = text(bars.header(ALL, None, 80)[0])
    for said in ("4 need you", "4 working", "2 in the queue", "5/8 slots", "$3.50"):
        assert said in top
    one = fold(EMPTY, picture(asking("a"), degraded=("no linger\x1b[2J",)))
    lines = [text(line) for line in bars.header(one, "it went away", 80)]
    assert "1 needs you" in lines[0]
    assert lines[1:] == [" ! it went away", " ! no linger"]


@pytest.mark.parametrize("columns", SIZES)
def test_the_footer_has_room_for_help_whatever_happens(columns: int) -> None:
    footer = text(bars.footer(KEYS, Context(model=ALL, live=ALL.tasks["importer"]), columns))
    assert len(footer) <= columns
    assert footer.endswith("? help ")
    assert "…" not in footer


def test_an_empty_list_says_why() -> None:
    nothing = fold(EMPTY, picture())
    assert "looking for" in text(bars.empty(EMPTY, "", 80))
    assert "nothing is under way" in text(bars.empty(nothing, "", 80))
    assert 'no task has "x"' in text(bars.empty(nothing, "x", 80))


def test_help_has_every_key_and_the_reasons_against_it() -> None:
    gone = live("a", refusals={"attach": "it has no agent at work"})
    said = [text(line) for line in helping.lines(KEYS, Context(live=gone), 120)]
    for screen in {name for key in KEYS for name in key.screens}:
        listed = [text(it) for it in helping.lines(KEYS, Context(screen=screen), 120)]
        keys = [key for key in KEYS if works_on(key, screen)]
        assert all(any(f" {key.command} " in line for line in listed) for key in keys)
    assert any("attach" in line and "(it has no agent at work)" in line for line in said)


NASTY = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["\x1b]0;t\x07", "[red]", "界" * 40, "e" + "\u0301" * 40, "مرحبا" * 9, "x" * 999]
    ),
)


@settings(deadline=None)
@given(NASTY, NASTY, NASTY, st.sampled_from(SIZES))
def test_nothing_that_is_said_breaks_the_screen(a: str, b: str, c: str, columns: int) -> None:
    ask = Ask(id="1", kind="question", tool=a, text=b, choices=(c, a))
    said = {"title": a, "status": b, "needs": c, "agent": a, "repo": b, "branch": c, "waits": a}
    selected = live(a, of=said, section="needs", ask=ask, doing=b, conflicts=(c,), approved_by=a)
    model = fold(EMPTY, picture(selected, degraded=(b,)))
    context, made = Context(model=model, live=selected), Table()
    lines = [
        *made.lines(listed(model), NOON, columns, a),
        *detail.needs(selected, list(KEYS), context, columns),
        detail.facts(selected, columns, NOON),
        detail.rule(selected, "live", columns),
        *bars.header(model, None, columns),
        bars.empty(model, c, columns),
    ]
    for line in lines:
        assert text(line).isprintable()
        assert length(line) <= max(columns, 60)
