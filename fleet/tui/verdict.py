"""What keys do to a change that is up for review: approve, return, withdraw."""

from fleet.core.commands import Approve, Return, Withdraw
from fleet.errors import FleetError
from fleet.tui.tasks import TaskScreen

NO_NOTE = "the note is empty; say what is to be done better"


class VerdictScreen(TaskScreen):
    """A screen on which a change is judged; `head` is the commit that it shows."""

    def head(self) -> str | None:
        """Return the commit that is on the screen."""
        return None

    def waiting(self) -> int:
        """Return how many comments are known to go along with a return."""
        return 0

    def judged(self) -> None:
        """Go on after a verdict that counts."""

    def approve_refused(self, error: FleetError) -> None:
        """Say why a commit was not approved."""
        self.fleet.refuse(error.message, error.hint)

    def do_approve(self, _: str) -> None:
        """Approve the very commit that is on the screen."""
        task, head = self._selected().row.task, self.head()
        if head is None:
            self.fleet.refuse(f"nothing of {task} is on the screen yet")
            return

        def approved(_: object) -> None:
            self.fleet.say(f"{task} is approved at {head[:10]}; it lands when it is ready")
            self.judged()

        request = Approve(task=task, head=head)
        self.fleet.request(request, then=approved, otherwise=self.approve_refused)

    def do_return(self, _: str) -> None:
        """Send the change back with a note, and with the comments on its lines."""
        task = self._selected().row.task

        def returned() -> None:
            self.fleet.say(f"{task} goes back to its agent")
            self.judged()

        along, missing = "", NO_NOTE
        if number := self.waiting():
            along = f" {number} {'comment goes' if number == 1 else 'comments go'} along"
            missing = ""
        self.fleet.open(
            "note",
            f"what is to be done better in {task}?{along}",
            f"return {task}",
            lambda note: Return(task=task, note=note),
            returned,
            missing,
        )

    def do_withdraw(self, _: str) -> None:
        """Take the change out of the queue, once a person has confirmed it."""
        task = self._selected().row.task

        def withdrawn(_: object) -> None:
            self.fleet.say(f"{task} is withdrawn; its branch stays")
            self.judged()

        self.confirm(
            f"withdraw {task}?",
            ("it leaves the merge queue and does not land", "its branch and its workspace stay"),
            verb="withdraw",
            then=lambda: self.fleet.request(Withdraw(task=task), then=withdrawn),
        )
