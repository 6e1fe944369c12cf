"""Pull requests: opening, bringing up to date, merging, closing, and following them on a forge."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.change import Change, Proposed
from fleet.core.effects import ClosePull, MergePull, Propose
from fleet.core.model import Fleet, Task
from fleet.core.packet import Packet, Proof
from fleet.core.packet_markdown import as_markdown
from fleet.core.packet_text import parts
from fleet.core.policy import RepoPolicy
from fleet.core.pull_text import part, renewed
from fleet.core.terminal import clean
from fleet.errors import FleetError, ToolError
from fleet.supervisor.packets import packet_of
from fleet.supervisor.perform.tools import Tools
from fleet.tools.forge.forge import DeclinedError, Forge, Found, Proposal
from fleet.tools.forge.program import redacted
from fleet.tools.forge.where import forge_of
from fleet.tools.git import pushing
from fleet.tools.git.repository import Place

_TITLE = 250  # characters, of the 255 that both forges take
_URL = 500
_LEFT_OUT = {"around it", "comments not answered", "next"}  # what is about this machine


@dataclass(frozen=True)
class Case:
    """A task whose pull request is dealt with."""

    tools: Tools
    fleet: Fleet
    task: Task
    stop: threading.Event

    @property
    def place(self) -> Place:
        return self.tools.place(self.fleet.repos[self.task.repo])

    @property
    def policy(self) -> RepoPolicy:
        return self.tools.trusted_policy(self.fleet, self.task.repo, self.task.target)

    def forge(self) -> Forge:
        """Return where its pull request is, else where it is to be."""
        pull, policy = self.task.pull, self.policy
        remote, named = (
            (pull.remote, pull.forge) if pull and pull.open else (policy.remote, policy.forge)
        )
        return forge_of(self.place, remote, named, stop=self.stop)


def propose(tools: Tools, effect: Propose, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Push the commit and have one pull request hold it, whatever was done before a crash."""
    case = Case(tools, fleet, fleet.tasks[effect.task], stop)
    change = case.task.change
    if change is None or not isinstance(change.state, Proposed):
        raise RuntimeError(f"{case.task.id} was to be put up without an intent on record")
    try:
        return _propose(case, change, change.state)
    except FleetError as error:
        return [failed(case.task, error)]


def _propose(case: Case, change: Change, state: Proposed) -> list[e.AnyEvent]:
    task, forge = case.task, case.forge()
    _push(case, state)
    text = _text(case, change)
    number, is_new = _ensure(forge, task, state, text)
    found = forge.view(number)
    new = None if is_new else renewed(found.text, text)
    if new is not None:
        forge.describe(number, new)
    opened = e.PullOpened(
        task=task.id,
        revision=change.revision,
        forge=forge.name,
        number=number,
        url=clean(found.url)[:_URL],
        remote=state.remote,
        branch=state.branch,
        head=state.commit,
    )
    return [opened, _seen(task, found)]


def _push(case: Case, state: Proposed) -> None:
    """Have the branch there stand at the commit; only what we put there is replaced.

    Raises:
        ToolError: somebody else has pushed to it, or the remote does not take it.
    """
    there = pushing.fetch(case.place, state.remote, state.branch)
    if there == state.commit:
        return
    if there is not None and there not in case.task.offered:
        raise ToolError(
            f"{state.branch} on {state.remote} has {there[:10]}, which fleet did not push, and "
            "which stays as it is: delete or rename that branch there"
        )
    pushed = pushing.push(
        case.place,
        state.remote,
        commit=state.commit,
        branch=state.branch,
        known=there,
        rewrite=True,
    )
    if isinstance(pushed, pushing.Rejected):
        raise ToolError(f"{state.remote} does not take {state.branch}: {clean(pushed.reason)}")


def _ensure(forge: Forge, task: Task, state: Proposed, text: str) -> tuple[int, bool]:
    """Return the pull request that holds the branch, and whether it was opened just now."""
    known = forge.find(state.branch, task.target, state.commit)
    if known is not None:
        return known, False
    title = clean(redacted(task.spec.title)).strip()[:_TITLE] or task.id
    try:
        return forge.create(Proposal(state.branch, task.target, title, part(text))), True
    except DeclinedError:  # one that a crash broke off may have come through just now
        known = forge.find(state.branch, task.target, state.commit)
        if known is None:
            raise
        return known, False


def _text(case: Case, change: Change) -> str:
    """Return the review packet without what is of this machine alone: paths, logs, commands."""
    packet = _without_logs(packet_of(case.place, case.fleet, case.task, change, case.policy))
    shown = (part for part in parts(packet) if part.name not in _LEFT_OUT)
    text = redacted(as_markdown(shown))
    homes = (case.fleet.repos[case.task.repo].root, case.tools.home.root, os.environ.get("HOME"))
    for path in sorted({str(Path(it)) for it in homes if it}, key=len, reverse=True):
        text = text.replace(path, "…") if len(path) > 1 else text
    return text


def _without_logs(packet: Packet) -> Packet:
    def bare(proofs: tuple[Proof, ...]) -> tuple[Proof, ...]:
        return tuple(replace(it, result=replace(it.result, log="")) for it in proofs)

    criteria = tuple(replace(it, proofs=bare(it.proofs)) for it in packet.criteria)
    return replace(packet, evidence=bare(packet.evidence), criteria=criteria)


def merge(tools: Tools, effect: MergePull, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Ask the forge to merge exactly one commit; what became of it is seen by following."""
    case = Case(tools, fleet, fleet.tasks[effect.task], stop)
    asked = e.PullMergeAsked(task=case.task.id, number=effect.number, head=effect.head)
    try:
        forge = case.forge()
        forge.merge(effect.number, head=effect.head, method=effect.method)
    except DeclinedError as error:
        return [replace(asked, refused=error.message)]
    except FleetError as error:
        return [failed(case.task, error)]
    return [asked]


def close(tools: Tools, effect: ClosePull, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Close it unmerged; its branch stays."""
    case = Case(tools, fleet, fleet.tasks[effect.task], stop)
    try:
        forge = case.forge()
        found = forge.view(effect.number)
        if not found.seen.over:
            forge.close(effect.number)
            found = forge.view(effect.number)
        return [_seen(case.task, found)]
    except FleetError as error:
        return [failed(case.task, error)]


def failed(task: Task, error: FleetError) -> e.PullFailed:
    hint = f": {error.hint}" if error.hint else ""
    return e.PullFailed(task=task.id, reason=clean(redacted(f"{error.message}{hint}")))


def look(case: Case) -> Found:
    """Return what the forge says now of the pull request of a task, which has one.

    Raises:
        FleetError: it cannot be asked.
    """
    if case.task.pull is None:
        raise RuntimeError(f"{case.task.id} has no pull request")
    return case.forge().view(case.task.pull.number)


def news(task: Task, found: Found) -> list[e.AnyEvent]:
    """Return what is to be recorded of what was seen: nothing where all is as it was."""
    known = task.pull and task.pull.seen
    return [] if known == found.seen and task.pull_trouble is None else [_seen(task, found)]


def _seen(task: Task, found: Found) -> e.PullSeen:
    return e.PullSeen(task=task.id, number=found.number, seen=found.seen)
