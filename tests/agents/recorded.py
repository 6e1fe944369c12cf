"""What agents' own hooks were recorded to tell, by names: `data/AGENT-hooks.json`."""

import json
from pathlib import Path
from typing import Any

from fleet.agents.adapter import AgentAdapter, Signal

_DATA = Path(__file__).parent.parent / "data"


class Recorded:
    """The recordings of one agent, and what its adapter makes of them."""

    def __init__(self, adapter: AgentAdapter) -> None:
        self._adapter = adapter
        self.all: dict[str, dict[str, Any]] = json.loads(
            (_DATA / f"{adapter.name}-hooks.json").read_text()
        )

    def payload_of(self, name: str, **change: object) -> bytes:
        """Return a payload, with something changed in it."""
        return json.dumps(self.all[name]["payload"] | change).encode()

    def read(self, name: str, **change: object) -> tuple[Signal, ...]:
        """Return what is understood of it."""
        return self._adapter.read_hook(self.all[name]["event"], self.payload_of(name, **change))
