"""What fleet asks of a forge, whichever it is."""

from dataclasses import dataclass
from typing import Protocol

from fleet.core.policy import MergeMethod
from fleet.core.pulls import ForgeName, Seen
from fleet.errors import ToolError


class ForgeError(ToolError):
    """The forge could not be asked; `message` says why, and what to type where that helps."""


class DeclinedError(ForgeError):
    """The forge was asked, and would not do it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a pull request is to be: the branch is there already."""

    branch: str
    target: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A pull request as it is there; `text` is what stands below its title."""

    number: int
    url: str
    seen: Seen
    text: str = ""


class Forge(Protocol):
    """One repository on a forge. Each call may take a minute, and raises ForgeError."""

    name: ForgeName

    def find(self, branch: str, target: str, held: str) -> int | None:
        """Return the open pull request from `branch` to `target`, else one at the commit `held`."""
        ...

    def create(self, proposal: Proposal) -> int:
        """Open a pull request, and return its number.

        Raises:
            DeclinedError: the forge would not, perhaps because there is one already.
        """
        ...

    def view(self, number: int) -> Found: ...

    def describe(self, number: int, text: str) -> None:
        """Replace what stands below the title."""
        ...

    def merge(self, number: int, *, head: str, method: MergeMethod) -> None:
        """Merge it if its branch is at exactly `head`.

        Raises:
            DeclinedError: the forge would not; the message is its reason.
        """
        ...

    def close(self, number: int) -> None: ...
