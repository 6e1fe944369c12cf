"""Keys are one list: each has one meaning on a screen, and a reason where it is refused."""

from itertools import combinations

import pytest
from screens import NOT_LIVE, PERMISSION, QUESTION, asking, live, picture

from fleet.core.rows import Ask, LiveRow
from fleet.errors import ConfigError
from fleet.tui.app import known_theme
from fleet.tui.keys import KEYS, Key, pressed, remapped, shown
from fleet.tui.model import EMPTY, fold
from fleet.tui.refusals import NO_LINK, Context

BY_NAME = {key.command: key for key in KEYS}


def why(command: str, selected: LiveRow | None, *, linked: bool = True) -> str | None:
    model = fold(EMPTY, picture(*([selected] if selected else [])))
    return BY_NAME[command].refusal(Context(model=model, live=selected, linked=linked))


def overlap(one: Key, other: Key) -> bool:
    return not one.screens or not other.screens or bool(set(one.screens) & set(other.screens))


def test_no_key_means_two_things_on_one_screen() -> None:
    for one, other in combinations(KEYS, 2):
        if overlap(one, other):
            assert not set(one.keys) & set(other.keys), (one.command, other.command)


def test_commands_have_one_name_and_say_what_they_do() -> None:
    assert len(BY_NAME) == len(KEYS)
    assert all(key.help[0].islower() and not key.help.endswith(".") for key in KEYS)


@pytest.mark.parametrize("command", ["attach", "send", "stop", "retry", "review", "remove"])
def test_what_is_done_to_a_task_needs_one(command: str) -> None:
    assert why(command, None) == "no task is selected"
    assert why(command, live("a")) is None
    assert why(command, live("a"), linked=False) == NO_LINK


def test_the_supervisor_says_why_not() -> None:
    gone = live("a", refusals=NOT_LIVE)
    assert why("attach", gone) == "it has no agent at work"
    assert why("retry", gone) is None


@pytest.mark.parametrize("command", ["allow", "deny"])
def test_a_verdict_is_for_what_was_asked(command: str) -> None:
    assert why(command, live("a")) == "a asks for nothing"
    assert why(command, asking("a", PERMISSION)) is None
    assert why(command, asking("a", Ask(tool="Edit"))) == "a takes an answer in its pane only"
    assert "asks a question" in (why(command, asking("a", QUESTION)) or "")


def test_digits_jump_where_nothing_is_asked() -> None:
    assert why("digit", live("a")) is None
    assert why("digit", asking("a", QUESTION)) is None
    in_pane = Ask(kind="question", choices=("x",))
    assert why("digit", asking("a", in_pane)) == "a takes an answer in its pane only"


def test_pause_is_also_resume() -> None:
    assert why("pause", live("a", refusals={"pause": "paused already"})) is None
    both = {"pause": "it has ended", "resume": "it is not paused"}
    assert why("pause", live("a", refusals=both)) == "it has ended"


def test_next_needs_something_that_needs_you() -> None:
    assert why("next", live("a")) == "nothing needs you"
    assert why("next", asking("a")) is None


def test_a_person_has_keys_of_their_own() -> None:
    keys = remapped(KEYS, {"attach": ("a", "j"), "quit": ("ctrl+x",)})
    pressed_a, pressed_j = pressed(keys, "a", "fleet"), pressed(keys, "j", "fleet")
    assert pressed_a is not None
    assert pressed_a.command == "attach"
    assert pressed_j is pressed_a
    assert pressed(keys, "q", "fleet") is None
    assert pressed(keys, "down", "fleet") is not None


def test_a_command_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'no command "atach" \(did you mean attach\?\)'):
        remapped(KEYS, {"atach": ("a",)})
    with pytest.raises(ConfigError, match=r'no command "zzz"$'):
        remapped(KEYS, {"zzz": ("a",)})
    with pytest.raises(ConfigError) as caught:
        remapped(KEYS, {"attach": ("a",), "zzz": ("b",)})
    assert caught.value.key == ("keys", "zzz")


def test_a_theme_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'no theme "nrod" \(did you mean nord\?\)'):
        known_theme("nrod", ["nord", "gruvbox"])
    with pytest.raises(ConfigError) as caught:
        known_theme("zzz", ["nord"])
    assert caught.value.key == ("theme",)
    assert known_theme("nord", ["nord"]) == "nord"


def test_keys_are_named_as_on_a_keyboard() -> None:
    names = [shown(it) for it in ("slash", "ctrl+p", "shift+tab", "enter", "j")]
    assert names == ["/", "^p", "⇧tab", "⏎", "j"]
