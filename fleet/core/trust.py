"""Whether a person trusts what a repository's file would make us run."""

from fleet.core.ids import RepoId
from fleet.core.model import Fleet
from fleet.core.policy import RepoPolicy

UNTRUSTED = "fleet.yaml has commands that nobody trusted: fleet trust"
_UNREAD = "the fleet.yaml of {} cannot be read (fleet status tells why)"


def untrusted(fleet: Fleet, repo: RepoId, policy: RepoPolicy) -> bool:
    """Whether the repository's file needs the trust of a person, and nobody gave it."""
    return policy.needs_trust and policy.digest not in fleet.repos[repo].trusted


def withheld(fleet: Fleet, repo: RepoId, target: str, policy: RepoPolicy) -> str | None:
    """Return why nothing may be done by the file of a target: it is not trusted, or not read."""
    if policy.source == "unread":
        return _UNREAD.format(target)
    return UNTRUSTED if untrusted(fleet, repo, policy) else None
