"""Two agents whose branches do not merge: the map names them, and the younger one is told."""

import json

import pytest
from place import Place
from waiting import until

pytestmark = pytest.mark.slow


def heard(place: Place, task: str) -> str:
    return place.file("heard.txt", branch=f"fleet/{task}") or ""


def begun(place: Place, name: str) -> None:
    place.spawn(name, f"begin {name}", "--agent", "talker", "--done", "manual")
    until(lambda: f"begin {name}" in heard(place, name))


def test_the_younger_of_two_is_told_at_the_end_of_its_turn(place: Place) -> None:
    place.talker()
    (place.repo / "fleet.yaml").write_text("tell_conflicts: true\n")
    place.git("add", "-A")
    place.git("commit", "-qm", "tell of conflicts")
    begun(place, "older")  # each writes down what it hears, in one file
    begun(place, "younger")

    until(lambda: "do not merge as they stand" in heard(place, "younger"))

    said = heard(place, "younger")
    assert "heard.txt" in said
    assert "- older: begin older" in said
    assert heard(place, "older") == "begin older\n"
    found = json.loads(place.fleet("conflicts", "--json").out)
    assert [pair["tasks"] for pair in found["pairs"]] == [["older", "younger"]]
    assert place.fleet("conflicts", "older").out.startswith("older conflicts with younger")
    [told] = place.events("conflict.told")
    assert (told["task"], told["other"], told["files"]) == ("younger", "older", ["heard.txt"])

    place.fleet("stop", "older")

    until(lambda: place.events("conflict.over"))
    assert "nothing conflicts" in place.fleet("conflicts").err
