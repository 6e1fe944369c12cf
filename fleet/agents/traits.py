"""What follows from what an adapter says of its agent: its account, and when its runs end."""

import hashlib
from collections.abc import Mapping

from fleet.agents.adapter import AgentAdapter
from fleet.core.policy import Done

_BYTES = 8


def account(adapter: AgentAdapter, environment: Mapping[str, str], *, salt: str) -> str:
    """Return a name for the account that an agent uses, empty where it shares none.

    No credential can be told from it, and with another `salt` it is another name.
    """
    if adapter.accounts is None:
        return ""
    found = {name: environment[name] for name in sorted(adapter.accounts) if environment.get(name)}
    if not found:
        return adapter.name
    said = "\0".join(f"{name}={value}" for name, value in found.items())
    key = salt.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    digest = hashlib.blake2b(said.encode(errors="surrogateescape"), digest_size=_BYTES, key=key)
    return f"{adapter.name} {digest.hexdigest()}"


def default_done(adapter: AgentAdapter, *, has_checks: bool) -> Done:
    """Return when a run has ended if the task does not say.

    Where checks judge the work, each end of a turn may be its end. Whatever is returned, a run
    has ended when its process has.
    """
    if adapter.done is not None:
        return adapter.done
    if has_checks:
        return "turn"
    return "manual" if adapter.converses else "exit"
