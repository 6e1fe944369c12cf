"""Checks are run on a tree up to the first red one, and never again where they were green."""

import threading

from house import House, git

from fleet.core.causes import CheckResult
from fleet.core.policy import Check
from fleet.supervisor.perform.tree_checks import run_checks_on


class Checks:
    """Runs checks on the tip of main, as they would be run for a task."""

    def __init__(self, house: House) -> None:
        house.configure("workers: 1\n")
        house.begin("true")
        self.house, self.task = house, house.task("a")
        self.stop = threading.Event()
        self.ran = house.home.root / "ran"

    def check(self, name: str, command: str = "true") -> Check:
        return Check(name, f"echo {name} >> {self.ran}; {command}")

    def run(self, *checks: Check, already: tuple[CheckResult, ...] = ()) -> tuple[CheckResult, ...]:
        return run_checks_on(
            self.house.tools,
            self.house.tools.place(self.house.the_repo),
            self.task,
            self.house.tools.target_policy(self.task.repo, self.task.target),
            commit=git(self.house.repo, "rev-parse", "main"),
            checks=checks,
            stem="tried",
            stop=self.stop,
            already=already,
        )

    def names(self) -> list[str]:
        return self.ran.read_text().split() if self.ran.exists() else []


def result(name: str, state: str) -> CheckResult:
    return CheckResult(name, state, 1.0, f"/logs/{name}.log")


async def test_they_stop_at_the_first_that_is_red(house: House) -> None:
    checks = Checks(house)
    told = checks.run(checks.check("a"), checks.check("b", "exit 3"), checks.check("c"))
    assert [(one.name, one.state, one.code) for one in told] == [
        ("a", "passed", 0),
        ("b", "failed", 3),
    ]
    assert checks.names() == ["a", "b"]
    assert told[1].log == str(house.home.check_log("a", "tried-b"))


async def test_what_was_green_is_not_run_again(house: House) -> None:
    checks = Checks(house)
    green, red = result("a", "passed"), result("b", "failed")
    told = checks.run(checks.check("a"), checks.check("b"), already=(green, red))
    assert told[0] == green
    assert checks.names() == ["b"]
    assert (told[1].state, told[1].log) == ("flaky", red.log)


async def test_one_that_was_killed_before_and_passes_now_is_not_flaky(house: House) -> None:
    checks = Checks(house)
    [told] = checks.run(checks.check("a"), already=(result("a", "killed"),))
    assert told.state == "passed"


async def test_where_all_is_green_no_worktree_is_needed(house: House) -> None:
    checks = Checks(house)
    green = result("a", "flaky")
    with house.tools.gates.borrow(checks.task.repo, workers=1, stop=checks.stop):
        assert checks.run(checks.check("a"), already=(green,)) == (green,)
        assert checks.run() == ()


async def test_who_waits_for_a_worktree_in_vain_has_found_out_nothing(house: House) -> None:
    checks = Checks(house)
    with house.tools.gates.borrow(checks.task.repo, workers=1, stop=checks.stop):
        checks.stop.set()
        [told] = checks.run(checks.check("a"))
    assert told.state == "cancelled"
    assert not told.green
    assert checks.names() == []


async def test_a_check_that_ran_no_test_is_red_where_it_may_not_be_empty(house: House) -> None:
    checks = Checks(house)
    says = "python3 -c 'print(chr(10) + \"no tests ran in 0.14s\")'"
    [told] = checks.run(Check("test", says))
    assert (told.state, told.green) == ("empty", False)
    [told] = checks.run(Check("test", says, allow_empty=True))
    assert (told.state, told.green) == ("passed", True)
