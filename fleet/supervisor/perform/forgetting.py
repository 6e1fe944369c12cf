"""Forgetting: what a removed task left is deleted for good, after a person said so."""

import shutil
import threading
from contextlib import suppress
from pathlib import Path

from fleet.core import events as e
from fleet.core.effects import Forget
from fleet.core.model import Fleet
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import archive as archives


def forget(tools: Tools, effect: Forget, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Delete the task's references, in one transaction, then its files; what is gone already is.

    Where the whole repository is gone, or its disk is away, only the files are left to delete.
    """
    task = fleet.tasks[effect.task]
    repo = fleet.repos[task.repo]
    revisions = task.change.revision if task.change else 0
    try:
        if Path(repo.git_dir).exists():
            archives.forget(tools.place(repo), task.id, revisions=revisions)
        with suppress(FileNotFoundError):
            shutil.rmtree(tools.home.task(task.id))
    except FleetError as error:
        return [e.ForgettingFailed(task=task.id, reason=error.message)]
    except OSError as error:
        why = f"{error.filename or tools.home.task(task.id)} cannot be deleted: {error.strerror}"
        return [e.ForgettingFailed(task=task.id, reason=why)]
    return [e.LeftoversDeleted(task=task.id)]
