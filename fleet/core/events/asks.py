"""What can happen to what a live agent asks of a person, and to a turn of it that broke off."""

from fleet.core.commands import Verdict
from fleet.core.events.base import TaskEvent


class AnswerGiven(TaskEvent, frozen=True, tag="answer.given"):
    """A person answered `ask`; `verdict` is allow, deny or text."""

    attempt: int
    ask: str
    verdict: Verdict
    text: str
    by: str


class AnswerSettled(TaskEvent, frozen=True, tag="answer.settled"):
    """Outcome is delivered or refused; `over` where nothing from outside can answer it any more."""

    attempt: int
    ask: str
    outcome: str
    reason: str = ""
    over: bool = False


class GoOnTold(TaskEvent, frozen=True, tag="run.go-on"):
    """A turn that broke off is to be taken up again: fleet says so to the live agent."""

    attempt: int
    text: str
