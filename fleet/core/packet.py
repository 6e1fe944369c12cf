"""All that a reviewer needs to know of a change, computed; only its summary is an agent's word."""

from msgspec import Struct

from fleet.core.assessment import Assessment, Risk
from fleet.core.causes import CheckResult


class Identity(Struct, frozen=True, kw_only=True):
    """Which change it is: `diff` is the digest of what differs between `base` and `sealed`."""

    task: str
    title: str
    revision: int
    sealed: str
    base: str
    diff: str
    branch: str
    target: str
    agent: str | None
    model: str | None
    attempt: int
    conversation: str | None
    owner: str
    parents: tuple[str, ...]
    auto_commit: bool
    approved_by: str | None
    stack: tuple[str, ...] = ()  # in the order in which it lands
    upon: str = ""  # what it was made on, where that is another change


class Proof(Struct, frozen=True, kw_only=True):
    """One check that fleet ran: on which tree, and what it said."""

    result: CheckResult
    merged: bool  # on the tree that would land, else in the workspace
    tree: str | None = None
    onto: str | None = None


class Measured(Struct, frozen=True, kw_only=True):
    """A criterion, and what shows that it is met; nothing may."""

    text: str
    proofs: tuple[Proof, ...] = ()


class Neighbourhood(Struct, frozen=True, kw_only=True):
    """What goes on around the change: `landed` is what reached its files since it was begun."""

    state: str = ""
    position: int | None = None
    length: int = 0
    waits_for: str | None = None
    landed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    together: tuple[str, ...] = ()  # with what an earlier revision failed, though it passes alone


class Packet(Struct, frozen=True, kw_only=True):
    """The review packet. `risk` is None until the change is measured."""

    identity: Identity
    prompt: str
    criteria: tuple[Measured, ...]
    evidence: tuple[Proof, ...]
    summary: str
    stat: str
    risk: Risk | None = None
    points: int | None = None
    per_criterion: float | None = None
    assessment: Assessment | None = None
    proofs: tuple[str, ...] = ()  # what tests say of old and new code
    neighbourhood: Neighbourhood = Neighbourhood()
    comments: tuple[str, ...] = ()  # that nobody answered
    next: tuple[str, ...] = ()
