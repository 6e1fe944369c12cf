"""The histories in `data/ledgers`, which every later version must read and fold.

Once a version that wrote one is in use, neither file nor history is ever edited: what is new gets
a history and a file of its own. `python tests/kept_ledger.py NAME FILE` writes one.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from fleet.core import activity, assessment, causes, change, comments, events, line, proof, status
from fleet.core import pulls as forge
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.model import Spec
from fleet.core.policy import Check, Limits
from fleet.core.rows import Ask
from fleet.ledger import Ledger

LEDGERS = Path(__file__).parent / "data" / "ledgers"
NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, UTC)
LATER = NOON + timedelta(minutes=10)
REPO = RepoId("shop-1f2e3d")
LOGIN, PRICES, DOCS = TaskId("login"), TaskId("prices"), TaskId("docs")
BASE, HEAD, SEALED, MERGED, TIP = (Commit(digit * 40) for digit in "abcde")

GREEN = causes.CheckResult("test", "passed", 1.25, "/h/tasks/login/checks/test.log", 0)
FLAKY = causes.CheckResult("lint", "flaky", 0.5, "/h/tasks/login/checks/lint.log", 0)
RED = causes.CheckResult("test", "failed", 2.0, "/h/tasks/login/checks/test.log", 1)
KILLED = causes.CheckResult("test", "killed", 9.0, "/h/tasks/login/checks/test.log")
CONFLICT = causes.Conflict(("src/prices.py",), TIP, ("prices: new taxes",))
EVIDENCE = change.Evidence(TIP, MERGED, "f" * 40, "rules", (GREEN, FLAKY))
SPEC = Spec(
    prompt="Let people log in.\n\nWith a “password”, and 🔑.",
    title="Let people log in",
    agent="shell",
    done="turn",
    converses=True,
    model="large",
    effort="high",
    checks=(Check("test", "make test", 60.0),),
    limits=Limits(attempts=3, retries=2, timeout_s=7200.0, budget_usd=5.0, tokens=10**6),
    expect_lines=40,
    land="review",
)
AFTER = Spec(prompt="true", title="Prices", agent="shell", after=(LOGIN,), land="auto")
BY_HAND = Spec(prompt="", title="Docs", agent=None)

SETTING: Sequence[events.AnyEvent] = (
    events.RepoRegistered(repo=REPO, root="/srv/shop", git_dir="/srv/shop/.git"),
    events.PolicyTrusted(repo=REPO, digest="0" * 64),
    events.TargetSeen(repo=REPO, target="main", tip=BASE),
    events.TargetSeen(repo=REPO, target="gone", tip=None),
    *(events.SlotPlanned(repo=REPO, slot=number) for number in (1, 2, 3)),
    events.SlotReady(repo=REPO, slot=1),
    events.SlotReady(repo=REPO, slot=2),
    events.SlotBroken(repo=REPO, slot=3, reason="the disk is full", not_before=LATER),
    events.SlotDropping(repo=REPO, slot=3),
    events.SlotDropped(repo=REPO, slot=3),
)
TO_REVIEW: Sequence[events.AnyEvent] = (
    events.TaskAdded(
        task=LOGIN, repo=REPO, spec=SPEC, target="main", base=BASE, branch="fleet/login"
    ),
    events.TaskEdited(task=LOGIN, spec=SPEC),
    events.WorkspaceAssigned(task=LOGIN, slot=1),
    events.AttemptBegan(task=LOGIN, attempt=1, base=BASE),
    events.StartFailed(task=LOGIN, attempt=1, reason="no pane", not_before=NOON),
    events.AttemptBegan(task=LOGIN, attempt=2, base=BASE),
    events.RunStarted(task=LOGIN, attempt=2, pane="%7", pid=4242, pid_start=987654),
    events.ConversationKnown(task=LOGIN, attempt=2, conversation="c-1"),
    *(
        events.ActivityChanged(task=LOGIN, attempt=2, activity=does, source="hook")
        for does in (
            activity.Working(),
            activity.Waiting("a login", "login"),
            activity.Waiting("its rate limit to pass", "rate-limit", LATER),
            activity.Stalled(NOON),
            activity.Unknown(),
            activity.Idle(),
        )
    ),
    events.UsageReported(task=LOGIN, cost_usd=0.25, tokens=1200),
    events.WorkCounted(task=LOGIN, head=HEAD, added=12, removed=3),
    events.MessageQueued(task=LOGIN, text="Mind the tests.", by="person"),
    events.MessageSettled(task=LOGIN, message=1, outcome="unconfirmed", reason="no report"),
    events.CrashNoted(task=LOGIN, error="KeyError: 'x'"),
    events.RunLost(task=LOGIN, attempt=2, reason="tmux died", not_before=NOON),
    events.EndingBegan(task=LOGIN, attempt=2, outcome=status.ToRequeue(NOON), why="tmux died"),
    events.RunEnded(task=LOGIN, attempt=2),
    events.AttemptBegan(task=LOGIN, attempt=3, base=BASE),
    events.RunStarted(task=LOGIN, attempt=3, pane="%8", pid=4343, pid_start=987999),
    events.DoneDeclared(task=LOGIN, attempt=3, by="agent"),
    events.SealUnchanged(task=LOGIN, revision=1),
    events.SealFailed(task=LOGIN, cause=causes.Unsealable("a merge is half done")),
    events.ToldAgain(task=LOGIN, text="Finish the merge.", by="fleet"),
    events.RunExited(task=LOGIN, attempt=3, code=0),
    events.EndingBegan(task=LOGIN, attempt=3, outcome=status.ToSeal(), why="it exited"),
    events.RunEnded(task=LOGIN, attempt=3),
    events.Sealed(
        task=LOGIN,
        revision=1,
        sealed=SEALED,
        head=HEAD,
        base=BASE,
        added=12,
        removed=3,
        files=("src/login.py", "straße.txt"),
    ),
    events.ChecksFailed(task=LOGIN, revision=1, results=(RED, KILLED)),
    events.ChangeRefused(task=LOGIN, revision=1, cause=causes.ChecksRed((RED,))),
    events.RetryScheduled(task=LOGIN, note="The test failed.", consumes=True, not_before=LATER),
    events.AttemptBegan(task=LOGIN, attempt=4, base=BASE),
    events.RunStarted(task=LOGIN, attempt=4, pane="%9", pid=4444, pid_start=988111),
    events.DoneDeclared(task=LOGIN, attempt=4, by="person"),
    events.Sealed(
        task=LOGIN,
        revision=2,
        sealed=HEAD,
        head=HEAD,
        base=BASE,
        added=14,
        removed=3,
        files=("src/login.py",),
    ),
    events.ChecksPassed(task=LOGIN, revision=2, results=(GREEN, FLAKY)),
    events.LeaveBegan(task=LOGIN, attempt=4, why="it waits for review"),
)
TO_LANDED: Sequence[events.AnyEvent] = (
    events.GateRejected(task=LOGIN, revision=2, cause=causes.GateRed((RED,), BASE)),
    events.ConflictFound(task=LOGIN, revision=2, cause=CONFLICT),
    events.GatePassed(task=LOGIN, revision=2, evidence=EVIDENCE),
    events.StillMerges(task=LOGIN, revision=2, onto=TIP),
    events.ChangeShown(task=LOGIN, revision=2, by="person"),
    events.Approved(task=LOGIN, revision=2, sealed=HEAD, by="person", rules="rules"),
    events.ChangeBlocked(task=LOGIN, revision=2, reason="main has local edits", onto=TIP),
    events.ChangeUnblocked(task=LOGIN, revision=2),
    events.LandingBegan(task=LOGIN, revision=2, evidence=EVIDENCE),
    events.LandingMissed(task=LOGIN, revision=2, tip=TIP),
    events.QueueFrozen(repo=REPO, target="main", reason="main moved to a task's commit"),
    events.QueueThawed(repo=REPO, target="main"),
    events.GatePassed(task=LOGIN, revision=2, evidence=EVIDENCE),
    events.LandingBegan(task=LOGIN, revision=2, evidence=EVIDENCE),
    events.ChangeLanded(task=LOGIN, revision=2, commit=MERGED, target="main"),
    events.WorkspaceFreed(task=LOGIN, ref=None),
)
OTHERS: Sequence[events.AnyEvent] = (
    events.TaskAdded(
        task=PRICES,
        repo=REPO,
        spec=AFTER,
        target="main",
        base=MERGED,
        branch="fleet/prices",
        base_pinned=True,
        owner="login",
    ),
    events.WorkspaceAssigned(task=PRICES, slot=2),
    events.AttemptBegan(task=PRICES, attempt=1, base=MERGED),
    events.RunStarted(task=PRICES, attempt=1, pane="%10", pid=5555, pid_start=989000),
    events.RunExited(task=PRICES, attempt=1, signal=9),
    *(
        events.EndingBegan(task=PRICES, attempt=1, outcome=outcome, why="signal 9")
        for outcome in (
            status.ToReject(causes.Died("it was killed")),
            status.ToPause("person"),
            status.ToStop("person"),
        )
    ),
    events.RunEnded(task=PRICES, attempt=1),
    events.TaskPaused(task=PRICES, by="person"),
    events.TaskResumed(task=PRICES, by="person", fresh=True),
    events.SealFailed(task=PRICES, cause=causes.NoChange()),
    events.TaskHeld(task=PRICES),
    events.TaskFailed(task=PRICES, reason="no attempt is left"),
    events.FreeingFailed(task=PRICES, reason="a file cannot be read", not_before=NOON),
    events.WorkspaceFreed(task=PRICES, ref="refs/fleet/trash/prices/1"),
    events.TaskRemoved(task=PRICES, by="person"),
    events.TaskRestored(task=PRICES, by="person"),
    events.RestoreFailed(task=PRICES, reason="no slot is free"),
    events.WorkspaceRestored(task=PRICES),
    events.TaskStopped(task=PRICES, by="person"),
    events.TaskAdded(task=DOCS, repo=REPO, spec=BY_HAND, target="main", base=MERGED, branch="docs"),
    events.Resubmitted(task=DOCS),
    events.ChangeRefused(task=DOCS, revision=1, cause=causes.Exhausted("the budget is spent")),
    events.Returned(task=DOCS, revision=1, note="Say more.", by="person"),
    events.ChangeRefused(task=DOCS, revision=1, cause=causes.SentBack("Say more.", "person")),
    events.ChangeWithdrawn(task=DOCS, by="person"),
)
ASK = Ask(id="1795400000.17", tool="Bash", text="make deploy", choices=("yes", "no"))
ASKING: Sequence[events.AnyEvent] = (
    events.RepoRegistered(repo=REPO, root="/srv/shop", git_dir="/srv/shop/.git"),
    events.AgentsTrusted(repo=REPO, by="person"),
    events.TaskAdded(
        task=LOGIN, repo=REPO, spec=SPEC, target="main", base=BASE, branch="fleet/login"
    ),
    events.AttemptBegan(task=LOGIN, attempt=1, base=BASE),
    events.RunStarted(task=LOGIN, attempt=1, pane="%7", pid=4242, pid_start=987654),
    *(
        events.ActivityChanged(task=LOGIN, attempt=1, activity=does, source=source, said_at=NOON)
        for source, does in (
            ("hook", activity.Working(background=True)),
            ("presence", activity.Waiting("a dialog", "question", None, Ask(kind="question"))),
            ("screen", activity.Waiting("too many requests", "rate-limit", LATER)),
            ("hook", activity.Waiting("Bash: make deploy", "permission", None, ASK)),
        )
    ),
    events.AnswerGiven(
        task=LOGIN, attempt=1, ask="1795400000.17", verdict="deny", text="not yet", by="person"
    ),
    events.AnswerSettled(
        task=LOGIN, attempt=1, ask="1795400000.17", outcome="refused", reason="gone", over=True
    ),
    events.GoOnTold(task=LOGIN, attempt=1, text="Go on where you stopped."),
)
NEEDS: Sequence[events.AnyEvent] = (
    events.TaskAdded(task=DOCS, repo=REPO, spec=BY_HAND, target="main", base=BASE, branch="docs"),
    events.NeedTold(task=DOCS, need="review", since=NOON, by=("bell", "notify-me")),
    events.NeedEnded(task=DOCS),
    events.NeedTold(task=DOCS, need="review", since=LATER),
)
STUCK: Sequence[events.AnyEvent] = (
    events.RunNotEnded(task=LOGIN, attempt=1, reason="cannot end process 7", not_before=LATER),
    events.RunEnded(task=LOGIN, attempt=1),
)
ACCOUNTS: Sequence[events.AnyEvent] = (
    events.TaskAdded(
        task=LOGIN,
        repo=REPO,
        spec=SPEC,
        target="main",
        base=BASE,
        branch="fleet/login",
        account="agent 0123456789abcdef",
    ),
    events.AttemptBegan(task=LOGIN, attempt=1, base=BASE),
    events.RunStarted(
        task=LOGIN,
        attempt=1,
        pane="%7",
        pid=4242,
        pid_start=987654,
        account="agent fedcba9876543210",
    ),
    *(
        events.ActivityChanged(task=LOGIN, attempt=1, activity=does, source=source, said_at=NOON)
        for source, does in (
            ("screen", activity.Waiting("too many requests", "rate-limit", retries=True)),
            ("hook", activity.Waiting("the service is overloaded", "overloaded")),
            ("hook", activity.Waiting("too many requests", "rate-limit", LATER)),
        )
    ),
    events.GoOnTold(task=LOGIN, attempt=1, text="Go on where you stopped."),
    events.ActivityChanged(
        task=LOGIN, attempt=1, activity=activity.Stalled(NOON, 900.0), source="hook"
    ),
    events.RunLost(task=LOGIN, attempt=1, reason="the machine was restarted", fresh=True),
    events.AgentsTrusted(repo=REPO, by="person"),
    events.AgentsDistrusted(repo=REPO, by="person"),
)
HELD: Sequence[events.AnyEvent] = (
    events.TaskAdded(
        task=LOGIN, repo=REPO, spec=SPEC, target="main", base=BASE, branch="fleet/login"
    ),
    events.AttemptBegan(task=LOGIN, attempt=1, base=BASE),
    events.RunStarted(task=LOGIN, attempt=1, pane="%7", pid=4242, pid_start=987654),
    events.MessageQueued(task=LOGIN, text="and be quick", by="person"),
    events.MessageHeld(task=LOGIN, message=1, reason="someone is attached", not_before=LATER),
)
MEASURED: Sequence[events.AnyEvent] = (
    events.TaskAdded(
        task=LOGIN, repo=REPO, spec=BY_HAND, target="main", base=BASE, branch="fleet/login"
    ),
    events.Sealed(
        task=LOGIN,
        revision=1,
        sealed=SEALED,
        head=HEAD,
        base=BASE,
        added=240,
        removed=3,
        files=("src/login.py", "straße.txt"),
    ),
    events.ChecksPassed(task=LOGIN, revision=1, results=()),
    events.ChangeAssessed(
        task=LOGIN,
        revision=1,
        assessment=assessment.Assessment(
            lines=243,
            files=2,
            test_lines=40,
            generated_lines=7,
            complexity=assessment.Complexity(
                12, 31, 19, assessment.Finding("function", "login 9, new", "src/login.py", 4)
            ),
            names=assessment.Found(30, (assessment.Finding("name", "login", "src/login.py", 4),)),
            unknown=("duplicates: not enough time",),
            reasons=(
                assessment.Reason(3, "not looked at: duplicates: not enough time"),
                assessment.Reason(1, "243 changed lines beside tests"),
            ),
            criteria=2,
            expected=100,
            median=80.5,
        ),
    ),
)
PROOFS: Sequence[events.AnyEvent] = (
    events.TaskAdded(task=DOCS, repo=REPO, spec=BY_HAND, target="main", base=BASE, branch="docs"),
    events.Sealed(
        task=DOCS,
        revision=1,
        sealed=SEALED,
        head=SEALED,
        base=BASE,
        added=2,
        removed=1,
        files=("docs.py", "tests/test_docs.py"),
    ),
    events.ChecksPassed(task=DOCS, revision=1, results=()),
    events.GatePassed(task=DOCS, revision=1, evidence=EVIDENCE),
    *(
        events.ChangeProved(task=DOCS, revision=1, proof=one)
        for one in (
            proof.Proof("old-tests", "unbuildable", TIP, "rules", why="the disk is full"),
            proof.Proof("old-tests", "refuted", TIP, "rules", "f" * 40, MERGED, (RED,), "test"),
            proof.Proof("new-tests", "proven", TIP, "rules", "e" * 40, MERGED, (GREEN, KILLED)),
        )
    ),
)
REMARK = comments.Remark(
    id="login#1",
    revision=1,
    path="src/login.py",
    line=3,
    blob=TIP,
    quote="return None",
    text="why not fail?",
    since=("login: it does", "person: where?"),
)
_SIDES: tuple[comments.Side, ...] = ("new", "old", "new")
COMMENTS: Sequence[events.AnyEvent] = (
    *TO_REVIEW[:32],
    events.ChecksPassed(task=LOGIN, revision=1, results=(GREEN,)),
    events.ChangeShown(task=LOGIN, revision=1, by="person"),
    events.FilesSeen(task=LOGIN, files={"src/login.py": TIP, "straße.txt": BASE}, by="person"),
    events.FilesSeen(task=LOGIN, files={"straße.txt": ""}, by="person"),
    *(
        events.CommentAdded(
            task=LOGIN,
            comment=f"login#{number}",
            revision=1,
            path="src/login.py",
            line=number + 2,
            side=side,
            blob=TIP,
            quote="return None",
            text="why not fail?",
            by="person",
        )
        for number, side in enumerate(_SIDES, 1)
    ),
    events.CommentEdited(task=LOGIN, comment="login#2", text="keep “this”", by="person"),
    events.CommentDropped(task=LOGIN, comment="login#3", by="person"),
    events.Returned(task=LOGIN, revision=1, note="", by="person", comments=(REMARK,)),
    events.CommentReplied(task=LOGIN, comment="login#1", revision=1, text="it does", by="login"),
    events.CommentReplied(
        task=LOGIN, comment="login#1", revision=1, text="where?", by="person", answers=False
    ),
    events.CommentResolved(task=LOGIN, comment="login#1", by="person"),
    events.AnswersMissed(task=LOGIN, text="You have not answered 1 comment."),
)
CONFLICTS: Sequence[events.AnyEvent] = (
    *HELD[:3],
    events.ConflictTold(task=LOGIN, other=PRICES, files=("src/prices.py",), text="see there"),
    events.ConflictTold(task=LOGIN, other=DOCS, files=("docs/a.md", "b"), text="see there"),
    events.ConflictOver(task=LOGIN, other=PRICES),
    events.ConflictFound(
        task=LOGIN,
        revision=1,
        cause=causes.Conflict(
            files=("src/prices.py",),
            basis=TIP,
            others=("abcdef1 prices: new taxes",),
            kinds=("CONFLICT (content): Merge conflict in src/prices.py",),
            own=causes.Intent("login", "Let people log in", "With a password"),
            landed=(causes.Intent("prices", "Change the prices"),),
            checks=("make test",),
        ),
    ),
)
_CARS = (line.Car(LOGIN, 1, SEALED, "person"), line.Car(DOCS, 2, HEAD))
TRAINS: Sequence[events.AnyEvent] = (
    events.TrainMerged(
        repo=REPO,
        target="main",
        train=line.Train(TIP, "squash", _CARS, (MERGED, HEAD), ("b" * 40, "c" * 40), "a" * 40),
    ),
    events.TrainClashed(
        repo=REPO,
        target="main",
        clash=line.Clash(TIP, "squash", _CARS, causes.Conflict(("straße.txt",), TIP)),
    ),
    events.TreeChecked(
        repo=REPO, target="main", tree="b" * 40, results={"d" * 32: GREEN, "e" * 32: RED}
    ),
    *MEASURED[:3],
    events.Suspected(task=LOGIN, revision=1, cause=causes.GateRed((RED,), TIP, (DOCS,))),
)
APPROVALS: Sequence[events.AnyEvent] = (
    *MEASURED[:3],
    events.Approved(task=LOGIN, revision=1, sealed=SEALED, by="ann", short=True),
    events.ApprovalDoubted(task=LOGIN, revision=1, onto=TIP),
    events.ApprovalHeld(task=LOGIN, revision=1, onto=TIP),
    events.ApprovalVoided(task=LOGIN, revision=1, reason="main moved in straße.txt", of="ann"),
)
FORGOTTEN: Sequence[events.AnyEvent] = (
    *MEASURED[:3],
    events.TaskStopped(task=LOGIN, by="person"),
    events.TaskRemoved(task=LOGIN, by="person"),
    events.WorkspaceFreed(task=LOGIN, ref="refs/fleet/trash/login"),
    events.TaskForgotten(task=LOGIN, by="person"),
    events.ForgettingFailed(task=LOGIN, reason="there is no repository at /srv/straße"),
    events.TaskForgotten(task=LOGIN, by="person"),
    events.LeftoversDeleted(task=LOGIN),
)
_PAIR = causes.GateRed(
    (RED,),
    TIP,
    (DOCS,),
    own=causes.Intent("login", "Let people log in", "With a “password”."),
    others=(causes.Intent("docs", "Docs"),),
    files=("straße.txt",),
)
EVIDENCE_GONE: Sequence[events.AnyEvent] = (
    *TRAINS,
    events.GatePassed(
        task=LOGIN,
        revision=1,
        evidence=change.Evidence(TIP, MERGED, "b" * 40, "rules", (GREEN,)),
    ),
    events.EvidenceForgotten(
        repo=REPO,
        target="main",
        trees=("b" * 40,),
        reason="what its checks said is older than 30d",
    ),
    events.EvidenceForgotten(
        repo=REPO, target="main", trees=(), reason="main is tried again", by="person"
    ),
    events.GateRejected(task=LOGIN, revision=1, cause=_PAIR),
)
UPON = change.Member(LOGIN, 1)
STACKS: Sequence[events.AnyEvent] = (
    *MEASURED[:3],
    events.TaskAdded(
        task=DOCS,
        repo=REPO,
        spec=replace(SPEC, after=(LOGIN,), stacked=True, priority="urgent"),
        target="main",
        base=BASE,
        branch="fleet/docs",
    ),
    events.AttemptBegan(task=DOCS, attempt=1, base=SEALED, upon=UPON),
    events.RunStarted(task=DOCS, attempt=1, pane="%8", pid=4343, pid_start=987655),
    events.StackTold(task=DOCS, upon=change.Member(LOGIN, 2), text="it has a new revision"),
    events.DoneDeclared(task=DOCS, attempt=1, by="person"),
    events.Sealed(
        task=DOCS,
        revision=1,
        sealed=HEAD,
        head=HEAD,
        base=SEALED,
        added=1,
        removed=0,
        files=("docs.md",),
        below=(UPON,),
        upon=UPON,
    ),
    events.ChecksPassed(task=DOCS, revision=1, results=()),
    events.Approved(task=DOCS, revision=1, sealed=HEAD, by="ann", parents=(UPON,)),
    events.StackMoved(
        task=DOCS,
        revision=1,
        below=(change.Member(LOGIN, 2),),
        reason="login, on which it stands, has a new revision since it was approved",
    ),
    events.TaskEdited(task=DOCS, spec=replace(SPEC, priority="low")),
    events.ConflictFound(
        task=DOCS, revision=1, cause=causes.Conflict(("docs.md",), TIP, base=SEALED)
    ),
)
_RED = forge.PullCheck("lint", "failed", "https://ci.example.org/1")
_ASKS = forge.PullRemark("ann", "why “this”?")
_SEEN = forge.Seen(
    state="open",
    head=SEALED,
    target="main",
    merge="blocked",
    review="changes-requested",
    checks=(_RED, forge.PullCheck("test", "pending")),
    remarks=(_ASKS,),
)
_NOUN, _URL = "pull request #7", "https://github.com/o/r/pull/7"
PULLS: Sequence[events.AnyEvent] = (
    *MEASURED[:3],
    events.GatePassed(task=LOGIN, revision=1, evidence=EVIDENCE),
    events.Approved(task=LOGIN, revision=1, sealed=SEALED, by="ann"),
    events.PullBegan(
        task=LOGIN,
        revision=1,
        evidence=EVIDENCE,
        commit=SEALED,
        remote="origin",
        branch="fleet/login",
    ),
    events.PullFailed(task=LOGIN, reason="gh is not logged in: gh auth login"),
    events.PullOpened(
        task=LOGIN,
        revision=1,
        forge="gh",
        number=7,
        url=_URL,
        remote="origin",
        branch="fleet/login",
        head=SEALED,
    ),
    events.PullSeen(task=LOGIN, number=7, seen=_SEEN),
    events.PullMergeAsked(task=LOGIN, number=7, head=SEALED, refused="it is protected"),
    events.PullRecalled(task=LOGIN, revision=1, reason="its approval counts no more"),
    events.PullRejected(task=LOGIN, revision=1, cause=causes.PullRed(_NOUN, _URL, (_RED,))),
    events.PullRejected(task=LOGIN, revision=1, cause=causes.PullReview(_NOUN, _URL, (_ASKS,))),
    events.PullCloseAsked(task=LOGIN, by="person"),
    events.PullSeen(
        task=LOGIN, number=7, seen=forge.Seen("merged", SEALED, "main", merged_as=MERGED)
    ),
)
Batches = Sequence[Sequence[events.AnyEvent]]
HISTORIES: dict[str, Batches] = {
    "format-1": (SETTING, TO_REVIEW, TO_LANDED, OTHERS),
    "asking": (ASKING,),
    "needs": (SETTING, NEEDS),
    "run-not-ended": (SETTING, STUCK),
    "accounts": (SETTING, ACCOUNTS),
    "message-held": (SETTING, HELD),
    "assessed": (SETTING, MEASURED),
    "proofs": (SETTING, PROOFS),
    "evidence": (SETTING, EVIDENCE_GONE),
    "comments": (SETTING, COMMENTS),
    "conflicts": (SETTING, CONFLICTS),
    "trains": (SETTING, TRAINS),
    "approvals": (SETTING, APPROVALS),
    "forgotten": (SETTING, FORGOTTEN),
    "stacks": (SETTING, STACKS),
    "pulls": (SETTING, PULLS),
}


def history(name: str = "format-1") -> list[events.Entry]:
    """Return the entries that a kept ledger holds."""
    facts = [
        (event, NOON + number * timedelta(seconds=90))
        for number, batch in enumerate(HISTORIES[name])
        for event in batch
    ]
    return [events.Entry(seq, at, "person", event) for seq, (event, at) in enumerate(facts, 1)]


def write(path: Path, name: str = "format-1") -> None:
    """Write a new ledger with one of the histories."""
    with closing(Ledger.open(path)) as ledger:
        for number, batch in enumerate(HISTORIES[name]):
            ledger.append(batch, at=NOON + number * timedelta(seconds=90), actor="person")


if __name__ == "__main__":
    write(Path(sys.argv[2]), sys.argv[1])
