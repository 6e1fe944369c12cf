"""The target moves to the very commit that was tested, or nothing moves, crash or not."""

from datetime import timedelta

import pytest
from house import COMMIT, House, git
from landing_by_hand import A, about_to_land, detach, evidence_commit, land, main

from fleet.core import events as e
from fleet.supervisor.perform import landing
from fleet.supervisor.perform.landing import is_still_blocked
from fleet.supervisor.probes import vitals
from fleet.tools.git.intent import Intent


async def test_the_tested_commit_lands_and_the_checkout_follows(house: House) -> None:
    await about_to_land(house)

    assert land(house) == [
        e.ChangeLanded(task=A, revision=1, commit=main(house.repo), target="main")  # type: ignore[arg-type] # plain text
    ]

    assert main(house.repo) == evidence_commit(house)
    assert (house.repo / "new.txt").read_text() == "hi\n"
    assert not house.home.landing("a").exists()


@pytest.mark.parametrize("checked_out", [True, False])
async def test_landing_again_after_a_crash_is_the_same(house: House, *, checked_out: bool) -> None:
    await about_to_land(house)
    if not checked_out:
        detach(house)
    first = land(house)  # and here fleet was killed
    tip = main(house.repo)

    assert land(house) == first
    assert main(house.repo) == tip


class KilledError(Exception):
    pass


