"""Work that came into a workspace after its task had let go of it is kept before it is cleaned."""

from fleet.core.model import Fleet, Repo
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import archive as archives
from fleet.tools.git.repository import Place, ref_commit
from fleet.tools.git.run import git
from fleet.tools.git.snapshot import Look, look
from fleet.tools.git.workspaces import admin_dir


def keep_strays(tools: Tools, fleet: Fleet, repo: Repo, number: int) -> bool:
    """Archive what nobody else holds of a worktree that no task has; return whether there was any.

    Somebody may still be in there, or have it open: it goes to the archive of the task that had
    it last. A worktree that no task ever had is not looked at.

    Raises:
        RefusedError, ToolError: it cannot be kept, so it must stay as it is.
    """
    slot, place, path = repo.slots.get(number), tools.place(repo), tools.home.slot(repo.id, number)
    last = slot.last if slot else None
    if last is None or admin_dir(path) is None or _holds_nothing(place, look(path)):
        return False
    ref = f"refs/fleet/trash/{last}"
    before = ref_commit(place, ref)
    after = archives.archive(place, task=last, path=path, branch=fleet.tasks[last].branch)
    if after != before:
        tools.note_garbage(f"{path}: what came in after {last} had left is kept at {ref}")
    return True


def _holds_nothing(place: Place, seen: Look) -> bool:
    """Whether all that the worktree holds is in some branch or archive."""
    if seen.changed or seen.unmerged or seen.nested or seen.dirty_submodules:
        return False
    holders = ("for-each-ref", "--count=1", "--contains", str(seen.head))
    return bool(git(place.git_dir, *holders).out)
