"""A change that waits for review is measured, and what cannot be measured is told."""

from house import COMMIT, House, git

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.assessment import Assessment
from fleet.core.ids import TaskId

A = TaskId("a")
WRITES = f"printf 'def f():\\n    return 1\\n' > a.py; echo '*' > .gitattributes; {COMMIT}"


def assessment(house: House) -> Assessment:
    change = house.task("a").change
    assert change is not None
    assert change.assessment is not None
    return change.assessment


async def test_a_change_is_measured_while_it_waits(house: House) -> None:
    async with house.watching():
        house.spawn(WRITES, "a")
        await house.until_word("a", "review")
        await house.settled()

    found = assessment(house)
    assert (found.lines, found.files, found.complexity.after) == (3, 2, 1)
    assert found.unknown == ()
    assert [reason.text for reason in found.reasons] == [
        "decides what may land: .gitattributes",
        "unusual: .gitattributes differs together with code",
    ]
    assert found.risk == "high"


async def test_the_commands_of_checks_say_what_may_not_be_touched(house: House) -> None:
    (house.repo / "try.py").write_text("print(1)\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "a check")
    async with house.watching():
        house.spawn(f"echo 'print(2)' > try.py; {COMMIT}", "a", checks=("python3 ./try.py",))
        await house.until_word("a", "review")
        await house.settled()

    assert [it.text for it in assessment(house).gates.first] == ["try.py, which a check names"]


async def test_what_is_gone_is_an_assessment_too(house: House) -> None:
    async with house.watching():
        house.spawn(WRITES, "a")
        await house.until_word("a", "review")
        await house.settled()
    task = house.task("a")
    assert task.change is not None
    (house.repo / ".git" / "objects" / task.change.sealed[:2] / task.change.sealed[2:]).unlink()

    [event] = house.perform(f.Assess(A, 1))

    assert isinstance(event, e.ChangeAssessed)
    assert event.assessment.risk == "medium"
    assert "the whole change" in event.assessment.reasons[0].text
