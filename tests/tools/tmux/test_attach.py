"""People who sit down at an agent's terminal: what they see, and how they leave."""

from collections.abc import Callable
from pathlib import Path

from person import Person
from waiting import until

from fleet.tools.tmux.panes import Pane, Panes
from fleet.tools.tmux.view import PaneState


def opened(
    panes: Panes, name: str, *, say: str = "", options: dict[str, str] | None = None
) -> Pane:
    argv = ["sh", "-c", f"echo {say}; exec sleep 60"]
    return panes.open(session=name, run=name, cwd=Path("/"), argv=argv, options=options)


def state(panes: Panes, pane: Pane) -> PaneState:
    [found] = [state for state in panes.all() if state.pane_id == pane.pane_id]
    return found


def test_titles_run_nothing_and_style_nothing(
    panes: Panes, short: Path, sit_down: Callable[[list[str]], Person]
) -> None:
    opened(
        panes, "a-task", options={"@fleet_title": f"#(touch {short}/pwned) #[bg=red]#{{pid}} é%H"}
    )

    person = sit_down(panes.server.attach_argv("a-task", back="C-b d"))

    until(
        lambda: (
            person.sees("[bg=red]")
            and person.sees("{pid} é%H")
            and person.sees("back to fleet: C-b d")
        )
    )
    assert not (short / "pwned").exists()


def test_a_person_attaches_and_finds_the_way_back(
    panes: Panes, sit_down: Callable[[list[str]], Person]
) -> None:
    opened(panes, "a-task-too")
    pane = opened(panes, "a-task", say="here I am")
    person = sit_down(panes.server.attach_argv("a-task"))
    until(lambda: person.sees("here I am") and person.sees("back to fleet: C-q"))
    until(lambda: state(panes, pane).width == 120)

    person.types(b"\x11")

    assert person.program.wait(10) == 0
    assert not state(panes, pane).dead
    assert state(panes, pane).attached == 0


def test_attaching_to_what_is_gone_starts_nothing(
    panes: Panes, sit_down: Callable[[list[str]], Person]
) -> None:
    assert sit_down(panes.server.attach_argv("a-ta")).program.wait(10) == 1
    panes.server.stop()
    assert sit_down(panes.server.attach_argv("a-task")).program.wait(10) == 1
    assert not panes.server.socket.exists()
