"""Follows tasks until they settle: a line on stderr for each change, an exit code at the end."""

from typing import Any

from fleet.cli.output import say
from fleet.client import Client
from fleet.protocol import Wait

# Nothing is wrong with a task that stands here and waits for a person: its work is done.
_DONE = frozenset({"review", "approved", "landing", "landed"})
# Where a task stands still until a person says that its work is complete, the word to say.
_WAY_ON = {"idle": "; to take its work: fleet done {}"}
_ENDED = frozenset({"landed", "failed", "stopped", "withdrawn"})


def follow_until_settled(client: Client, tasks: list[str]) -> int:
    """Return 0 once each task has landed or is ready for review, 1 where one is not."""
    stream = client.stream(Wait(tasks=tuple(tasks), state="landed"))
    last: dict[str, dict[str, Any]] = {}
    for item in stream:
        tell(item)
        last[item["task"]] = item
        if len(last) == len(tasks) and all(_settled(it) for it in last.values()):
            break
    else:
        last = {it["task"]: it for it in stream.result}
    return 0 if all(it["status"] in _DONE for it in last.values()) else 1


def tell(item: dict[str, Any]) -> None:
    """Say where a task stands now."""
    task, status = item["task"], item["status"]
    needs = f" (needs you: {item['needs']})" if item["needs"] else ""
    say(f"{task}: {status}{needs}{_WAY_ON.get(status, '').format(task)}")


def _settled(item: dict[str, Any]) -> bool:
    return bool(item["needs"]) or item["status"] in _ENDED
