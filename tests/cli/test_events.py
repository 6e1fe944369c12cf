"""What has happened is a line an event, and scripts can wait for what they want."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor, Items

from fleet.errors import TimedOutError

AT = "2026-01-31T09:00:00Z"
ENTRIES = [
    {"seq": 1, "at": AT, "actor": "person", "type": "task.added", "task": "a", "spec": {"x": 1}},
    {"seq": 2, "at": AT, "actor": "fleet", "type": "change.landed", "task": "a", "commit": "3f"},
    {"seq": 3, "at": AT, "actor": "fleet", "type": "checks.failed", "task": "a", "results": []},
    {"seq": 4, "at": AT, "actor": "fleet", "type": "slot.ready", "task": None, "repo": "shop"},
]


def test_an_event_is_a_line(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["events"] = Items(ENTRIES)
    lines = run("events").out.splitlines()
    assert len(lines) == 4
    assert "task.added" in lines[0]
    assert 'spec={"x":1}' in lines[0]
    assert "commit=3f" in lines[1]
    assert "results" not in lines[2]
    assert "shop" in lines[3]


def test_json_events_are_an_object_a_line(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["events"] = Items(ENTRIES)
    assert [json.loads(line) for line in run("events", "--json").out.splitlines()] == ENTRIES


def test_events_can_be_chosen(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["events"] = Items(ENTRIES)
    run("events", "--follow", "--since", "2h", "--since-seq", "7", "--task", "a")
    run("events", "--since", AT)
    first, second = fake.calls("events")
    since = datetime.fromisoformat(first["since"])
    assert abs(datetime.now(UTC) - timedelta(hours=2) - since) < timedelta(minutes=1)
    assert (first["follow"], first["since_seq"], first["task"]) == (True, 7, "a")
    assert datetime.fromisoformat(second["since"]) == datetime.fromisoformat(AT)


def test_a_time_that_is_none_is_refused(run: Run, fake: FakeSupervisor) -> None:
    assert run("events", "--since", "tomorrow").code == 2


def wait_result(task: str, status: str, *, reached: bool) -> dict[str, object]:
    return {"task": task, "status": status, "needs": None, "reached": reached}


def test_wait_tells_each_change_and_exits_with_0(run: Run, fake: FakeSupervisor) -> None:
    item = {"task": "a", "status": "review", "needs": "review"}
    fake.answers["wait"] = Items([item], [wait_result("a", "landed", reached=True)])
    answer = run("wait", "a", "b", "--for", "review", "--timeout", "60s")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == "a: review (needs you: review)\n"
    sent = fake.calls("wait")[0]
    assert (sent["tasks"], sent["state"], sent["timeout_s"]) == (["a", "b"], "review", 60.0)


def test_wait_names_what_cannot_get_there(run: Run, fake: FakeSupervisor) -> None:
    result = [wait_result("a", "landed", reached=True), wait_result("b", "failed", reached=False)]
    fake.answers["wait"] = Items([], result)
    answer = run("wait", "a", "b")
    assert (answer.code, answer.err) == (1, "b cannot get there: failed\n")
    assert json.loads(run("wait", "a", "b", "--json").out) == result


def test_wait_gives_up_with_124(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["wait"] = TimedOutError("a is not there after 1 s")
    assert run("wait", "a", "--timeout", "1s").code == 124


@pytest.mark.parametrize("state", ["done", "merged"])
def test_wait_knows_its_states(state: str, run: Run, fake: FakeSupervisor) -> None:
    assert run("wait", "a", "--for", state).code == 2
