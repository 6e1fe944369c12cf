"""Which checks a change must pass on its merged tree, and by which digest they are known."""

import hashlib

import msgspec

from fleet.core.model import Spec
from fleet.core.policy import Check, RepoPolicy


def gates(spec: Spec, policy: RepoPolicy) -> tuple[Check, ...]:
    """Return the checks of the repository and those of the task, each once."""
    known = {check.run for check in policy.checks}
    return (*policy.checks, *(check for check in spec.checks if check.run not in known))


def rules(checks: tuple[Check, ...]) -> str:
    """Return a digest that changes whenever a check is added, removed or redefined."""
    return hashlib.sha256(msgspec.json.encode(checks)).hexdigest()
