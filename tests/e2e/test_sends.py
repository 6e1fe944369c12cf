"""What is sent arrives, once and whole; where it cannot be typed now, it waits, and is said to."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from person import Person
from place import FLEET, Place
from waiting import until

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_random_texts_from_many_clients_arrive_once_and_whole() -> None:
    """The small one of scripts/sends, whose seed is new each time, and is printed."""
    ran = subprocess.run(
        [SCRIPTS / "sends", "300", "--kills", "2"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "each that was delivered arrived once and whole" in ran.stdout


@pytest.fixture
def listener(place: Place) -> Path:
    """A place where `raw` and `deaf` are agents; what they hear is in files beside this one."""
    agents = {
        kind: {
            "command": [sys.executable, "-I", str(SCRIPTS / "listener.py"), kind, "{prompt}"],
            "converses": True,
            "queues": kind != "deaf",
        }
        for kind in ("raw", "deaf")
    }
    place.configure(f"agents: {json.dumps(agents)}\n")
    return place.root / "heard.log"


def heard(log: Path) -> list[str]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def attached(place: Place) -> Iterator[Person]:
    place.spawn("one", str(place.root / "heard.log"), "--agent", "raw")
    place.becomes("one", "idle")
    person = Person([*FLEET, "attach", "one"], place.env)
    until(lambda: person.sees("[one]") or person.sees("one"))
    yield person
    person.leave()


def test_where_a_person_may_be_typing_a_message_waits_until_they_leave(
    place: Place, listener: Path, attached: Person
) -> None:
    attached.types(b"half a thought")
    until(lambda: attached.sees("half a thought"))

    said = place.fleet("send", "one", "mind the gap", "--json").json

    why = "someone is attached and may be typing"
    assert said == {"sent": [{"task": "one", "outcome": "queued", "reason": why}]}
    assert place.show("one")["messages"] == ["mind the gap"]
    assert f"messages ({why})" in place.fleet("show", "one").out
    attached.types(b"\r")
    until(lambda: heard(listener) == ["half a thought"])
    attached.types(b"\x11")
    attached.program.wait(20)
    until(lambda: heard(listener) == ["half a thought", "mind the gap"])
    until(lambda: place.show("one")["messages"] == [])


def test_one_that_cannot_queue_is_told_after_its_turn_even_by_another_supervisor(
    place: Place, listener: Path
) -> None:
    place.spawn("one", str(listener), "--agent", "deaf")
    place.becomes("one", "idle")
    hook = place.home.root / "bin" / "fleet-hook"
    token = json.loads(place.home.run("one", 1).launch.read_text())["token"]

    def tells(name: str) -> None:
        env = place.env | {"FLEET_RUN": token}
        subprocess.run([hook, name], input=b"{}", env=env, check=True)

    tells("working")
    place.becomes("one", "working")
    texts = ["first", "second", "third"]
    said = [place.fleet("send", "one", text, "--json").json["sent"][0] for text in texts]
    assert [it["outcome"] for it in said] == ["queued"] * 3
    assert said[0]["reason"] == "it works, and is told when its turn has ended"
    assert heard(listener) == []

    place.fleet("down")
    place.fleet("up")
    assert len(place.show("one")["messages"]) == 3
    tells("idle")
    until(lambda: heard(listener) == texts)
    until(lambda: place.show("one")["messages"] == [])
