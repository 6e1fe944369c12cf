"""What keys do to the task that a screen is about: each asks the supervisor for one thing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.client.environment import ourselves, outer_tmux, without_tmux
from fleet.client.programs import foreground
from fleet.core.commands import (
    Answer,
    DeclareDone,
    Pause,
    Remove,
    Restore,
    Resume,
    Retry,
    Stop,
    Verdict,
)
from fleet.core.rows import LiveRow
from fleet.errors import FleetError
from fleet.protocol import Attach
from fleet.tui.app import Refused
from fleet.tui.screen import FleetScreen

SURE_WITHIN = timedelta(seconds=5)


class TaskScreen(FleetScreen):
    """A screen whose keys stop, pause, answer, attach... the task that is `live`."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: tuple[tuple[str, ...], datetime] = ((), datetime.min.replace(tzinfo=UTC))

    def _selected(self) -> LiveRow:
        """Return the task; a refusal has made sure that there is one."""
        live = self.live()
        if live is None:
            raise FleetError("no task is selected")
        return live

    def sure(self, command: str, task: str, question: str) -> bool:
        """Whether a person has said so twice; the first time they are asked."""
        now, (known, when) = self.fleet.now(), self._asked
        if known == (command, task) and now - when < SURE_WITHIN:
            self._asked = ((), now)
            return True
        self._asked = ((command, task), now)
        self.fleet.refuse(question)
        return False

    def do_stop(self, _: str) -> None:
        """End the run."""
        task = self._selected().row.task
        if self.sure("stop", task, f"press it again to stop {task}; its work stays"):
            self.fleet.request(Stop(task=task), done=f"{task} is stopped; its work stays")

    def do_retry(self, _: str) -> None:
        """Begin a new attempt."""
        task = self._selected().row.task
        self.fleet.request(Retry(task=task), done=f"{task} begins a new attempt")

    def do_pause(self, _: str) -> None:
        """Pause the task, or resume it where it is paused."""
        live = self._selected()
        task = live.row.task
        if "pause" in live.refusals:
            self.fleet.request(Resume(task=task), done=f"{task} goes on")
        else:
            self.fleet.request(Pause(task=task), done=f"{task} is paused")

    def do_done(self, _: str) -> None:
        """Take the work as it stands."""
        task = self._selected().row.task
        self.fleet.request(DeclareDone(task=task), done=f"{task} is taken as it stands")

    def do_remove(self, _: str) -> None:
        """Take the task off the list, once a person has confirmed it."""
        task = self._selected().row.task

        def removed(_: object) -> None:
            self.fleet.removed.append(task)
            self.fleet.say(f"{task} is removed; u brings it back")

        self.confirm(
            f"remove {task}?",
            ("its branch and what was not committed are archived", "u brings it back"),
            verb="remove",
            then=lambda: self.fleet.request(Remove(task=task), then=removed),
        )

    def confirm(
        self, question: str, saying: Sequence[str], *, verb: str, then: Callable[[], None]
    ) -> None:
        """Ask before something is done."""
        self.fleet.open("confirm", question, saying, verb, then)

    def do_restore(self, _: str) -> None:
        """Bring back what was removed last."""
        if not self.fleet.removed:
            self.fleet.refuse("nothing was removed here", "fleet restore TASK brings back any task")
            return
        task = self.fleet.removed.pop()
        self.fleet.request(Restore(task=task), done=f"{task} is back")

    def do_allow(self, _: str) -> None:
        """Allow the tool that is asked for."""
        self.answer(self._selected(), "allow")

    def do_deny(self, _: str) -> None:
        """Deny the tool that is asked for."""
        self.answer(self._selected(), "deny")

    def answer(
        self,
        live: LiveRow,
        verdict: Verdict,
        text: str = "",
        *,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Answer the very question that is on the screen; call `then` once it is answered."""
        task, ask = live.row.task, live.ask
        said = {"allow": "allowed", "deny": "denied", "text": "answered"}[verdict]
        answer = Answer(task=task, verdict=verdict, text=text, ask=ask.id if ask else None)
        self.fleet.request(answer, then=lambda _: then(), done=f"{task}: {said}")

    def do_attach(self, _: str) -> None:
        """Join the pane: in a new window of the tmux around us, else on this terminal."""
        task = self._selected().row.task
        request = Attach(task=task, tmux=outer_tmux(), fleet=ourselves(self.fleet.home))

        def answered(result: dict[str, Any]) -> None:
            if result["opened"]:
                self.fleet.say(f"{task} is open in a new window; {result['way_back']} leads back")
            else:
                self.run_worker(self._visit(list(result["argv"])), group="visit")

        self.fleet.request(request, then=answered)

    async def _visit(self, argv: list[str]) -> None:
        """Give the terminal away until the person comes back; nothing is drawn meanwhile."""
        await self.fleet.link.rest()
        try:
            with self.fleet.suspend():
                self.fleet.visiting = True
                foreground(argv, without_tmux())
        except FleetError as error:
            self.fleet.post_message(Refused(error))
        finally:
            self.fleet.visiting = False
            self.fleet.link.wake()

    def do_review(self, _: str) -> None:
        """Read the change."""
        self.fleet.open("review", self._selected().row.task)
