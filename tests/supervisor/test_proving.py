"""Old tests run on new code and new tests on old code: what an agent did to the tests shows."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from house import COMMIT, SOON_S, House, git

from fleet import protocol as p
from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import Commit, TaskId
from fleet.core.policy import Check
from fleet.core.proof import KINDS, Kind, Proof
from fleet.core.proofs import proof_rows
from fleet.supervisor.answers import look, reasons
from fleet.supervisor.answers.review import review
from fleet.supervisor.perform import _PERFORMERS

A = TaskId("a")
RUN = "for it in tests/*.sh; do sh $it || exit 1; done"
BREAK = "echo 'echo 3' > add.sh"
TARGET = {
    "add.sh": "echo $(($1 + $2))\n",
    "tests/lib/equal": 'test "$1" = "$2"\n',
    "tests/add.sh": 'sh tests/lib/equal "$(sh add.sh 2 2)" 4\n',
}


def write(house: House, files: dict[str, str], message: str = "code and tests") -> Commit:
    for name, text in files.items():
        (house.repo / name).parent.mkdir(parents=True, exist_ok=True)
        (house.repo / name).write_text(text)
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", message)
    return Commit(git(house.repo, "rev-parse", "HEAD"))


async def proven(house: House, prompt: str, *, check: str = RUN) -> dict[str, Proof]:
    """Have an agent do it, and wait until all is tried that can be."""
    async with house.watching():
        house.spawn(f"{prompt}; {COMMIT}", checks=(check,))
        await house.until_word("a", "review")
        await house.settled()
    change = house.task("a").change
    assert change
    return {proof.kind: proof for proof in change.proofs}


def states(found: dict[str, Proof]) -> tuple[str, ...]:
    return tuple(found[kind].state for kind in KINDS)


class TestOldTestsOnNewCode:
    @pytest.mark.parametrize(
        "dishonest",
        [
            pytest.param("echo true > tests/add.sh", id="weakened"),
            pytest.param("git rm -q tests/add.sh; echo true > tests/other.sh", id="deleted"),
            pytest.param(
                "git mv tests/add.sh tests/sum.sh; echo true > tests/sum.sh", id="renamed"
            ),
            pytest.param("echo true > tests/lib/equal", id="its helper weakened"),
            pytest.param(
                "git mv tests/add.sh tests/add.off; echo true > tests/x.sh", id="put out of the way"
            ),
        ],
    )
    async def test_an_agent_that_tampered_with_a_test_is_caught(
        self, house: House, dishonest: str
    ) -> None:
        write(house, TARGET)
        found = await proven(house, f"{BREAK}; {dishonest}")
        proof = found["old-tests"]
        assert (proof.state, [it.state for it in proof.results]) == ("refuted", ["failed"])
        assert "failed with exit code 1" in proof.why

    async def test_a_new_file_that_switches_tests_off_is_taken_away(self, house: House) -> None:
        write(house, TARGET)
        check = f"test -f conftest.py && exit 0; {RUN}"
        found = await proven(house, f"{BREAK}; echo skip > conftest.py", check=check)
        assert found["old-tests"].state == "refuted"

    async def test_honest_work_is_proven(self, house: House) -> None:
        write(house, TARGET)
        found = await proven(
            house,
            "echo 'expr $1 + $2' > add.sh;"
            "echo 'sh tests/lib/equal $(sh add.sh 1 2) 3' >> tests/add.sh",
        )
        assert found["old-tests"].state == "proven"

    async def test_a_binary_test_file_is_the_targets_own(self, house: House) -> None:
        (house.repo / "tests").mkdir()
        (house.repo / "tests" / "data").write_bytes(b"\x00\xff\r\n" * 100)
        (house.repo / "out").write_bytes(b"\x00\xff\r\n" * 100)
        write(house, {})
        both = "printf '\\000\\001' | tee out > tests/data"
        found = await proven(house, both, check="cmp tests/data out")
        assert states(found) == ("refuted", "proven")


class TestNewTestsOnOldCode:
    async def test_a_test_that_fails_without_the_change_proves_it(self, house: House) -> None:
        write(house, TARGET)
        found = await proven(
            house,
            "echo 'echo $(($1 * $2))' > mul.sh;"
            "echo 'sh tests/lib/equal $(sh mul.sh 2 3) 6' > tests/mul.sh",
        )
        assert states(found) == ("proven", "proven")
        tree = found["new-tests"].tree
        assert "tests/mul.sh" in git(house.repo, "ls-tree", "-r", "--name-only", tree)
        assert "\nmul.sh" not in git(house.repo, "ls-tree", "-r", "--name-only", tree)

    async def test_a_fake_test_is_caught(self, house: House) -> None:
        write(house, TARGET)
        found = await proven(
            house, "echo 'echo $(($1 * $2))' > mul.sh; echo 'test 6 = 6' > tests/mul.sh"
        )
        assert states(found) == ("proven", "refuted")
        [_, row] = proof_rows(house.task("a"), house.tools.target_policy(house.repo_id, "main"))
        assert row.says == "the new tests pass without the change: they prove nothing"

    async def test_tests_that_are_only_removed_prove_nothing(self, house: House) -> None:
        write(house, TARGET | {"tests/more.sh": "true\n"})
        found = await proven(house, "git rm -q tests/more.sh; echo >> add.sh")
        assert states(found) == ("proven", "nothing-to-prove")
        assert found["new-tests"].results == ()

    async def test_the_first_tests_of_a_repository(self, house: House) -> None:
        write(house, {"add.sh": "echo 3\n"})
        found = await proven(
            house,
            "mkdir tests; echo 'echo $(($1 + $2))' > add.sh;"
            "echo 'test \"$(sh add.sh 2 2)\" = 4' > tests/add.sh",
        )
        assert states(found) == ("nothing-to-prove", "proven")
        assert found["old-tests"].why == "the target has no tests"

    async def test_a_failure_that_comes_and_goes_is_none(self, house: House) -> None:
        write(house, TARGET)
        mark = house.home.root / "tried"
        once = f"test -f mul.sh || test -f {mark} || {{ touch {mark}; exit 1; }}"
        check = f"{once}; {RUN}"
        found = await proven(house, "echo > mul.sh; echo true > tests/mul.sh", check=check)
        assert found["new-tests"].state == "refuted"
        assert [it.state for it in found["new-tests"].results] == ["flaky"]


async def test_what_touches_no_tests_is_told_and_nothing_is_run(house: House) -> None:
    write(house, TARGET)
    assert await proven(house, "echo 'expr $1 + $2' > add.sh") == {}
    assert house.events(e.ChangeProved) == []
    rows = proof_rows(house.task("a"), house.tools.target_policy(house.repo_id, "main"))
    assert [row.state for row in rows] == ["nothing-to-prove"] * 2


async def test_a_repository_without_tests_is_left_in_peace(house: House) -> None:
    write(house, {"add.sh": "echo 3\n"})
    assert await proven(house, "echo 'echo 4' > add.sh", check="sh add.sh") == {}


class TestTrying:
    """One proof at a time, as the performer is asked for it."""

    async def ready(
        self, house: House, prompt: str = "echo true > tests/add.sh; echo >> add.sh"
    ) -> None:
        write(house, TARGET)
        await proven(house, prompt)
        house.quiet()

    def prove(self, house: House, kind: Kind = "old-tests", onto: Commit | None = None) -> Any:
        tip = onto or house.the_repo.tips["main"]
        [told] = house.perform(f.Prove(A, 1, kind, tip))
        assert isinstance(told, e.ChangeProved)
        return told.proof

    async def test_the_same_is_the_same_commit(self, house: House) -> None:
        await self.ready(house)
        first, again = self.prove(house), self.prove(house)
        assert first.commit
        assert (first.tree, first.commit) == (again.tree, again.commit)
        assert git(house.repo, "rev-parse", f"{first.commit}^") == first.onto

    async def test_nothing_is_kept_and_nothing_of_the_user_is_touched(self, house: House) -> None:
        await self.ready(house)
        (house.repo / "add.sh").write_text("being edited\n")
        seen = [git(house.repo, *it) for it in (("for-each-ref",), ("status", "--porcelain"))]
        self.prove(house)
        assert [
            git(house.repo, *it) for it in (("for-each-ref",), ("status", "--porcelain"))
        ] == seen

    async def test_the_target_of_today_is_what_the_tests_are_taken_from(self, house: House) -> None:
        await self.ready(house)
        tip = write(house, {"tests/new.sh": "exit 7\n"}, "a test that nothing passes")
        proof = self.prove(house, onto=tip)
        assert (proof.state, proof.onto) == ("refuted", tip)

    async def test_one_that_does_not_merge_cannot_be_tried(self, house: House) -> None:
        await self.ready(house)
        tip = write(house, {"tests/add.sh": "something else\n"}, "meanwhile")
        proof = self.prove(house, onto=tip)
        assert (proof.state, proof.why) == ("unbuildable", "it does not merge with its target")

    async def test_a_commit_that_is_gone_is_said(self, house: House) -> None:
        await self.ready(house)
        assert self.prove(house, onto=Commit("0" * 40)).state == "unbuildable"

    async def test_code_where_the_tests_would_be_is_said(self, house: House) -> None:
        write(house, {"tests/add.sh": "true\n", "add.sh": "echo 3\n"})
        await proven(house, "git rm -rq tests; echo code > tests; echo > y.test.sh", check="true")
        house.quiet()
        proof = self.prove(house)
        assert proof.state == "unbuildable"
        assert "tests" in proof.why

    async def test_a_file_that_nobody_trusts_runs_nothing(self, house: House) -> None:
        await self.ready(house)
        ran = house.home.root / "ran"
        house.govern(checks=(Check("test", f"touch {ran}"),))
        house.tools.policies.keep(
            house.repo_id,
            "main",
            type(house.tools.target_policy(house.repo_id, "main"))(
                checks=(Check("test", f"touch {ran}"),), digest="untrusted"
            ),
        )
        assert self.prove(house).state == "unbuildable"
        assert not ran.exists()

    async def test_one_that_is_stopped_has_found_out_nothing(self, house: House) -> None:
        await self.ready(house)
        stop = threading.Event()
        stop.set()
        effect = f.Prove(A, 1, "old-tests", house.the_repo.tips["main"])
        assert _PERFORMERS[f.Prove](house.tools, effect, house.fleet, stop) == []


async def test_a_gate_comes_first(house: House) -> None:
    """A proof under way is stopped for a gate, and tried again afterwards."""
    write(house, TARGET)
    house.configure("workers: 1\n")
    begun, go = house.home.root / "begun", house.home.root / "go"
    wait = f"touch {begun}; until test -f {go}; do sleep 0.05; done"
    slow = f"test -f add.sh.new || {{ {wait}; }}; {RUN}"
    async with house.watching():
        house.spawn(f"touch add.sh.new; echo true > tests/x.sh; {COMMIT}", checks=(slow,))
        await house.until_word("a", "review")
        async with asyncio.timeout(SOON_S):
            while not begun.exists():  # the new tests, on code without that file
                await asyncio.sleep(0.02)
        house.spawn(f"echo > b; {COMMIT}", "b", checks=("true",))
        await house.until_word("b", "review")
        go.touch()
        await house.settled()
    change = house.task("a").change
    assert change
    assert [proof.kind for proof in change.proofs] == list(KINDS)


class TestLandingByItself:
    """What lands without a person waits for its proofs, and where these refute it for a person."""

    async def test_honest_work_lands_once_it_is_proven(self, house: House) -> None:
        write(house, TARGET)
        work = (
            "echo 'echo $(($1 * $2))' > mul.sh;"
            "echo 'sh tests/lib/equal $(sh mul.sh 2 3) 6' > tests/mul.sh"
        )
        async with house.watching():
            house.spawn(f"{work}; {COMMIT}", checks=(RUN,), land="auto")
            await house.until_word("a", "landed")

        kinds = [type(it.event) for it in house.supervisor.entries(0)]
        last = [kinds.index(it) for it in (e.ChangeAssessed, e.ChangeProved)]
        assert max(last) < kinds.index(e.LandingBegan)
        assert kinds.count(e.ChangeProved) == 2

    async def test_one_that_tampered_with_a_test_needs_a_person(self, house: House) -> None:
        write(house, TARGET)
        async with house.watching():
            house.spawn(f"{BREAK}; echo true > tests/add.sh; {COMMIT}", checks=(RUN,), land="auto")
            await house.until_word("a", "review")
            await house.settled()

        told = await reasons.why(house.host, p.Why(task="a"))
        packet = await review(house.host, p.Review(task="a"), "person")
        [row] = await look.queue(house.host, p.Queue())
        assert told.needs == "review"
        assert told.because[0] == "its change waits for a review"
        assert told.because[1].startswith("the target's own tests fail on the new code: ")
        assert (row.risk, row.points) == (packet.risk, packet.points)
        found = packet.assessment.reasons if packet.assessment else ()
        assert packet.points == sum(it.points for it in found)
        assert [it.points for it in found if "own tests fail" in it.text] == [5]

        house.submit(c.Approve(task="a"))
        await house.until_word("a", "landed")
        [approved] = house.events(e.Approved)
        assert approved.risk == packet.risk

    async def test_one_that_nobody_could_measure_needs_a_person(
        self, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "lizard.py").write_text("import os; os.kill(os.getpid(), 9)")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # a library that the measuring uses
        write(house, {"add.sh": "echo 3\n"})
        async with house.watching():
            code = "printf 'def f():\\n    return 1\\n' > f.py"
            house.spawn(f"{code}; {COMMIT}", checks=("sh add.sh",), land="auto")
            await house.until_word("a", "review")

        told = await reasons.why(house.host, p.Why(task="a"))
        assert told.because[1] == (
            "it could not be assessed, complexity: it was killed by signal 9: a person has to look"
        )
