"""A judge that writes down what it is told, for a supervisor that `sitecustomize` has found."""

from datetime import datetime
from pathlib import Path

import msgspec

from fleet.core.ids import TaskId
from fleet.core.signals import PROCESS, Life, Sign
from fleet.supervisor import judge


class Recorder(judge.Judge):
    """Says each thing to a file before it is judged."""

    file: Path
    _lives: dict[TaskId, Life] = {}  # noqa: RUF012 - a supervisor has one judge

    def hear(self, task: TaskId, sign: Sign, moment: datetime, *, actor: str = "fleet") -> None:
        self._write(moment, hear=sign)
        super().hear(task, sign, moment, actor=actor)

    def silence(self, task: TaskId, source: str, moment: datetime) -> None:
        known = self._of(task)
        if known is not None and source in known.signs.newest:
            self._write(moment, silence=source)
        super().silence(task, source, moment)

    def look(self, moment: datetime, *, every: bool = False) -> None:
        for task, known in self._known.items():
            life = self._life(task)
            if self._lives.get(task) != life:
                self._lives[task] = life
                self._write(moment, life=life, began=known.signs.newest[PROCESS].at)
        super().look(moment, every=every)

    def _write(self, moment: datetime, **what: object) -> None:
        with self.file.open("ab") as file:
            file.write(msgspec.json.encode({"at": moment, **what}) + b"\n")


def record(file: str) -> None:
    """Have each judge that is made from now on write to `file`."""
    Recorder.file = Path(file)
    # Before anyone has taken it by its name.
    judge.Judge = Recorder  # type: ignore[misc]
