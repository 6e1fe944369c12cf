"""Undoing from the command line: the new task's name, and an approval of exactly what undoes it."""

from command_line import Run
from fake_supervisor import FakeSupervisor, Items
from wire_samples import BASE, HEAD

ANSWER = {"task": "revert-importer", "head": HEAD, "reverts": "importer", "commit": BASE}


def reached(*, there: bool) -> Items:
    item = {"task": "revert-importer", "status": "review" if there else "failed", "needs": None}
    return Items([item], [item | {"reached": there}])


def test_the_name_of_what_undoes_it_is_printed(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["revert"] = ANSWER
    answer = run("revert", "importer")
    assert (answer.code, answer.out) == (0, "revert-importer\n")
    assert "it waits for its checks and a review" in answer.err
    assert fake.calls("approve") == []


def test_exactly_that_commit_is_approved(run: Run, fake: FakeSupervisor) -> None:
    fake.answers |= {"revert": ANSWER, "wait": reached(there=True), "approve": {}}
    answer = run("revert", "importer", "--approve")
    assert "it is approved" in answer.err
    [approval] = fake.calls("approve")
    assert (approval["task"], approval["head"]) == ("revert-importer", HEAD)


def test_what_never_comes_up_for_review_is_not_approved(run: Run, fake: FakeSupervisor) -> None:
    fake.answers |= {"revert": ANSWER, "wait": reached(there=False)}
    assert run("revert", "importer", "--approve").code == 1
    assert fake.calls("approve") == []
