"""The loss of power, and the next start of the machine, as a fleet meets them."""

import os
import shutil
import time
from functools import partial
from pathlib import Path

from place import Place, marked
from processes import alive, kill_all
from waiting import until


def lose_power(place: Place, *, spare: int = 0) -> None:
    """End all at once, so that nothing has the time to say a word, and lose what is on no disk.

    The process `spare` plays one of the next start of the machine.
    """
    kept, began = {os.getpid(), spare}, time.time()
    while left := _processes(place, kept):
        # First those who would begin others anew.
        left.sort(key=lambda one: ("keeper" not in one[1], "fleet.super" not in one[1]))
        kill_all([pid for pid, _ in left])
        for pid, _ in left:
            until(partial(_is_gone, pid))
    # Signals come one after the other: whoever still saw another's end had no power to write it.
    for told in place.home.root.glob("tasks/*/runs/*/exit.json"):
        if told.stat().st_mtime >= began:
            told.unlink()
    for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
        directory = Path(place.env[name])
        shutil.rmtree(directory)
        directory.mkdir(mode=0o700)
    place.home.boot.write_text('{"boot": "another start of the machine"}')


def _is_gone(pid: int) -> bool:
    return not alive(pid)


def _processes(place: Place, kept: set[int]) -> list[tuple[int, str]]:
    found = (line.split(" ", 1) for line in marked([str(place.root)]))
    return [(int(pid), words) for pid, words in found if int(pid) not in kept]
