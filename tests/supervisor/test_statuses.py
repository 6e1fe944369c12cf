"""What a person reads of a shell agent, whatever it does: its status, and whether it needs one."""

from datetime import timedelta

import pytest
from house import House

from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.core.views import needs
from fleet.supervisor.host import now

A = TaskId("a")
HOOK = '"$FLEET_HOME/bin/fleet-hook"'
STAY = "exec sleep 1000"


def says(name: str, payload: str = "{}") -> str:
    known = f"""echo '{{"id": "c"}}' | {HOOK} conversation"""  # is on record, and so waited for
    return f"echo '{payload}' | {HOOK} {name}; {known}; {STAY}"


def asks(kind: str) -> str:
    payload = f'{{"need": "may it", "kind": "{kind}", "tool": "Bash", "input": "make deploy"}}'
    return f"echo '{payload}' | {HOOK} waiting --ask; {STAY}"


def reads(house: House) -> tuple[str, str | None]:
    return house.word("a"), needs(
        house.fleet, house.task("a"), house.tools.target_policy(house.repo_id, "main")
    )


def later(house: House, seconds: float) -> None:
    """Let so much time pass without a sign of life."""
    house.host.judge.look(now() + timedelta(seconds=seconds), every=True)


TABLE = {
    "it never reports": (STAY, 0, ("working", None)),
    "it never reports, and is silent for 30 s": (STAY, 30, ("working", None)),
    "it never reports, and is silent for a day": (STAY, 86400, ("working", None)),
    "it reports work": (says("working"), 0, ("working", None)),
    "it reports work, and is silent for 30 s": (says("working"), 30, ("working", None)),
    "it reports work, and is silent for long": (says("working"), 90, ("unknown", None)),
    "it reports its end and something runs on": (
        says("idle", '{"background": true}'),
        0,
        ("working", None),
    ),
    "it rests": (says("idle"), 90, ("idle", "its turn has ended")),
    "it wants a permission": (asks("permission"), 90, ("waiting", "may it")),
    "it has a question": (asks("question"), 90, ("waiting", "may it")),
    "it wants a login": (
        says("waiting", '{"kind": "login"}'),
        90,
        ("waiting", "a login"),
    ),
    "it fails": ("exit 3", 0, ("failed", "the agent ended with exit code 3")),
    "it is killed": ("kill -9 $$", 0, ("failed", "the agent ended with signal 9")),
}


@pytest.mark.parametrize("case", TABLE)
async def test_what_is_read(house: House, case: str) -> None:
    prompt, seconds, expected = TABLE[case]
    async with house.watching():
        house.spawn(prompt)
        if "conversation" in prompt:
            await house.until(lambda fleet: fleet.tasks[A].conversation == "c")
        elif "--ask" in prompt:
            await house.until_word("a", "waiting")
        await house.until(lambda _: house.word("a") not in {"queued", "starting", "stopping"})
        if expected[0] == "failed":
            await house.until_word("a", "failed")
        later(house, seconds)

        assert reads(house) == expected


async def test_before_it_is_up_it_is_starting(house: House) -> None:
    house.begin(STAY)

    assert reads(house) == ("starting", None)


async def test_what_cannot_be_started_says_so(house: House) -> None:
    house.begin(STAY)
    house.record(e.StartFailed(task=A, attempt=1, reason="no pane", not_before=now()))

    assert reads(house) == ("queued", "cannot be started: no pane")
