"""Agents whose service says no: they wait together, and go on one after the other."""

from datetime import datetime

import pytest
from place import Place
from waiting import until

from fleet import protocol as p

pytestmark = pytest.mark.slow

# Works on each line; fails as long as a file says how, and counts the lines it was told.
WORKER = """\
#!/bin/sh
hook() { "$FLEET_HOME/bin/fleet-hook" "$@"; }
turn() {
  echo '{}' | hook working
  echo x >>"$FLEET_HOME/told.$FLEET_TASK"
  if [ -e "$FLEET_HOME/fails" ]; then hook waiting <"$FLEET_HOME/fails"; return; fi
  echo '{}' | hook idle
}
turn "$1"
while read -r line; do turn "$line"; done
"""


def workers(place: Place, *names: str) -> None:
    script = place.root / "worker.sh"
    script.write_text(WORKER)
    words = f'[sh, {script}, "{{prompt}}"]'
    more = "converses: true\n    done: manual"
    place.configure(f"slots: 9\nagents:\n  worker:\n    command: {words}\n    {more}\n")
    for name in names:
        place.spawn(name, "begin", "--agent", "worker")


def fails(place: Place, said: str) -> None:
    place.home.root.mkdir(mode=0o700, exist_ok=True)
    (place.home.root / "fails").write_text(said)


def recovers(place: Place) -> None:
    (place.home.root / "fails").unlink()


def told(place: Place, task: str) -> int:
    return len((place.home.root / f"told.{task}").read_text().split())


def waits(place: Place, task: str) -> str:
    return str(place.show(task)["row"]["waits"])


def test_a_limit_is_one_for_all_and_one_agent_tries_first(place: Place) -> None:
    fails(place, '{"kind": "rate-limit", "need": "too much"}')
    workers(place, "a", "b")
    for task in ("a", "b"):
        assert place.becomes(task, "waiting")["needs"] is None
        assert waits(place, task).startswith("too much: goes on at ")
    place.spawn("c", "begin", "--agent", "worker")
    said = until(lambda: place.show("c")["row"]["waits"])
    assert said.startswith("worker's account is limited until ")
    assert said in place.fleet("ls").out
    assert said in place.fleet("why", "c").out
    assert not place.events("need.told")

    recovers(place)
    place.fleet("send", "b", "try again")  # a person need not wait for the minute to pass
    place.becomes("b", "idle")
    place.becomes("a", "idle")
    place.becomes("c", "idle")
    assert [told(place, task) for task in "abc"] == [2, 2, 1]
    times = [it["at"] for it in place.events("run.go-on", "attempt.began")]
    first, second = (datetime.fromisoformat(str(it)) for it in times[-2:])
    assert (second - first).total_seconds() >= 10


def test_a_login_that_is_lost_is_asked_for_once(place: Place) -> None:
    fails(place, '{"kind": "login", "need": "please log in"}')
    workers(place, "a", "b")
    rows = [place.becomes(task, "waiting") for task in ("a", "b")]
    assert [row["needs"] for row in rows].count("please log in") == 1
    (wanted,) = [row["task"] for row in rows if row["needs"]]
    (other,) = {"a", "b"} - {wanted}
    assert waits(place, other) == f"please log in: goes on when {wanted} does"
    place.spawn("c", "begin", "--agent", "worker")
    assert f"waits for a login: see {wanted}" in until(lambda: place.show("c")["row"]["waits"])
    assert "log in with its program" in str(place.ask(p.Why(task=wanted))["next"])

    recovers(place)
    place.fleet("send", wanted, "I have logged in")
    for task in "abc":
        place.becomes(task, "idle")
    assert [told(place, task) for task in (wanted, other, "c")] == [2, 2, 1]
