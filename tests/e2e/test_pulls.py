"""Pull requests by commands alone, from a review to what the forge makes of them."""

from typing import Any

import pytest
from fake_forge import FakeForge
from place import Place
from waiting import until

_CONFIG = """\
checks:
  - name: begun
    run: test -f readme.txt
pr: open
merge: squash
"""
_PATIENCE_S = 60.0


@pytest.fixture
def forge(place: Place, monkeypatch: pytest.MonkeyPatch) -> FakeForge:
    (place.repo / "fleet.yaml").write_text(_CONFIG)
    place.git("add", "-A")
    place.git("commit", "-qm", "config")
    made = FakeForge.make(place.root / "forge", place.repo)
    place.env["PATH"] = f"{made.bin}:{place.env['PATH']}"
    monkeypatch.setenv("PATH", place.env["PATH"])
    place.talker()
    place.fleet("trust")
    return made


def _row(place: Place, task: str) -> dict[str, Any]:
    rows = place.fleet("ls", "--all", "--json").json
    found: dict[str, Any] = next(row for row in rows if row["task"] == task)
    return found


def _asked(place: Place, task: str) -> dict[str, Any]:
    """Have the forge asked now, and return what is known of the task then."""
    place.fleet("pr", task, "--json")
    return _row(place, task)


def _opened(place: Place, task: str) -> int:
    """Approve what is there, and return the number of its pull request."""
    place.fleet("diff", task)
    place.fleet("approve", task)
    head = _row(place, task)["head"]

    def number() -> int:
        pr = _row(place, task)["pr"]
        return int(pr["number"]) if pr and pr["head"] == head else 0

    return until(number, timeout=_PATIENCE_S, what=f"the pull request of {task}")


def _begin(place: Place, *names: str) -> None:
    for name in names:
        place.spawn(name, f"echo {name} > {name}.txt && git add -A && git commit -qm {name}")
        place.becomes(name, "review")


def test_one_is_squashed(place: Place, forge: FakeForge) -> None:
    _begin(place, "first")
    number = _opened(place, "first")
    assert _row(place, "first")["status"] == "proposed"
    forge.checks(number, build="passed", lint="pending")
    forge.change(number, needs_review=True)

    said = f"pull request #{number}: checks 1/2, review required"
    assert _asked(place, "first")["pr"]["says"] == said
    [queued] = place.fleet("queue", "--json").json
    assert queued["waits_for"] == said
    assert said in place.fleet("why", "first").out

    forge.merge(number, "squash")
    assert _asked(place, "first")["status"] == "landed"
    assert place.file("first.txt") == "first\n"
    assert place.git("rev-parse", "main") == forge.tip("main")
    assert place.git("status", "--porcelain") == ""


def test_one_mends_its_checks_in_the_same_pull_request(place: Place, forge: FakeForge) -> None:
    place.spawn("second", "begin", "--agent", "talker", "--check", "true")
    before = place.becomes("second", "review")["head"]
    number = _opened(place, "second")
    forge.checks(number, lint="failed")
    _asked(place, "second")

    until(lambda: place.becomes("second", "review")["head"] != before, timeout=_PATIENCE_S)
    assert "https://ci.example.org/lint" in (place.file("heard.txt", branch="fleet/second") or "")
    assert _opened(place, "second") == number
    assert forge.tip("fleet/second") != before

    forge.checks(number, lint="passed")
    forge.merge(number, "rebase")
    assert _asked(place, "second")["status"] == "landed"
    assert len(forge.pulls) == 1


def test_one_is_closed(place: Place, forge: FakeForge) -> None:
    _begin(place, "third")
    number = _opened(place, "third")

    forge.close(number)
    assert "closed without being merged" in _asked(place, "third")["needs"]
    forge.close(number, "open")
    assert "ready to be merged" in _asked(place, "third")["needs"]

    assert "fleet pr third --close" in place.fleet("withdraw", "third").err
    place.fleet("pr", "third", "--close")
    until(lambda: forge.pulls[number - 1]["state"] == "closed", timeout=_PATIENCE_S)


@pytest.mark.slow
def test_killed_while_it_is_opened_there_is_one(place: Place, forge: FakeForge) -> None:
    _begin(place, "one")
    forge.set(fail="slow")
    place.fleet("approve", "one")
    until(lambda: any("create" in call for call in forge.calls), timeout=_PATIENCE_S)

    place.run("kill", "-9", str(place.supervisor()))
    forge.set(fail=None)

    until(lambda: _row(place, "one")["pr"], timeout=_PATIENCE_S)
    assert len(forge.pulls) == 1
