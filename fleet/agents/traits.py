"""What an adapter may say of its agent beside its methods; one that says nothing is asked nothing.

An adapter may have

* `accounts`: the variables of its environment that tell one account from another (credentials, the
  address of the service, where it keeps its login). Without it all of its agents share one account;
  None says that they share nothing, as commands of a shell do.
* `usage`: which of COST and TOKENS (of `fleet.core.facts`) its agent tells. Without it nobody knows
  beforehand.
"""

import hashlib
from collections.abc import Mapping

from fleet.agents.adapter import AgentAdapter

_BYTES = 8


def account(adapter: AgentAdapter, environment: Mapping[str, str], *, salt: str) -> str:
    """Return a name for the account that an agent uses, empty where it shares none.

    No credential can be told from it, and with another `salt` it is another name.
    """
    names: tuple[str, ...] | None = getattr(adapter, "accounts", ())
    if names is None:
        return ""
    found = {name: environment[name] for name in sorted(names) if environment.get(name)}
    if not found:
        return adapter.name
    said = "\0".join(f"{name}={value}" for name, value in found.items())
    key = salt.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    digest = hashlib.blake2b(said.encode(errors="surrogateescape"), digest_size=_BYTES, key=key)
    return f"{adapter.name} {digest.hexdigest()}"


def usage(adapter: AgentAdapter) -> frozenset[str] | None:
    """Return which of cost and tokens its agent tells; None where nobody knows beforehand."""
    told: frozenset[str] | None = getattr(adapter, "usage", None)
    return told
