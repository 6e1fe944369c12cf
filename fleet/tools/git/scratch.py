"""Takes in objects that nobody wants to keep, so that trying a merge leaves no trace."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fleet.tools.git.repository import Place

_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
_PREFIX = "fleet-try-"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A directory for objects; git finds those of the repository from there."""

    objects: Path

    @property
    def env(self) -> dict[str, str]:
        """The variables that send git's objects there."""
        return {"GIT_OBJECT_DIRECTORY": str(self.objects)}

    @property
    def size(self) -> int:
        """How many objects it holds."""
        return sum(len(list(folder.iterdir())) for folder in self.objects.glob("[0-9a-f][0-9a-f]"))

    def remove(self) -> None:
        """Let go of all that is in it."""
        shutil.rmtree(self.objects, ignore_errors=True)


def make(place: Place, *also: Path, prefix: str = _PREFIX) -> Scratch:
    """Make a scratch directory, in memory if possible; the caller must `remove` it.

    Objects are also found in the object directories `also`.
    """
    objects = Path(tempfile.mkdtemp(prefix=prefix, dir=_memory()))
    info = objects / "info"
    info.mkdir()
    known = (place.git_dir / "objects", *also)
    (info / "alternates").write_bytes(b"".join(os.fsencode(it) + b"\n" for it in known))
    return Scratch(objects)


def tidy(prefix: str) -> None:
    """Remove what was made with `prefix` and was left behind by a process that was killed."""
    for item in Path(_memory() or tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            if item.lstat().st_uid == os.getuid():
                Scratch(item).remove()


def _memory() -> Path | None:
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None


@contextmanager
def scratch(place: Place, *also: Path) -> Iterator[Scratch]:
    """Offer a scratch directory that vanishes, as `make` makes it."""
    made = make(place, *also)
    try:
        yield made
    finally:
        made.remove()
