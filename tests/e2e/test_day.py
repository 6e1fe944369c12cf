"""A person's day: the dashboard in a real terminal, driven by nothing but keys."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from desk import Desk, Room, room
from place import Place
from waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# It begins with a word typed by hand, asks before it writes, waits for a message, hands in its
# work, and does what a note says.
APPRENTICE = """\
#!/bin/sh
hook() { "$FLEET_HOME/bin/fleet-hook" "$@"; }
hears() {
  read -r line
  case $line in "Read /"*) line=${line#Read }; line=$(cat "${line%% and act*}") ;; esac
  echo '{}' | hook working
  echo "heard: $line"
}
keep() { echo "$1" >>greeting.txt; git add -A; git commit -qm "$1"; echo '{}' | hook idle; }
echo "{\\"id\\": \\"talk-$FLEET_TASK\\"}" | hook conversation
echo '{}' | hook working
printf 'I am to: \\033[32m%s\\033[0m\\n' "$1"
hears
ask='{"need":"may it write","kind":"permission","tool":"Write","input":"greeting.txt: hello"}'
echo "told: $(echo "$ask" | hook waiting --ask)"
echo '{}' | hook working
hears
keep "hello $line"
while hears; do keep "kinder"; done
"""


@pytest.fixture
def desks(place: Place) -> Iterator[Room]:
    script = place.root / "apprentice.sh"
    script.write_text(APPRENTICE)
    words = f'[sh, {script}, "{{prompt}}"]'
    place.configure(
        "agent: apprentice\nagents:\n  apprentice:\n"
        f"    command: {words}\n    converses: true\n    done: turn\n"
    )
    with room(place) as theirs:
        yield theirs


def status(place: Place, task: str) -> str:
    rows: list[dict[str, Any]] = place.fleet("ls", "--all", "--json").json
    return next((row["status"] for row in rows if row["task"] == task), "")


def becomes(place: Place, task: str, word: str) -> None:
    until(lambda: status(place, task) == word, timeout=60, what=f"{task} is {word}")


def begin(board: Desk, name: str = "greeter") -> None:
    """Give work by the form: its prompt, its name and a check."""
    board.sees("nothing is under way")
    board.press("n")
    board.sees("new task", "what is to be done", "apprentice")
    board.type("greet whoever comes")
    board.press("Tab", "Tab")
    board.type(name)
    board.press("Tab", "Tab")
    board.type("grep -q hello greeting.txt")
    board.sees("greet whoever comes", name, "grep -q hello")
    board.press("C-s")


def join_and_come_back(board: Desk) -> None:
    """Join the pane in a window of its own, type by hand there, and leave it by the way shown."""
    board.sees("⏎ attach")
    board.press("Enter")
    board.opens("greeter")
    screen = board.sees("I am to: greet whoever comes", "back to fleet", window="greeter")
    board.type("begin", window="greeter")
    board.press("Enter", window="greeter")
    back = screen.partition("back to fleet: ")[2].split()

    def left() -> bool:
        if "greeter" in board.windows():
            board.press(*back[:2], window="greeter")
        return "greeter" not in board.windows()

    until(left, timeout=60, what="the way back")


def send(board: Desk, text: str) -> None:
    board.press("Space")
    board.sees("to greeter:")
    board.type(text)
    board.press("Enter")


def give_back(board: Desk, note: str) -> None:
    board.press("d")
    board.sees("+hello friends; and be quick", "not approved", "a approve")
    board.press("R")
    board.sees("what is to be done better in greeter?")
    board.type(note)
    board.press("C-s")


def test_a_task_from_the_first_key_to_its_landing(place: Place, desks: Room) -> None:
    board = desks.dashboard()
    begin(board)
    board.sees("greeter", "working", "I am to: greet whoever comes", without=["new task"])
    join_and_come_back(board)
    board.sees("1 needs you", "may it write", "Write", "greeting.txt: hello", "y allow")
    board.press("y")
    board.sees('"verdict":"allow"', "1 working", without=["needs you"])
    send(board, "friends; and be quick")
    board.sees("1 needs you", "review", "✓", without=["to greeter:"])
    assert status(place, "greeter") == "review"
    give_back(board, "kinder, please")
    board.sees("Your change was returned", "kinder, please", "1 needs you")
    # The list may still be that of the first revision: its pane is drawn sooner.
    until(lambda: (place.show("greeter")["revision"], status(place, "greeter")) == (2, "review"))
    board.press("d")
    board.sees("revision 2", "+kinder", "a approve")
    board.press("a")
    until(lambda: status(place, "greeter") == "landed", timeout=60, what="it lands")
    board.sees("landed", without=["needs you"])
    assert place.file("greeting.txt") == "hello friends; and be quick\nkinder\n"
    board.press("q")
    assert board.ended() == 0


def test_whoever_leaves_the_dashboard_leaves_all_running(place: Place, desks: Room) -> None:
    board = desks.dashboard()
    begin(board)
    board.sees("I am to: greet whoever comes", "⏎ attach")
    supervisor, agent = place.supervisor(), place.show("greeter")["row"]["pid"]

    board.press("q")
    assert board.ended() == 0

    assert place.supervisor() == supervisor
    assert place.show("greeter")["row"]["pid"] == agent
    desks.dashboard("again").sees("greeter", "1 working", "I am to: greet whoever comes")


def test_two_dashboards_and_one_after_a_kill_show_the_same(place: Place, desks: Room) -> None:
    first, second = desks.dashboard("first"), desks.dashboard("second")
    begin(first)
    second.sees("greeter", "1 working", "I am to: greet whoever comes", "⏎ attach")
    os.kill(first.pid(), signal.SIGKILL)
    third = desks.dashboard("third")
    third.sees("greeter", "1 working", "I am to: greet whoever comes", "⏎ attach")

    second.press("s", "s")

    for board in (second, third):
        board.sees("stopped", without=["1 working"])


def test_what_is_typed_outlives_the_supervisor(place: Place, desks: Room) -> None:
    board = desks.dashboard()
    begin(board)
    board.sees("⏎ attach", "I am to: greet whoever comes")
    board.press("Space")
    board.sees("to greeter:")
    board.type("begin wi")
    board.sees("to greeter: begin wi")
    dead = place.supervisor()

    os.kill(dead, signal.SIGKILL)
    board.type("th a word")
    board.sees("to greeter: begin with a word")
    until(lambda: place.supervisor() != dead, timeout=60, what="another supervisor")
    board.sees("to greeter: begin with a word", " live ", without=["supervisor"])
    board.press("Enter")

    board.sees("heard: begin with a word", "may it write")


def test_what_is_sent_while_no_supervisor_is_there_is_kept(place: Place, desks: Room) -> None:
    board = desks.dashboard(apart=True)
    begin(board)
    board.sees("⏎ attach", "I am to: greet whoever comes")
    board.press("Space")
    board.sees("to greeter:")
    board.type("begin")
    place.fleet("down")
    board.sees("no supervisor runs", "as it was", "to greeter: begin")
    board.press("Enter")
    board.sees("the supervisor is away", "what you typed stays", "to greeter: begin")

    place.fleet("up")
    board.sees("to greeter: begin", " live ", without=["supervisor"])
    board.press("Enter")
    board.sees("heard: begin", "may it write")


def test_a_pane_is_joined_on_the_terminal_itself_outside_tmux(place: Place, desks: Room) -> None:
    board = desks.dashboard(apart=True)
    begin(board)
    board.sees("⏎ attach", "I am to: greet whoever comes")

    board.press("Enter")
    board.sees("back to fleet", "I am to: greet whoever comes", without=["1 working"])
    board.type("begin")
    board.press("Enter")
    board.sees("heard: begin")
    board.press("C-q")

    board.sees("1 needs you", "may it write", "y allow", without=["back to fleet"])
    board.press("N")
    board.sees('"verdict":"deny"')
