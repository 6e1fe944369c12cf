"""Holds commits that are built to land: no branch has them yet, and git would drop them."""

from collections.abc import Collection

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.repository import Place, names_below
from fleet.tools.git.run import git
from fleet.tools.git.updating import refused, update

_PINS = "refs/fleet/spec"


def pin(place: Place, where: str, commit: str, *, others: Collection[str]) -> None:
    """Hold `commit` and `others`, with all that they build on; let go of what else was held so.

    That concerns what is held under the name `where` alone. Those of `others` that are gone already
    are left out.

    Raises:
        ToolError: `commit` cannot be held.
    """
    below = f"{_PINS}/{where}/"
    held = {name for name in names_below(place, below) if "/" not in name}
    complaint = update(place.git_dir, *_orders(below, held, {commit, *others}))
    if complaint:
        there = _there(place, others)
        complaint = update(place.git_dir, *_orders(below, held, {commit, *there}))
    if complaint:
        raise refused(place.git_dir, complaint)


def _orders(below: str, held: set[str], wanted: set[str]) -> list[str]:
    made = [f"update {below}{name} {name}" for name in sorted(wanted - held)]
    return made + [f"delete {below}{name}" for name in sorted(held - wanted)]


def _there(place: Place, commits: Collection[str]) -> set[str]:
    asked = "\n".join(commits).encode()
    told = git(place.git_dir, "cat-file", "--batch-check", stdin=asked, env=AS_NAMED).lines
    return {line.split(" ")[0] for line in told if line.split(" ")[1] == "commit"}
