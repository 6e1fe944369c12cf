"""How often a pane is looked at that is drawn to all the time."""

from fleet.supervisor.answers.screens import MOST_PAUSE_S, PAUSE_S, Pace


def test_what_never_rests_is_shown_ten_times_a_second() -> None:
    pace, at = Pace(), 1000.0
    pauses = []
    for _ in range(8):
        pauses.append(pace.pause_s)
        at += pace.pause_s
        pace.looked(at)

    assert pauses[0] == PAUSE_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == MOST_PAUSE_S


def test_after_a_rest_the_next_line_is_shown_at_once() -> None:
    pace = Pace()
    for at in (1.0, 1.1, 1.2, 1.3):
        pace.looked(at)
    assert pace.pause_s > PAUSE_S

    pace.looked(2.0)
    assert pace.pause_s == PAUSE_S
