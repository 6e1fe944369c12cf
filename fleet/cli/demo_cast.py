"""Who plays in the demonstration: shell agents that do well and badly, and how each must end."""

from typing import Literal

from msgspec import Struct

from fleet.core.rows import TaskDetail

Ending = Literal["lands", "lands or conflicts", "does not land"]
HANGS_S = 8.0


class Part(Struct, frozen=True):
    """One agent: what it is asked to do, as a shell command, and how that must end."""

    name: str
    title: str
    command: str
    ending: Ending
    checks: tuple[str, ...] = ()
    attempts: int = 1
    timeout_s: float | None = None
    attempt: int | None = None  # the attempt that must have done it
    agent: str = "shell"
    auto_commit: bool = False  # whether fleet itself must have committed its work


def _commit(message: str) -> str:
    return f"git add -A && git commit -q -m '{message}'"


ANSWER = f"""\
echo 'which number is the answer?'
sleep 1
number=41
grep -qs failed "$FLEET_NOTES" && number=42 # what the last attempt was told
echo "I say $number"
echo "$number" >answer.txt
{_commit("answer the question")}
"""
CAST = (
    Part(
        "hang",
        "waits for ever, and is stopped by its time limit",
        "echo 'waiting for a lock that nobody gives back'; sleep 600",
        "does not land",
        timeout_s=HANGS_S,
    ),
    Part(
        "answer",
        "fails its check, is sent back with the reason, and gets it right",
        ANSWER,
        "lands",
        checks=("grep -qx 42 answer.txt",),
        attempts=3,
        attempt=2,
    ),
    Part(
        "greeting",
        "does what it is told",
        f"sleep 2; echo 'echo hello' >hello.sh; {_commit('say hello')}",
        "lands",
        checks=("sh hello.sh | grep -q hello",),
    ),
    Part(
        "motto-brave",
        "rewrites a line that another agent rewrites too",
        f"sleep 2; echo 'fortune favours the brave' >motto.txt; {_commit('a brave motto')}",
        "lands or conflicts",
    ),
    Part(
        "motto-calm",
        "rewrites the same line in its own way",
        f"sleep 2; echo 'slow is smooth, smooth is fast' >motto.txt; {_commit('a calm motto')}",
        "lands or conflicts",
    ),
    Part(
        "forgetful",
        "ends with its work not committed, and loses nothing",
        "sleep 1; echo 'remember the milk' >list.txt; echo 'done, bye'",
        "lands",
        auto_commit=True,
    ),
    Part(
        "idle-talk",
        "ends without a change, which is not done",
        "sleep 1; echo 'I have looked at it, and it is fine'",
        "does not land",
    ),
)
TOTAL = len(CAST)


def surprises(details: dict[str, TaskDetail], why: dict[str, str]) -> list[str]:
    """Return what did not end as it must, a sentence each; `why` is what fleet says of each."""
    found = [words for part in CAST if (words := _surprise(part, details[part.name]))]
    pair = [part.name for part in CAST if part.ending == "lands or conflicts"]
    losers = [name for name in pair if details[name].row.status != "landed"]
    if len(losers) != 1:
        found.append(f"of {' and '.join(pair)}, one must land, and {len(losers)} did not")
    elif "motto.txt" not in why[losers[0]]:
        found.append(f"{losers[0]} does not say that it conflicts in motto.txt")
    return found


def _surprise(part: Part, detail: TaskDetail) -> str:
    row, landed = detail.row, detail.row.status == "landed"
    if part.ending != "lands or conflicts" and landed != (part.ending == "lands"):
        return f"{part.name} {part.ending}, and yet it is {row.status}"
    if not landed and not (row.needs or detail.reason):
        return f"{part.name} did not land, and nothing says why"
    if part.attempt is not None and row.attempt != part.attempt:
        return f"{part.name} must land by attempt {part.attempt}, and it was {row.attempt}"
    if part.auto_commit and not detail.auto_commit:
        return f"{part.name} must show that fleet committed its work"
    return ""
