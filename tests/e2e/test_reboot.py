"""After the power was lost, `fleet up` brings everything back: nothing twice, and nothing lost."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from place import Place, marked
from power import lose_power
from processes import alive
from waiting import until

from fleet import protocol as p
from fleet.client import Client
from fleet.core.commands import Send
from fleet.errors import FleetError

pytestmark = pytest.mark.slow

GO_ON = "Go on where you stopped."
TALKERS = tuple(f"talk-{number:02}" for number in range(13))
SPOOL = '"$FLEET_HOME/bin/fleet-hook"'
ASK = f"""echo '{{"kind":"permission","need":"may it"}}' | {SPOOL} waiting --ask; sleep 1000"""


def tmux_pid(place: Place) -> int:
    socket = place.ask(p.Status())["tmux_socket"]
    return int(place.run("tmux", "-N", "-S", socket, "display-message", "-p", "#{pid}").out)


def talker(place: Place) -> None:
    """Configure an agent that keeps a conversation, and stays when its turn has ended."""
    place.talker()
    file = Path(place.env["XDG_CONFIG_HOME"]) / "fleet" / "config.yaml"
    said = file.read_text().replace("done: turn", "done: manual")
    file.write_text(f"slots: 25\npool: 0\n{said}")


def heard(place: Place, task: str) -> list[str]:
    """Return what an agent was told since it began, from its worktree."""
    worktree = place.show(task)["row"]["worktree"]
    file = Path(worktree) / "heard.txt"
    return file.read_text().splitlines() if file.exists() else []


def starts(place: Place, task: str) -> int:
    return len(place.events("run.started", task=task))


def lives(place: Place, task: str) -> int:
    """Return how many runs of a task have a living process."""
    runs = (place.home.root / "tasks" / task / "runs").iterdir()
    return sum(bool(marked([f"FLEET_RUN={token}"])) for token in map(_token, runs) if token)


def _token(run: Path) -> str:
    with suppress(OSError):
        text = (run / "launch.json").read_text()
        return text.split('"token":"')[1].split('"')[0]
    return ""


ASIDE = ("review", "later", "paused", "stopped", "held")
AT_WORK = (*TALKERS, "shell", "asks")


def populate(place: Place) -> None:
    """Bring twenty tasks of three repositories to where they are to be found again."""
    repos = [place.repo, place.make_repo("two"), place.make_repo("three")]
    talker(place)
    for number, task in enumerate(TALKERS):
        place.spawn(task, "begin", "--agent", "talker", cwd=repos[number % 3])
    place.spawn("shell", "touch begun; sleep 1000", cwd=repos[1])
    place.spawn("asks", ASK)
    place.spawn("review", "echo hi >new.txt", "--check", "true")
    place.spawn("later", "true", "--after", "review")
    place.spawn("paused", "sleep 1000")
    place.spawn("stopped", "sleep 1000")
    place.spawn("held", "true", "--check", "true")
    settle(place)
    place.becomes("review", "review")
    place.becomes("held", "waiting", "failed")
    for task, command in (("paused", "pause"), ("stopped", "stop")):
        place.fleet(command, task)
        place.becomes(task, task)


def settle(place: Place) -> None:
    """Wait until all that are at work have come as far as they come."""
    for task in TALKERS:
        place.becomes(task, "idle")
    place.becomes("shell", "working")
    place.becomes("asks", "waiting")


def test_twenty_tasks_of_three_repositories_come_back_after_a_reboot(place: Place) -> None:
    populate(place)
    before = {it: place.show(it) for it in ASIDE}
    asked = asks(place)
    unsaved = Path(place.show(TALKERS[0])["row"]["worktree"]) / "unsaved.txt"
    unsaved.write_text("half a thought\n")
    pending(place, TALKERS[1], "mind the tests")
    lock = Path(place.git("rev-parse", "--absolute-git-dir", cwd=unsaved.parent)) / "index.lock"
    lock.touch()

    lose_power(place)
    said = place.fleet("up").err

    for task in TALKERS:
        expected = ["begin", "mind the tests" if task == TALKERS[1] else GO_ON]
        becomes_heard(place, task, expected)
    settle(place)
    assert f"{len(TALKERS)} tasks brought back, in the same conversation: {TALKERS[0]}" in said
    assert "2 tasks brought back, afresh: shell, asks" in said
    runs = {it: (starts(place, it), lives(place, it), spent(place, it)) for it in AT_WORK}
    assert runs == dict.fromkeys(AT_WORK, (2, 1, 0))
    assert {it: place.show(it) for it in ASIDE} == before
    assert not lock.exists()
    assert unsaved.read_text() == "half a thought\n"
    assert asks(place) != asked


def becomes_heard(place: Place, task: str, lines: list[str]) -> None:
    until(lambda: heard(place, task) == lines, what=f"{lines} in {task}")


def spent(place: Place, task: str) -> int:
    return int(place.show(task)["spent"])


def asks(place: Place) -> str:
    return str(place.ask(p.Why(task="asks"))["ask"]["id"])


def pending(place: Place, task: str, text: str) -> None:
    """Send words that are on record, and cannot be typed before the power goes."""
    os.kill(tmux_pid(place), signal.SIGSTOP)
    threading.Thread(target=send, args=(place, task, text)).start()
    until(lambda: place.events("message.queued", task=task))


def send(place: Place, task: str, text: str) -> None:
    with suppress(FleetError, OSError), Client.connect(place.home, start=False) as client:
        client.ask(Send(task=task, text=text))


def test_numbers_of_processes_that_others_have_by_now_are_left_alone(place: Place) -> None:
    """The run's own files name a living process, by number and start: it is not ours."""
    place.spawn("one", "touch begun; exec sleep 1000")
    place.becomes("one", "working")
    bystander = place.run("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!", cwd=place.root)
    pid = int(bystander.out)
    try:
        lose_power(place, spare=pid)
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        started = place.home.run("one", 1).started
        started.write_text(f'{{"pid": {pid}, "start": {stat[19]}}}')
        place.fleet("up")
        until(lambda: starts(place, "one") == 2)
        place.becomes("one", "working")
        assert alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_conversation_that_is_gone_is_no_fault_of_the_task(place: Place) -> None:
    script = place.root / "gone.sh"
    script.write_text(
        '#!/bin/sh\n[ "$1" = resume ] && { echo "no conversation found"; exit 1; }\n'
        f"""echo '{{"id":"c-1"}}' | {SPOOL} conversation\n"""
        f"echo x >>{place.root}/afresh\nsleep 1000\n"
    )
    place.configure(
        f'agents:\n  gone:\n    command: [sh, {script}, "{{prompt}}"]\n'
        f'    resume: [sh, {script}, resume, "{{conversation}}"]\n'
    )
    place.spawn("one", "begin", "--agent", "gone")
    until(lambda: place.events("run.conversation", task="one"))

    lose_power(place)
    place.fleet("up")

    afresh = place.root / "afresh"
    until(lambda: afresh.read_text() == "x\n" * 2, what="a run that begins afresh")
    place.becomes("one", "working")
    assert (starts(place, "one"), spent(place, "one")) == (3, 0)


def test_the_end_of_a_container_is_as_good_as_a_reboot(place: Place) -> None:
    """All processes are gone, and the machine is still the one that was started then."""
    talker(place)
    place.spawn("one", "begin", "--agent", "talker")
    place.spawn("two", "touch begun; sleep 1000")
    place.becomes("one", "idle")
    place.becomes("two", "working")
    boot = place.home.boot.read_bytes()

    lose_power(place)
    place.home.boot.write_bytes(boot)
    said = place.fleet("up").err

    becomes_heard(place, "one", ["begin", GO_ON])
    place.becomes("two", "working")
    assert "in the same conversation: one" in said
    assert "afresh: two" in said
    assert [(starts(place, it), spent(place, it)) for it in ("one", "two")] == [(2, 0)] * 2


def test_up_says_what_it_found(place: Place) -> None:
    place.spawn("one", "touch begun; sleep 1000")
    place.becomes("one", "working")

    place.fleet("down")
    said = place.fleet("up").err

    assert "1 task went on meanwhile: one" in said
    assert starts(place, "one") == 1
