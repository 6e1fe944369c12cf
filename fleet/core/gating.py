"""Which checks a change must pass on its merged tree, and by which digest they are known."""

import hashlib
from collections.abc import Iterable

import msgspec

from fleet.core.model import Spec
from fleet.core.policy import Check, RepoPolicy


def gates(spec: Spec, policy: RepoPolicy) -> tuple[Check, ...]:
    """Return the checks of the repository and those of the task, each once."""
    return gates_of([spec], policy)


def gates_of(specs: Iterable[Spec], policy: RepoPolicy) -> tuple[Check, ...]:
    """Return the checks of changes that are checked together, each once.

    Where a task names a command that the repository has, the repository's definition counts.
    """
    found: dict[str, Check] = {}
    for check in (*policy.checks, *(check for spec in specs for check in spec.checks)):
        found.setdefault(check.run, check)
    return tuple(found.values())


def rules(checks: tuple[Check, ...]) -> str:
    """Return a digest that changes whenever a check is added, removed or redefined."""
    return hashlib.sha256(msgspec.json.encode(checks)).hexdigest()
