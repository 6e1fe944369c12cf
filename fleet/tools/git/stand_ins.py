"""Makes commits that stand in for others in a merge: the same tree, with other parents.

Git works out by itself what two commits have in common, and merge-tree takes another word for it
only from 2.40 on. A commit with the tree of one side and the parent that is to count works with
every git. No reference keeps it.
"""

from collections.abc import Sequence

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.objects import write_commit
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_NOBODY = "fleet <fleet@localhost> 0 +0000"


def stand_in(place: Place, tree: str, parents: Sequence[str]) -> str:
    """Return a commit of `tree` that nothing refers to, the same for the same arguments."""
    written = write_commit(
        place.git_dir,
        tree=tree,
        parents=parents,
        author=_NOBODY,
        committer=_NOBODY,
        message="replay\n",
    )
    if written is not None:
        return written
    name, email, date = "fleet", "fleet@localhost", "@0 +0000"
    env = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", email), ("DATE", date))
    }
    named = (part for parent in dict.fromkeys(parents) for part in ("-p", parent))
    asked = ("commit-tree", tree, *named)
    return git(
        place.git_dir, *asked, stdin=b"replay\n", env={**AS_NAMED, **env}, hermetic=True
    ).text
