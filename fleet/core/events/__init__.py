"""What can have happened, in the past tense; a ledger line is one of these and is never edited.

Types and fields are only ever added: a ledger written by any earlier version reduces for ever.
"""

from datetime import datetime
from typing import get_args

import msgspec
from msgspec import Struct

from fleet.core.events.asks import AnswerGiven, AnswerSettled, GoOnTold
from fleet.core.events.base import Event, RepoEvent, TaskEvent
from fleet.core.events.changes import (
    ApprovalDoubted,
    ApprovalHeld,
    ApprovalVoided,
    Approved,
    ChangeAssessed,
    ChangeBlocked,
    ChangeLanded,
    ChangeProved,
    ChangeShown,
    ChangeUnblocked,
    ChangeWithdrawn,
    ConflictFound,
    GatePassed,
    GateRejected,
    LandingBegan,
    LandingMissed,
    Returned,
    StackMoved,
    StillMerges,
    Suspected,
)
from fleet.core.events.comments import (
    AnswersMissed,
    CommentAdded,
    CommentDropped,
    CommentEdited,
    CommentEvent,
    CommentReplied,
    CommentResolved,
    FilesSeen,
)
from fleet.core.events.conflicts import ConflictOver, ConflictTold, StackTold
from fleet.core.events.keeping import (
    ForgettingFailed,
    FreeingFailed,
    LeftoversDeleted,
    RestoreFailed,
    TaskForgotten,
    TaskRemoved,
    TaskRestored,
    WorkspaceFreed,
    WorkspaceRestored,
)
from fleet.core.events.lines import EvidenceForgotten, TrainClashed, TrainMerged, TreeChecked
from fleet.core.events.pulls import (
    PullBegan,
    PullCloseAsked,
    PullEvent,
    PullFailed,
    PullMergeAsked,
    PullOpened,
    PullRecalled,
    PullRejected,
    PullSeen,
)
from fleet.core.events.repos import (
    AgentsDistrusted,
    AgentsTrusted,
    PolicyTrusted,
    QueueFrozen,
    QueueThawed,
    RepoRegistered,
    SlotBroken,
    SlotDropped,
    SlotDropping,
    SlotPlanned,
    SlotReady,
    TargetSeen,
)
from fleet.core.events.tasks import (
    ActivityChanged,
    AttemptBegan,
    ChangeRefused,
    ChecksFailed,
    ChecksPassed,
    ConversationKnown,
    CrashNoted,
    DoneDeclared,
    EndingBegan,
    LeaveBegan,
    MessageHeld,
    MessageQueued,
    MessageSettled,
    NeedEnded,
    NeedTold,
    Resubmitted,
    RetryScheduled,
    RunEnded,
    RunExited,
    RunLost,
    RunNotEnded,
    RunStarted,
    Sealed,
    SealFailed,
    SealUnchanged,
    StartFailed,
    TaskAdded,
    TaskEdited,
    TaskFailed,
    TaskHeld,
    TaskPaused,
    TaskResumed,
    TaskStopped,
    ToldAgain,
    UsageReported,
    WorkCounted,
    WorkspaceAssigned,
)

