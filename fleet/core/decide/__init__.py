"""Judging commands: each becomes facts, or is refused with the reason and what to do next."""

from collections.abc import Callable
from typing import Any

from fleet.core import commands as c
from fleet.core.decide import (
    adding,
    answering,
    approval,
    comments,
    control,
    editing,
    keeping,
    reverting,
    review,
)
from fleet.core.decide.decision import PERSON, Decision
from fleet.core.facts import Facts
from fleet.core.model import Fleet
from fleet.errors import RefusedError

_PERSONS_ONLY = (
    *(c.Answer, c.Approve, c.Revoke, c.Return, c.Trust, c.TrustAgents, c.Thaw, c.Remove, c.Clean),
    *(c.Comment, c.EditComment, c.DropComment, c.ResolveComment, c.MarkSeen, c.Revert),
    c.ClosePull,
)

_RULES: dict[type[c.Command], Callable[[Fleet, Any, Any, str], Decision]] = {
    c.Spawn: adding.spawn,
    c.Submit: adding.submit,
    c.Edit: editing.edit,
    c.Stop: control.stop,
    c.StopAll: control.stop_all,
    c.Pause: control.pause,
    c.Resume: control.resume,
    c.Retry: control.retry,
    c.DeclareDone: control.done,
    c.Send: control.send,
    c.Answer: answering.answer,
    c.Approve: approval.approve,
    c.Revoke: approval.revoke,
    c.Return: review.give_back,
    c.Withdraw: review.withdraw,
    c.ClosePull: review.close_pull,
    c.Comment: comments.comment,
    c.EditComment: comments.edit,
    c.DropComment: comments.drop,
    c.ResolveComment: comments.resolve,
    c.Reply: comments.reply,
    c.MarkSeen: comments.mark_seen,
    c.Revert: reverting.revert,
    c.Remove: keeping.remove,
    c.Restore: keeping.restore,
    c.Clean: keeping.clean,
    c.Trust: keeping.trust,
    c.TrustAgents: keeping.trust_agents,
    c.Thaw: keeping.thaw,
}


def decide(
    fleet: Fleet, command: c.AnyCommand, facts: Facts = None, *, actor: str = PERSON
) -> Decision:
    """Return what `command` leads to in this state.

    Raises:
        RefusedError: the state forbids it.
        UsageError: it makes no sense in any state.
    """
    if actor != PERSON and isinstance(command, _PERSONS_ONLY):
        raise RefusedError(f"the agent of {actor} may not do this", hint="a person has to")
    return _RULES[type(command)](fleet, command, facts, actor)


__all__ = ["PERSON", "Decision", "decide"]
