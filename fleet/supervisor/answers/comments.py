"""What is said of a change's lines, and where those are by now."""

import asyncio

from fleet import protocol as p
from fleet.core.comments import CommentRow, Where, as_sent, row
from fleet.core.decide import PERSON
from fleet.core.names import find
from fleet.errors import RefusedError
from fleet.supervisor import lines
from fleet.supervisor.host import Host


async def comments(host: Host, query: p.Comments, actor: str) -> list[CommentRow]:
    """Return the comments of a change, oldest first."""
    fleet = host.supervisor.fleet
    task = find(fleet, query.task)
    if actor not in (PERSON, task.id):
        raise RefusedError(
            f"the agent of {actor} may read comments on its own change only",
            hint=f"fleet comments {actor}",
        )
    wanted = tuple(
        it if actor == PERSON else as_sent(it)
        for it in task.comments
        if (query.all or not it.resolved) and (it.sent or actor == PERSON)
    )
    places = await asyncio.to_thread(lines.places, host.tools, fleet, task, wanted)
    return [row(task.id, it, places.get(it.id, Where())) for it in wanted]
