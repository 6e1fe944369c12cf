"""Landing where the remote's word counts: it is pushed first, and our own branch follows it."""

from dataclasses import replace

from fleet.core import events as e
from fleet.errors import FleetError
from fleet.supervisor.perform.moves import Move, all_blocked, all_landed, blocked, moved
from fleet.tools.git import landing, lfs_pushing, pushing
from fleet.tools.git.intent import Intent, Landed, contains, is_ancestor, mark_landed
from fleet.tools.git.recovery import settle
from fleet.tools.git.repository import branch_tip


def land(move: Move, wanted: Intent, remote: str) -> list[e.AnyEvent]:
    """Bring the changes to the remote, then to our own branch.

    They have landed once the remote has them, though a crash or a time limit may have kept that
    from us. Where our own branch cannot follow then, it stays behind: it follows with the next
    change, or whoever pulls brings it there.
    """
    local = branch_tip(wanted.place, wanted.target)
    if local is None:
        return moved(move, wanted, None)
    here = replace(wanted, parent=local)
    if contains(wanted):  # somebody pulled it since
        return _push(move, here, remote) or _followed(move, wanted, Landed(wanted.commit))
    if not is_ancestor(wanted.place, local, wanted.commit):
        tip = pushing.fetch(wanted.place, remote, wanted.target)
        there = _has(here, tip)
        return _went_ahead(move, here, remote) if there else _outrun(move, here, remote, tip)
    if found := landing.obstacle(here):  # the remote is not to have what we cannot follow
        there = _has(here, _fetched(here, remote))
        return _went_ahead(move, here, remote) if there else blocked(move, here, found)
    if refused := _push(move, here, remote):
        return refused
    outcome = landing.land(here)
    if isinstance(outcome, Landed):
        return _followed(move, wanted, outcome)
    return _went_ahead(move, here, remote)


def _push(move: Move, here: Intent, remote: str) -> list[e.AnyEvent] | None:
    """Push; None once the remote has the changes, whoever brought them there."""
    place, target = here.place, here.target
    if why := _bring_contents(move, here, remote):
        return None if _has(here, _fetched(here, remote)) else all_blocked(move, why)
    pushed = pushing.push(place, remote, commit=here.commit, branch=target, known=move.parent)
    if isinstance(pushed, pushing.Pushed):
        return None
    tip = pushing.fetch(place, remote, target)
    if _has(here, tip):
        return None  # it took them before a crash, and somebody built on them since
    if tip == move.parent:
        return all_blocked(move, _refused(here, remote, pushed.reason))
    return _outrun(move, here, remote, tip)


def _bring_contents(move: Move, here: Intent, remote: str) -> str | None:
    """Bring what LFS keeps to the remote: nobody could check the pointers out without it."""
    found = lfs_pushing.pointers(here.place, known=move.parent, commit=here.commit)
    why = found and lfs_pushing.publish(here.place, remote, found, commit=here.commit)
    return f"{remote} has not all that LFS keeps for it: {why}" if why else None


def _has(here: Intent, tip: str | None) -> bool:
    return tip is not None and is_ancestor(here.place, here.commit, tip)


def _fetched(here: Intent, remote: str) -> str | None:
    """Return where the remote stands; None where it cannot be asked, for nobody waits for that."""
    try:
        return pushing.fetch(here.place, remote, here.target)
    except FleetError:
        return None


def _outrun(move: Move, here: Intent, remote: str, tip: str | None) -> list[e.AnyEvent]:
    """Tell that the remote stands at `tip`, where the changes can be merged anew or not."""
    target = here.target
    if tip is None:
        return all_blocked(move, f"{remote} has no branch {target}: git push {remote} {target}")
    if is_ancestor(here.place, here.parent, tip):
        return moved(move, here, tip)
    if is_ancestor(here.place, tip, here.parent):
        why = f"{target} has commits that {remote} lacks: git push {remote} {target}"
        return all_blocked(move, why)
    return all_blocked(move, apart(target, remote))


def _refused(here: Intent, remote: str, reason: str) -> str:
    todo = f"let fleet push to {here.target} there, or set push: false and push it yourself"
    return f"{remote} refused it ({reason}): {todo}"


def apart(target: str, remote: str) -> str:
    """Return what is wrong where a branch and that of its remote have parted, and what to do."""
    both = f"git pull {remote} {target}, then git push {remote} {target}"
    return f"{target} has commits that {remote} lacks, and lacks some that it has: {both}"


def _followed(move: Move, wanted: Intent, outcome: Landed) -> list[e.AnyEvent]:
    mark_landed(wanted, wanted.marks)
    settle(wanted)
    return all_landed(move, wanted, outcome, tip=branch_tip(wanted.place, wanted.target))


def _went_ahead(move: Move, here: Intent, remote: str) -> list[e.AnyEvent]:
    """Tell that it has landed where it counts, and that our own branch is not there yet."""
    mark_landed(here, here.marks)
    settle(here)
    tip = pushing.last_known(here.place, remote, here.target)
    return all_landed(move, here, Landed(here.commit), tip=tip)