AnyEvent = (
    ActivityChanged
    | AgentsDistrusted
    | AgentsTrusted
    | AnswerGiven
    | AnswerSettled
    | ApprovalDoubted
    | ApprovalHeld
    | ApprovalVoided
    | Approved
    | AttemptBegan
    | ChangeAssessed
    | ChangeBlocked
    | ChangeLanded
    | ChangeProved
    | ChangeRefused
    | ChangeShown
    | ChangeUnblocked
    | ChangeWithdrawn
    | ChecksFailed
    | ChecksPassed
    | CommentEvent
    | ConflictFound
    | ConflictOver
    | ConflictTold
    | ConversationKnown
    | CrashNoted
    | DoneDeclared
    | EndingBegan
    | EvidenceForgotten
    | ForgettingFailed
    | FreeingFailed
    | GatePassed
    | GateRejected
    | GoOnTold
    | LandingBegan
    | LandingMissed
    | LeaveBegan
    | LeftoversDeleted
    | MessageHeld
    | MessageQueued
    | MessageSettled
    | NeedEnded
    | NeedTold
    | PolicyTrusted
    | PullEvent
    | QueueFrozen
    | QueueThawed
    | RepoRegistered
    | RestoreFailed
    | Resubmitted
    | RetryScheduled
    | Returned
    | RunEnded
    | RunExited
    | RunLost
    | RunNotEnded
    | RunStarted
    | SealFailed
    | SealUnchanged
    | Sealed
    | SlotBroken
    | SlotDropped
    | SlotDropping
    | SlotPlanned
    | SlotReady
    | StackMoved
    | StackTold
    | StartFailed
    | StillMerges
    | Suspected
    | TargetSeen
    | TaskAdded
    | TaskEdited
    | TaskFailed
    | TaskForgotten
    | TaskHeld
    | TaskPaused
    | TaskRemoved
    | TaskRestored
    | TaskResumed
    | TaskStopped
    | ToldAgain
    | TrainClashed
    | TrainMerged
    | TreeChecked
    | UsageReported
    | WorkCounted
    | WorkspaceAssigned
    | WorkspaceFreed
    | WorkspaceRestored
)
EVENT_TYPES: tuple[type[Event], ...] = get_args(AnyEvent)


class Entry(Struct, frozen=True):
    """A line of the ledger: an event, where it stands, when it was written and for whom."""

    seq: int
    at: datetime
    actor: str
    event: AnyEvent

    def flat(self) -> dict[str, object]:
        """Return it as `fleet events --json` shows it: one flat object."""
        fields: dict[str, object] = msgspec.to_builtins(self.event)
        kind = fields.pop("type")
        head = {"seq": self.seq, "at": self.at, "actor": self.actor, "type": kind}
        return head | {"task": fields.pop("task", None)} | fields


__all__ = [
    "EVENT_TYPES", "ActivityChanged", "AgentsDistrusted", "AgentsTrusted", "AnswerGiven",
    "AnswerSettled", "AnswersMissed", "AnyEvent", "ApprovalDoubted", "ApprovalHeld",
    "ApprovalVoided", "Approved", "AttemptBegan", "ChangeAssessed", "ChangeBlocked",
    "ChangeLanded", "ChangeProved", "ChangeRefused", "ChangeShown", "ChangeUnblocked",
    "ChangeWithdrawn", "ChecksFailed", "ChecksPassed", "CommentAdded", "CommentDropped",
    "CommentEdited", "CommentEvent", "CommentReplied", "CommentResolved", "ConflictFound",
    "ConflictOver", "ConflictTold", "ConversationKnown", "CrashNoted", "DoneDeclared",
    "EndingBegan", "Entry", "Event", "EvidenceForgotten", "FilesSeen", "ForgettingFailed",
    "FreeingFailed", "GatePassed", "GateRejected", "GoOnTold", "LandingBegan", "LandingMissed",
    "LeaveBegan", "LeftoversDeleted", "MessageHeld", "MessageQueued", "MessageSettled",
    "NeedEnded", "NeedTold", "PolicyTrusted", "PullBegan", "PullCloseAsked", "PullEvent",
    "PullFailed", "PullMergeAsked", "PullOpened", "PullRecalled", "PullRejected", "PullSeen",
    "QueueFrozen", "QueueThawed", "RepoEvent", "RepoRegistered", "RestoreFailed", "Resubmitted",
    "RetryScheduled", "Returned", "RunEnded", "RunExited", "RunLost", "RunNotEnded",
    "RunStarted", "SealFailed", "SealUnchanged", "Sealed", "SlotBroken", "SlotDropped",
    "SlotDropping", "SlotPlanned", "SlotReady", "StackMoved", "StackTold", "StartFailed",
    "StillMerges", "Suspected", "TargetSeen", "TaskAdded", "TaskEdited", "TaskEvent",
    "TaskFailed", "TaskForgotten", "TaskHeld", "TaskPaused", "TaskRemoved", "TaskRestored",
    "TaskResumed", "TaskStopped", "ToldAgain", "TrainClashed", "TrainMerged", "TreeChecked",
    "UsageReported", "WorkCounted", "WorkspaceAssigned", "WorkspaceFreed", "WorkspaceRestored",
]  # fmt: skip
