"""Which agents a task could be given to: all that are known, and whether they could start."""

import asyncio
from pathlib import Path
from typing import Any

from fleet import protocol as p
from fleet.agents.registry import Registry
from fleet.core.policy import RepoPolicy
from fleet.errors import FleetError
from fleet.supervisor.host import Host
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git.repository import branch_tip, target_branch
from fleet.tools.programs import find_program


async def agents(host: Host, query: p.Agents) -> dict[str, Any]:
    """Return the agents that tasks in a repository may use, and which of them is usual there."""
    return await asyncio.to_thread(_agents, host.tools, query)


def _agents(tools: Tools, query: p.Agents) -> dict[str, Any]:
    tools.policies.read_user()
    place = tools.locate(Path(query.cwd))
    target = target_branch(place, None)
    tip = branch_tip(place, target)
    policy = tools.policies.read(place, tip) if tip else RepoPolicy()
    registry = tools.policies.registry(policy)
    root = str(place.root)
    return {
        "agents": [_told(registry, name, query.path, root) for name in registry.names()],
        "usual": tools.policies.default_agent(policy),
        "target": policy.target or target,
    }


def _told(registry: Registry, name: str, path: str | None, root: str) -> dict[str, Any]:
    try:
        program = registry.get(name).program()
        if program is not None:
            find_program(program, path=path, cwd=root)
    except FleetError as error:
        return {"name": name, "found": False, "why": error.message}
    return {"name": name, "found": True, "why": None}
