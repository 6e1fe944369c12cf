"""Pictures become a list: what is selected stays selected, whatever happens around it."""

from msgspec.structs import replace
from screens import NOON, asking, changed, everything, live, picture

from fleet.core.rows import LiveRow
from fleet.tui.model import (
    EMPTY,
    Head,
    Selection,
    counts,
    fold,
    listed,
    move,
    names,
    next_need,
    reselect,
)

WHOLE = fold(EMPTY, picture(*everything()))


def test_the_first_picture_is_all_there_is() -> None:
    assert list(WHOLE.tasks) == list(WHOLE.order)
    assert (WHOLE.at, WHOLE.slots_used, WHOLE.slots_all) == (NOON, 5, 8)
    assert counts(WHOLE) == {"needs": 4, "working": 4, "queue": 2, "ended": 1}


def test_later_pictures_tell_only_what_has_changed() -> None:
    docs = changed(WHOLE.tasks["docs"], added=99)
    order = tuple(name for name in WHOLE.order if name != "parser")
    later = fold(WHOLE, replace(picture(docs), gone=("parser",), order=order, queue=None))

    assert later.tasks["docs"].row.added == 99
    assert "parser" not in later.tasks
    assert later.tasks["importer"] is WHOLE.tasks["importer"]
    assert later.order == order


def test_sections_come_in_the_order_of_their_urgency() -> None:
    heads = [entry for entry in listed(WHOLE) if isinstance(entry, Head)]
    assert heads == [Head("needs", 4), Head("working", 4), Head("queue", 2), Head("ended", 1)]


def test_a_section_of_which_nothing_is_known_is_shown_all_the_same() -> None:
    model = fold(EMPTY, picture(live("odd", section="later")))
    assert names(listed(model)) == ["odd"]


def test_a_filter_wants_all_words_and_leaves_out_some() -> None:
    assert names(listed(WHOLE, "PARSER work")) == ["parser"]
    assert "parser" not in names(listed(WHOLE, "!parser"))
    assert names(listed(WHOLE, "review !reviewer")) == []
    assert names(listed(WHOLE, "permission")) == ["importer"]
    assert listed(WHOLE, "no such thing") == ()


def test_the_selection_stays_with_its_task() -> None:
    at = reselect(Selection("docs"), listed(WHOLE))
    moved = replace(WHOLE, tasks=WHOLE.tasks | {"docs": asking("docs")})
    assert reselect(at, listed(moved)).task == "docs"


def test_the_selection_stays_in_its_place_where_its_task_has_gone() -> None:
    entries = listed(WHOLE)
    at = reselect(Selection("schema"), entries)
    without = tuple(
        it for it in entries if not (isinstance(it, LiveRow) and it.row.task == "schema")
    )
    assert reselect(at, without).task == "export-json"
    assert reselect(Selection("readme", 10), without[:-1]).task == "colours"
    assert reselect(at, ()).task is None


def test_moving_ends_at_the_ends() -> None:
    entries = listed(WHOLE)
    assert move(Selection("importer", 0), entries, -1).task == "importer"
    assert move(Selection("importer", 0), entries, 1).task == "schema"
    assert move(Selection("importer", 0), entries, 999).task == "readme"
    assert move(Selection(), (), 1) == Selection()


def test_the_next_need_goes_round() -> None:
    assert next_need(WHOLE, Selection("docs")) == "importer"
    assert next_need(WHOLE, Selection("importer")) == "schema"
    assert next_need(WHOLE, Selection("flaky-login")) == "importer"
    assert next_need(EMPTY, Selection()) is None