async def killed_while_landing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Land, and be killed before the journal was settled."""
    await about_to_land(house)

    def die(_: Intent) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(landing, "settle", die)
        with pytest.raises(KilledError):
            land(house)
    assert house.home.landing("a").exists()


async def test_a_journal_that_was_left_is_recovered_from(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_while_landing(house, monkeypatch)
    [landed] = land(house)
    assert isinstance(landed, e.ChangeLanded)
    assert not house.home.landing("a").exists()


async def test_what_was_built_on_it_meanwhile_is_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_while_landing(house, monkeypatch)
    git(house.repo, "commit", "-q", "--allow-empty", "-m", "on top")
    landed, seen = land(house)
    assert isinstance(landed, e.ChangeLanded)
    assert isinstance(seen, e.TargetSeen)
    assert seen.tip == main(house.repo)


async def test_what_was_taken_back_meanwhile_freezes_the_queue(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_while_landing(house, monkeypatch)
    git(house.repo, "reset", "-q", "--hard", "HEAD^1")
    frozen, seen, missed = land(house)
    assert isinstance(frozen, e.QueueFrozen)
    assert isinstance(seen, e.TargetSeen)
    assert isinstance(missed, e.LandingMissed)


async def test_a_half_made_checkout_is_undone_and_landed_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await killed_while_landing(house, monkeypatch)
    parent = git(house.repo, "rev-parse", "HEAD^1")
    git(house.repo, "update-ref", "refs/heads/main", parent)
    git(house.repo, "reflog", "expire", "--expire=now", "--all")
    git(house.repo, "update-ref", "-d", "refs/fleet/landed/a-1")

    facts = land(house)

    assert isinstance(facts[0], e.ChangeLanded)
    assert git(house.repo, "status", "--porcelain") == ""


async def test_a_target_taken_back_since_its_gates_freezes_the_queue(house: House) -> None:
    (house.repo / "undone.txt").write_text("x\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "undone")
    await about_to_land(house)
    git(house.repo, "reset", "-q", "--hard", "HEAD^")

    frozen, seen, missed = land(house)

    assert isinstance(frozen, e.QueueFrozen)
    assert "was taken back" in frozen.reason
    assert isinstance(seen, e.TargetSeen)
    assert seen.tip == main(house.repo)
    assert isinstance(missed, e.LandingMissed)


async def test_a_target_that_moved_is_seen_and_nothing_lands(house: House) -> None:
    await about_to_land(house)
    git(house.repo, "commit", "-q", "--allow-empty", "-m", "faster")
    tip = main(house.repo)

    seen, missed = land(house)

    assert isinstance(seen, e.TargetSeen)
    assert isinstance(missed, e.LandingMissed)
    assert (seen.tip, missed.tip, main(house.repo)) == (tip, tip, tip)


async def test_a_target_that_is_gone_is_seen(house: House) -> None:
    await about_to_land(house)
    detach(house)
    git(house.repo, "branch", "-qD", "main")

    seen, missed = land(house)

    assert isinstance(seen, e.TargetSeen)
    assert seen.tip is None
    assert isinstance(missed, e.LandingMissed)


async def test_work_in_the_checkout_blocks_and_stays(house: House) -> None:
    await about_to_land(house)
    (house.repo / "new.txt").write_text("my own\n")
    before = main(house.repo)

    [blocked] = land(house)

    assert isinstance(blocked, e.ChangeBlocked)
    assert "new.txt" in blocked.reason
    assert (house.repo / "new.txt").read_text() == "my own\n"
    assert main(house.repo) == before


async def test_what_blocks_is_looked_for_without_a_try(house: House) -> None:
    await about_to_land(house)
    (house.repo / "new.txt").write_text("my own\n")
    house.record(*land(house))
    assert is_still_blocked(house.tools, house.fleet, house.task("a"))

    (house.repo / "new.txt").unlink()
    (house.repo / ".git/MERGE_HEAD").touch()
    assert not is_still_blocked(house.tools, house.fleet, house.task("a"))  # but by another thing

    (house.repo / ".git/MERGE_HEAD").unlink()
    assert not is_still_blocked(house.tools, house.fleet, house.task("a"))


async def test_what_stays_blocked_writes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await about_to_land(house)
    (house.repo / "new.txt").write_text("my own\n")
    house.record(*land(house))
    look, moment = vitals.Vitals(house.host), house.task("a").updated_at
    written = house.fleet.seq
    for minute in range(1, 5):
        later = moment + timedelta(minutes=minute)
        monkeypatch.setattr(vitals, "now", lambda later=later: later)
        await look._unblock()
    assert house.fleet.seq == written

    (house.repo / "new.txt").unlink()
    monkeypatch.setattr(vitals, "now", lambda: moment + timedelta(minutes=5))
    await look._unblock()
    assert len(house.events(e.ChangeUnblocked)) == 1


async def test_a_repository_that_is_gone_blocks(house: House) -> None:
    await about_to_land(house)
    house.tools._places.clear()
    house.repo.rename(house.repo.with_name("elsewhere"))

    [blocked] = land(house)
    assert isinstance(blocked, e.ChangeBlocked)


async def test_what_the_target_has_is_landed_whatever_went_wrong_then(house: House) -> None:
    await about_to_land(house)
    in_the_way = house.repo / ".git/refs/fleet/landed"
    in_the_way.write_text("")  # no mark can be made

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(house.repo) == landed.commit


async def test_landing_without_an_intent_is_a_contradiction(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        await house.until_word("a", "review")
        await house.settled()
        house.quiet()
    with pytest.raises(RuntimeError, match="without an intent"):
        land(house)


class TestPolicyFile:
    """fleet.yaml is trusted in the version that a person's approval landed, and in no other."""

    async def test_an_approved_version_is_trusted(self, house: House) -> None:
        await about_to_land(house, "printf 'checks:\\n- \"true\"\\n' > fleet.yaml")

        landed, trusted = land(house)

        assert isinstance(landed, e.ChangeLanded)
        assert isinstance(trusted, e.PolicyTrusted)
        place = house.tools.place(house.the_repo)
        assert house.tools.policies.read(place, "main").digest == trusted.digest

    async def test_one_that_is_broken_lands_and_is_not_trusted(self, house: House) -> None:
        await about_to_land(house, "echo 'cheks: 1' > fleet.yaml")
        [landed] = land(house)
        assert isinstance(landed, e.ChangeLanded)

    async def test_one_that_policy_landed_is_not_trusted(self, house: House) -> None:
        await about_to_land(house, "echo 'agent: shell' > fleet.yaml")
        change = house.task("a").change
        assert change
        house.record(e.Approved(task=A, revision=1, sealed=change.sealed, by="policy"))
        [landed] = land(house)
        assert isinstance(landed, e.ChangeLanded)

    async def test_a_version_that_is_deleted_is_nothing_to_trust(self, house: House) -> None:
        (house.repo / "fleet.yaml").write_text("agent: shell\n")
        git(house.repo, "add", "-A")
        git(house.repo, "commit", "-qm", "policy")
        await about_to_land(house, "rm fleet.yaml")
        [landed] = land(house)
        assert isinstance(landed, e.ChangeLanded)
