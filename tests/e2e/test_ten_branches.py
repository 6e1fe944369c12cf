"""Ten branches of which two change one line, and two only fail together: eight land by themselves.

Nothing waits for a person that need not, and what fails beside another names it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
import ten_branches
from place import Place

from fleet import protocol as p
from fleet.client import Client
from fleet.core.commands import Submit
from fleet.core.policy import Land

NAMES = tuple(ten_branches.BRANCHES)
OTHERS = tuple(
    name for name in NAMES if name not in (*ten_branches.SEMANTIC, *ten_branches.TEXTUAL)
)
ORDERS = {
    "side by side": (*ten_branches.SEMANTIC, *ten_branches.TEXTUAL, *OTHERS),
    "at both ends": ("rename", "formal", *OTHERS, "brief", "invoice"),
    "the caller first": ("invoice", "brief", *OTHERS[:3], "formal", "rename", *OTHERS[3:]),
}


def _shop(place: Place, workers: int) -> None:
    """Make the repository; its target is checked out, as it mostly is."""
    place.configure(f"workers: {workers}\n")
    # Without proofs: what is renamed together with its tests would wait for a person.
    config = f"proofs: false\nchecks:\n  - name: tests\n    run: {ten_branches.CHECK}\n"
    ten_branches.begin(place.repo, {"fleet.yaml": config, "tests/test_seals.py": ""})
    place.git("add", "-A")
    place.git("commit", "-qm", "a shop")
    ten_branches.make(place.repo)
    place.fleet("trust")


def _submit(place: Place, names: Iterable[str], land: Land = "auto") -> None:
    """Queue branches all at once, and wait until nothing is under way."""
    with Client.connect(place.home, start=True) as client:
        client.ask_all(
            [
                Submit(cwd=str(place.repo), branch=name, environment=place.env, land=land)
                for name in names
            ]
        )
        client.ask(p.Settled())


def _rows(place: Place) -> dict[str, dict[str, Any]]:
    return {row["task"]: row for row in place.ask(p.List(all=True))}


def _judge(place: Place) -> None:
    """Of each two one has landed, whichever came first, and only the other needs somebody."""
    rows = _rows(place)
    left = {name for name, row in rows.items() if row["status"] != "landed"}
    [failed] = left.intersection(ten_branches.SEMANTIC)
    [changed] = left.intersection(ten_branches.TEXTUAL)
    assert left == {failed, changed}
    assert {name for name, row in rows.items() if row["needs"]} == left
    assert {row["task"] for row in place.ask(p.Queue())} == left
    assert rows[changed]["status"] == "conflict"
    assert ten_branches.LINE in rows[changed]["needs"]
    assert rows[failed]["status"] == "returned"
    [other] = set(ten_branches.SEMANTIC) - {failed}
    assert f"together with {other}" in rows[failed]["needs"]
    assert f"together with {other}" in place.fleet("show", failed).out
    waits = {row["task"]: row["waits_for"] for row in place.ask(p.Queue())}
    assert f"together with {other}" in waits[failed]
    for name in set(NAMES) - left:
        place.git("merge-base", "--is-ancestor", name, "main")
    assert place.git("status", "--porcelain") == ""
    place.run("sh", "-c", ten_branches.CHECK)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_of_ten_branches_queued_at_once_eight_land(
    place: Place, order: Sequence[str], workers: int
) -> None:
    _shop(place, workers)
    _submit(place, order)
    _judge(place)


def test_a_pair_is_found_though_one_has_landed_before(place: Place) -> None:
    order = ORDERS["at both ends"]
    _shop(place, 1)
    _submit(place, order[:5])
    assert {row["status"] for row in _rows(place).values()} == {"landed"}
    _submit(place, order[5:])
    _judge(place)


def test_the_same_eight_land_when_a_person_approves_them(place: Place) -> None:
    _shop(place, 2)
    _submit(place, NAMES, land="review")
    for name in NAMES:
        place.fleet("approve", name)
    place.ask(p.Settled())
    _judge(place)
