"""Speaks to the supervisor without an event loop, and starts one where that is wanted."""

from fleet.client.connection import Client, Stream
from fleet.client.environment import agent_environment

__all__ = ["Client", "Stream", "agent_environment"]
