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
    Approved,
    ChangeBlocked,
    ChangeLanded,
    ChangeShown,
    ChangeUnblocked,
    ChangeWithdrawn,
    ConflictFound,
    GatePassed,
    GateRejected,
    LandingBegan,
    LandingMissed,
    Returned,
    StillMerges,
    Suspected,
)
from fleet.core.events.lines import TrainClashed, TrainMerged, TreeChecked
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
    FreeingFailed,
    LeaveBegan,
    MessageHeld,
    MessageQueued,
    MessageSettled,
    NeedEnded,
    NeedTold,
    RestoreFailed,
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
    TaskRemoved,
    TaskRestored,
    TaskResumed,
    TaskStopped,
    ToldAgain,
    UsageReported,
    WorkCounted,
    WorkspaceAssigned,
    WorkspaceFreed,
    WorkspaceRestored,
)

AnyEvent = (
    ActivityChanged
    | AgentsDistrusted
    | AgentsTrusted
    | AnswerGiven
    | AnswerSettled
    | Approved
    | AttemptBegan
    | ChangeBlocked
    | ChangeRefused
    | ChangeLanded
    | ChangeShown
    | ChangeUnblocked
    | ChangeWithdrawn
    | ChecksFailed
    | ChecksPassed
    | ConflictFound
    | ConversationKnown
    | CrashNoted
    | DoneDeclared
    | EndingBegan
    | GatePassed
    | GateRejected
    | GoOnTold
    | LandingBegan
    | LandingMissed
    | LeaveBegan
    | FreeingFailed
    | RestoreFailed
    | MessageHeld
    | MessageQueued
    | MessageSettled
    | NeedEnded
    | NeedTold
    | PolicyTrusted
    | QueueFrozen
    | QueueThawed
    | RepoRegistered
    | Resubmitted
    | RetryScheduled
    | Returned
    | RunEnded
    | RunNotEnded
    | RunExited
    | RunLost
    | RunStarted
    | SealFailed
    | SealUnchanged
    | Sealed
    | SlotBroken
    | SlotDropped
    | SlotDropping
    | SlotPlanned
    | SlotReady
    | StartFailed
    | StillMerges
    | Suspected
    | TargetSeen
    | TaskAdded
    | TaskEdited
    | TaskFailed
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
    "EVENT_TYPES",
    "ActivityChanged",
    "AgentsDistrusted",
    "AgentsTrusted",
    "AnswerGiven",
    "AnswerSettled",
    "AnyEvent",
    "Approved",
    "AttemptBegan",
    "ChangeBlocked",
    "ChangeLanded",
    "ChangeRefused",
    "ChangeShown",
    "ChangeUnblocked",
    "ChangeWithdrawn",
    "ChecksFailed",
    "ChecksPassed",
    "ConflictFound",
    "ConversationKnown",
    "CrashNoted",
    "DoneDeclared",
    "EndingBegan",
    "Entry",
    "Event",
    "FreeingFailed",
    "GatePassed",
    "GateRejected",
    "GoOnTold",
    "LandingBegan",
    "LandingMissed",
    "LeaveBegan",
    "MessageHeld",
    "MessageQueued",
    "MessageSettled",
    "NeedEnded",
    "NeedTold",
    "PolicyTrusted",
    "QueueFrozen",
    "QueueThawed",
    "RepoEvent",
    "RepoRegistered",
    "RestoreFailed",
    "Resubmitted",
    "RetryScheduled",
    "Returned",
    "RunEnded",
    "RunExited",
    "RunLost",
    "RunNotEnded",
    "RunStarted",
    "SealFailed",
    "SealUnchanged",
    "Sealed",
    "SlotBroken",
    "SlotDropped",
    "SlotDropping",
    "SlotPlanned",
    "SlotReady",
    "StartFailed",
    "StillMerges",
    "Suspected",
    "TargetSeen",
    "TaskAdded",
    "TaskEdited",
    "TaskEvent",
    "TaskFailed",
    "TaskHeld",
    "TaskPaused",
    "TaskRemoved",
    "TaskRestored",
    "TaskResumed",
    "TaskStopped",
    "ToldAgain",
    "TrainClashed",
    "TrainMerged",
    "TreeChecked",
    "UsageReported",
    "WorkCounted",
    "WorkspaceAssigned",
    "WorkspaceFreed",
    "WorkspaceRestored",
]
