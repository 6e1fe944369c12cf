"""What a review packet is made of: what is recorded, and what git tells of the commits now."""

from collections.abc import Iterator

from fleet.core.approving import approved_by
from fleet.core.change import Change, Evidence, GateFailed, Landing, Proposed, Ready, Suspect
from fleet.core.comments import unanswered
from fleet.core.criteria import criteria
from fleet.core.model import Fleet, Task
from fleet.core.packet import Identity, Measured, Neighbourhood, Packet, Proof
from fleet.core.policy import RepoPolicy
from fleet.core.proofs import proof_rows
from fleet.core.risk import assessed
from fleet.core.stacks import stack
from fleet.tools.git.changes import digest, messages
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_ALONE = Neighbourhood()
_MOST = 20_000  # characters of what an agent says, or of a list of files


def packet_of(
    place: Place,
    fleet: Fleet,
    task: Task,
    change: Change,
    policy: RepoPolicy,
    *,
    neighbourhood: Neighbourhood = _ALONE,
) -> Packet:
    """Return all that is known of a change; git is asked, so it is called in a thread."""
    evidence, found = tuple(_evidence(change)), assessed(task, change, policy)
    return Packet(
        identity=_identity(fleet, place, task, change),
        prompt=task.spec.prompt[:_MOST],
        criteria=tuple(_criteria(task, policy, evidence)),
        evidence=evidence,
        summary=_summary(place, change),
        stat=_stat(place, change),
        risk=found.risk if found else None,
        points=found.points if found else None,
        per_criterion=round(found.per_criterion, 1) if found else None,
        assessment=found,
        proofs=_proofs(task, policy),
        neighbourhood=neighbourhood,
        comments=_comments(task),
        next=_next(task, change),
    )


def _upon(fleet: Fleet, change: Change) -> str:
    """Return what the change was made on where that is another, in one phrase."""
    if change.upon is None:
        return ""
    name, made_on = change.upon.task, change.upon.revision
    newest = fleet.tasks[name].revision if name in fleet.tasks else made_on
    now = f", which is at revision {newest} now" if newest != made_on else ""
    return f"revision {made_on} of {name}{now}"


def _identity(fleet: Fleet, place: Place, task: Task, change: Change) -> Identity:
    spec = task.spec
    return Identity(
        task=task.id,
        title=spec.title,
        revision=change.revision,
        sealed=change.sealed,
        base=change.base,
        diff=digest(place, change.base, change.sealed),
        branch=task.branch,
        target=task.target,
        agent=spec.agent,
        model=spec.model,
        attempt=task.attempt,
        conversation=task.conversation,
        owner=task.owner,
        parents=tuple(spec.after),
        stack=stack(fleet, task),
        upon=_upon(fleet, change),
        auto_commit=change.auto_commit,
        approved_by=approved_by(change),
    )


def _evidence(change: Change) -> Iterator[Proof]:
    """Yield what checks said, where the agent worked first, then on the tree that would land."""
    for result in change.acceptance:
        yield Proof(result=result, merged=False)
    match change.state:
        case (
            Ready(evidence=Evidence() as it)
            | Landing(evidence=Evidence() as it)
            | Proposed(evidence=Evidence() as it)
        ):
            for result in it.results:
                yield Proof(result=result, merged=True, tree=it.tree, onto=it.basis)
        case GateFailed(cause=red) | Suspect(cause=red):
            for result in red.results:
                yield Proof(result=result, merged=True, onto=red.basis)
        case _:
            return


def _criteria(task: Task, policy: RepoPolicy, evidence: tuple[Proof, ...]) -> Iterator[Measured]:
    for it in criteria(task.spec):
        check = it.check
        same = [] if check is None else [known for known in policy.checks if known.run == check.run]
        names = {known.name for known in (*same, *([check] if check else ()))}
        proofs = tuple(proof for proof in evidence if proof.result.name in names)
        yield Measured(text=it.text, proofs=proofs)


def _summary(place: Place, change: Change) -> str:
    said = messages(place, change.base, change.sealed)[:_MOST].split("\0")
    return "\n\n".join(text.strip("\n") for text in reversed(said) if text.strip())


def _stat(place: Place, change: Change) -> str:
    plain = ("--no-ext-diff", "--no-textconv", "--color=never", "--stat=100", "--stat-count=15")
    out = git(place.git_dir, "diff", *plain, change.base, change.sealed, hermetic=True).out
    return out.decode(errors="replace").rstrip("\n")[:_MOST]


def _proofs(task: Task, policy: RepoPolicy) -> tuple[str, ...]:
    """Return what old tests say of new code, and new tests of old code: a sentence each."""
    return tuple(row.says for row in proof_rows(task, policy))


def _comments(task: Task) -> tuple[str, ...]:
    """Return the comments that its agent has not answered: file, line and text."""
    return tuple(f"{it.id} {it.path}:{it.line}: {it.text}" for it in unanswered(task.comments))


def _next(task: Task, change: Change) -> tuple[str, ...]:
    return (
        f"fleet diff {task.id}",
        f"fleet approve {task.id} --head {change.sealed[:10]}",
        f"fleet return {task.id} -m NOTE",
    )
