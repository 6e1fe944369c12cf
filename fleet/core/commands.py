"""What a person or a script may ask to be changed, as given; `core.decide` judges it.

A `task` is the name given at spawn, or a unique prefix of it where nothing is destroyed.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from fleet.core.comments import Side
from fleet.core.policy import Done, Land, Priority

Verdict = Literal["allow", "deny", "text"]


class Command(Struct, frozen=True, kw_only=True, tag_field="call"):
    """A request to change something."""


class Spawn(Command, frozen=True, tag="spawn"):
    """Add `count` tasks in the repository around `cwd`; what is None follows the policy.

    `environment` is what the agents get (a client sends the allowed part of its own); it goes
    to a private file, never to the ledger.
    """

    cwd: str
    prompt: str
    environment: dict[str, str]
    name: str | None = None
    title: str | None = None
    agent: str | None = None
    done: Done | None = None
    model: str | None = None
    effort: str | None = None
    base: str | None = None
    target: str | None = None
    after: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    attempts: int | None = None
    retries: int | None = None
    budget_usd: float | None = None
    tokens: int | None = None
    timeout_s: float | None = None
    expect_lines: int | None = None
    count: int = 1
    land: Land | None = None
    priority: Priority = "normal"
    stacked: bool = False


class Submit(Command, frozen=True, tag="submit"):
    """Put a branch made by hand into the merge queue; again for its next revision."""

    cwd: str
    branch: str
    environment: dict[str, str]
    name: str | None = None
    title: str | None = None
    target: str | None = None
    checks: tuple[str, ...] = ()
    land: Land | None = None
    after: tuple[str, ...] = ()
    priority: Priority = "normal"
    stacked: bool = False


class Edit(Command, frozen=True, tag="edit"):
    """Change a task that has not started; what is None stays.

    `priority` and `after` may be changed until it lands. With `alone` it waits for no other any
    more; what it was made on does not come along.
    """

    task: str
    prompt: str | None = None
    title: str | None = None
    attempts: int | None = None
    retries: int | None = None
    budget_usd: float | None = None
    timeout_s: float | None = None
    land: Land | None = None
    priority: Priority | None = None
    after: tuple[str, ...] | None = None
    alone: bool = False


class Stop(Command, frozen=True, tag="stop"):
    """End the run and the task; its work stays."""

    task: str


class StopAll(Command, frozen=True, tag="stop-all"):
    """Stop every task that has not ended and is not in the merge queue."""


class Pause(Command, frozen=True, tag="pause"):
    task: str


class Resume(Command, frozen=True, tag="resume"):
    task: str


class Retry(Command, frozen=True, tag="retry"):
    """A new attempt with a fresh context, and all attempts anew."""

    task: str


class DeclareDone(Command, frozen=True, tag="done"):
    """Take the agent's work as it stands."""

    task: str


class Send(Command, frozen=True, tag="send"):
    """Tell a live agent something; `task` is None for all of them."""

    task: str | None
    text: str


class Answer(Command, frozen=True, tag="answer"):
    """Answer what a live agent asks; a person in its pane may do so first.

    `verdict` allows or denies a tool; `text` is a reason, or the answer to a question. `ask` is
    the one that was seen: where another one is asked by now, nothing is answered.
    """

    task: str
    verdict: Verdict
    text: str = ""
    ask: str | None = None


class Approve(Command, frozen=True, tag="approve"):
    """Approve one sealed commit: `head`, or a prefix of it, where given.

    Else the newest one, unless that is newer than what this person was last shown. `by` is whose
    word it is, where several people work here; `more` are tasks to approve together with `task`,
    all or none.
    """

    task: str
    head: str | None = None
    by: str | None = None
    more: tuple[str, ...] = ()


class Revoke(Command, frozen=True, tag="revoke"):
    """Take approvals back before the change lands: that of `by`, else all of them."""

    task: str
    by: str | None = None


class Return(Command, frozen=True, tag="return"):
    """Send a change back to its agent with a note, and with all comments not sent yet.

    The note may be empty where there are comments.
    """

    task: str
    note: str


class Comment(Command, frozen=True, tag="comment"):
    """Say something of a line of the change; `revision` is the one that was read, if known."""

    task: str
    path: str
    line: int
    text: str
    side: Side = "new"
    revision: int | None = None


class EditComment(Command, frozen=True, tag="comment-edit"):
    """Say in other words what has not been sent yet."""

    comment: str
    text: str


class DropComment(Command, frozen=True, tag="comment-drop"):
    """Take back what has not been sent yet."""

    comment: str


class ResolveComment(Command, frozen=True, tag="comment-resolve"):
    """Let a comment count no more: it is done with."""

    comment: str


class Reply(Command, frozen=True, tag="reply"):
    """Answer a comment, as its agent; or, as a person, say more with the next return."""

    comment: str
    text: str


class MarkSeen(Command, frozen=True, tag="seen"):
    """Note that a person has read files of the change as they are now: `paths`, or all."""

    task: str
    paths: tuple[str, ...] = ()
    seen: bool = True
    revision: int | None = None


class Withdraw(Command, frozen=True, tag="withdraw"):
    task: str


class ClosePull(Command, frozen=True, tag="close-pull"):
    """Close the pull request of a task, unmerged."""

    task: str


class Revert(Command, frozen=True, tag="revert"):
    """Put a change into the merge queue that undoes what landed for a task."""

    task: str


class Remove(Command, frozen=True, tag="rm"):
    """Archive what the task holds, then remove workspace and branch. Needs the exact name."""

    task: str


class Restore(Command, frozen=True, tag="restore"):
    """Undo `Remove`. Needs the exact name."""

    task: str


class Clean(Command, frozen=True, tag="clean"):
    """Remove every landed task from the lists and free what is proven landed.

    With `forget_s` also delete for good what tasks left that were removed that many seconds ago.
    """

    dry_run: bool = False
    forget_s: Annotated[float, Meta(ge=0)] | None = None


class Trust(Command, frozen=True, tag="trust"):
    """Trust the exact content of the repository's fleet.yaml, whose SHA-256 is `digest`."""

    cwd: str
    digest: str | None = None


class TrustAgents(Command, frozen=True, tag="trust-agents"):
    """Let agents be told beforehand that the repository around `cwd` is trusted; or no more."""

    cwd: str
    revoke: bool = False


class Thaw(Command, frozen=True, tag="thaw"):
    """Let a frozen merge queue move again."""

    cwd: str
    target: str | None = None


_OfRuns = Stop | StopAll | Pause | Resume | Retry | DeclareDone | Send | Answer
_OfComments = Comment | EditComment | DropComment | ResolveComment | Reply | MarkSeen
AnyCommand = (
    Spawn
    | Submit
    | Edit
    | _OfRuns
    | Approve
    | Revoke
    | Return
    | _OfComments
    | Withdraw
    | ClosePull
    | Revert
    | Remove
    | Restore
    | Clean
    | Trust
    | TrustAgents
    | Thaw
)
