"""Comments on lines: who may say what and when, what is told to whom, and where a line went."""

from typing import Any

import histories as h
import pytest
from decisions import only, refused
from histories import NOON, A, B, fold, history
from hypothesis import given
from hypothesis import strategies as st

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.activity import Idle
from fleet.core.attention import attention
from fleet.core.causes import SentBack
from fleet.core.comments import LONGEST, ROOM, Hunk, Where, moved, tally
from fleet.core.decide import Decision, decide
from fleet.core.effects import Notify
from fleet.core.facts import BlobFacts, LineFacts, WhereFacts
from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Task
from fleet.core.phrases import note, reason
from fleet.core.planned import Plan
from fleet.core.policy import FleetPolicy
from fleet.core.queue_rows import queue_rows
from fleet.core.revisions import Pinned, last_read
from fleet.core.spelling import spelled, unspelled
from fleet.core.status import Rejected, Running
from fleet.core.views import needs
from fleet.errors import UsageError

BLOB, OTHER = "b" * 40, "c" * 40
THERE = LineFacts(revision=1, blob=BLOB, lines=20, quote="\treturn\x1b[2J None")


def comment(
    fleet: Fleet, line: int = 3, text: str = "why?", facts: LineFacts = THERE, **more: Any
) -> Decision:
    plain: dict[str, Any] = {"task": "a", "path": "x.py", "line": line, "text": text}
    return decide(fleet, c.Comment(**(plain | more)), facts)


def commented(number: int = 1, task: str = "a", **fields: Any) -> e.CommentAdded:
    plain: dict[str, Any] = {
        "comment": f"{task}#{number}",
        "revision": 1,
        "path": "x.py",
        "line": 3,
        "side": "new",
        "blob": BLOB,
        "quote": "return None",
        "text": f"why {number}?",
        "by": "person",
    }
    return e.CommentAdded(task=TaskId(task), **(plain | fields))


def returned(fleet: Fleet, text: str = "", facts: WhereFacts | None = None) -> Fleet:
    return fold(fleet, decide(fleet, c.Return(task="a", note=text), facts).events)


def replied(number: int = 1, by: str = "a", **fields: Any) -> e.CommentReplied:
    plain: dict[str, Any] = {"revision": 1, "text": "done", "by": by, "answers": by != "person"}
    return e.CommentReplied(task=A, comment=f"a#{number}", **(plain | fields))


REVIEW = (*h.submitted(A, h.talker()), h.gated(A))
TWO = (*REVIEW, commented(1), commented(2))


def states(fleet: Fleet) -> list[str]:
    return [it.state for it in fleet.tasks[A].comments]


# Writing --------------------------------------------------------------------------------------


def test_a_comment_is_kept_with_its_line_and_is_not_sent() -> None:
    fleet = history(*REVIEW)
    said = comment(fleet, text="why\x1b[31m?\n\nReally?\n")

    assert said.answer == {"task": A, "comment": "a#1", "quote": " return None"}
    fleet = fold(fleet, said.events)
    [kept] = fleet.tasks[A].comments
    assert (kept.id, kept.path, kept.line, kept.blob, kept.state) == (
        *("a#1", "x.py", 3, BLOB),
        "unsent",
    )
    assert kept.text == "why?\n\nReally?"
    assert kept.at == NOON
    assert comment(fleet).answer["comment"] == "a#2"


def test_names_are_never_given_twice() -> None:
    fleet = history(*REVIEW, commented(1), e.CommentDropped(task=A, comment="a#1", by="person"))

    assert fleet.tasks[A].comments == ()
    assert comment(fleet).answer["comment"] == "a#2"


@pytest.mark.parametrize(
    ("said", "facts", "sentence"),
    [
        ({"line": 0}, THERE, "has 20 lines, so there is no line 0 | fleet comment a x.py:20"),
        ({"line": 21}, THERE, "has 20 lines, so there is no line 21 | fleet comment a x.py:20"),
        ({"line": 21, "side": "old"}, THERE, "before the change, so"),
        ({"path": "x.p"}, LineFacts(revision=1), "has no file x.p | did you mean x.py?"),
        ({"path": "x.py"}, LineFacts(revision=1), "it was deleted; of its old lines: x.py:3@old"),
        ({"path": "\x1b]0;x\ny"}, LineFacts(revision=1), "no file  | see its files: fleet show a"),
        ({}, LineFacts(revision=1, blob=BLOB), "is no text"),
        ({}, LineFacts(revision=1, blob=BLOB, lines=0), "it is empty"),
        ({"revision": 2}, THERE, "at revision 1 by now, not at 2 | read it again: fleet diff a"),
        ({}, LineFacts(revision=2, blob=BLOB, lines=9), "read it again"),
    ],
)
def test_a_line_that_is_not_there_is_refused(
    said: dict[str, Any], facts: LineFacts, sentence: str
) -> None:
    assert sentence in refused(lambda: comment(history(*REVIEW), facts=facts, **said))


@pytest.mark.parametrize("text", ["", " \n ", "\x1b[2J\x00", "x" * (LONGEST + 1)])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    refused(lambda: comment(history(*REVIEW), text=text), UsageError)


def test_more_than_can_be_shown_at_once_is_refused() -> None:
    many = [commented(number, text="x" * LONGEST) for number in range(ROOM // LONGEST)]

    assert "fleet return a" in refused(lambda: comment(history(*REVIEW, *many)))


def test_there_must_be_a_change_that_has_not_landed() -> None:
    landed = (*REVIEW, h.approved(A), h.landing(A), h.landed(A))

    assert "has no change" in refused(lambda: comment(history(*h.running(A))))
    assert "has landed" in refused(lambda: comment(history(*landed)))


def test_only_what_was_not_sent_may_be_changed_or_taken_back() -> None:
    fleet = history(*TWO)
    edited = decide(fleet, c.EditComment(comment="a#1", text="better"))
    dropped = decide(fleet, c.DropComment(comment="a#2"))
    fleet = fold(fleet, (*edited.events, *dropped.events))
    assert [it.text for it in fleet.tasks[A].comments] == ["better"]

    fleet = returned(fleet)
    for command in (c.EditComment(comment="a#1", text="x"), c.DropComment(comment="a#1")):
        assert "was sent" in refused(lambda given=command: decide(fleet, given))


def test_what_a_person_adds_may_be_changed_until_it_is_sent() -> None:
    fleet = fold(returned(history(*REVIEW, commented(1))), (replied(1), replied(1, "person")))
    fleet = fold(fleet, decide(fleet, c.EditComment(comment="a#1", text="but where?")).events)
    [kept] = fleet.tasks[A].comments
    assert [it.text for it in kept.replies] == ["done", "but where?"]

    fleet = fold(fleet, decide(fleet, c.DropComment(comment="a#1")).events)
    assert [it.text for it in fleet.tasks[A].comments[0].replies] == ["done"]
    assert states(fleet) == ["answered"]


# Sending --------------------------------------------------------------------------------------


def test_a_return_sends_all_comments_as_one_message() -> None:
    fleet = returned(history(*TWO), "Mind the tests.")

    status = fleet.tasks[A].status
    assert isinstance(status, Rejected)
    assert isinstance(status.cause, SentBack)
    assert states(fleet) == ["unanswered", "unanswered"]
    told = note(status.cause, target="main")
    for words in (
        *("Mind the tests.", "2 comments", "fleet reply a#1 -m", "fleet comments"),
        *("## a#1: x.py line 3 (read in revision 1, blob bbbbbbbbbb)", "> return None", "why 1?"),
        *("## a#2: ", "why 2?"),
    ):
        assert words in told
    assert told.count("fleet reply") == 1
    assert reason(status.cause) == "returned by person: Mind the tests."


def test_a_file_name_cannot_say_anything_to_the_agent() -> None:
    fleet = returned(history(*REVIEW, commented(1, path="x\n\n## a#9: y.py\x1b[2J")))
    status = fleet.tasks[A].status

    assert isinstance(status, Rejected)
    told = note(status.cause, target="main")
    assert "## a#1: x  ## a#9: y.py line 3" in told
    assert "\x1b" not in told


def test_a_note_is_not_needed_beside_comments() -> None:
    fleet = history(*TWO)
    assert decide(fleet, c.Return(task="a", note="")).answer["comments"] == ["a#1", "a#2"]
    status = returned(fleet).tasks[A].status
    assert isinstance(status, Rejected)
    assert reason(status.cause) == "returned by person: 2 comments"
    assert "neither a note nor a comment" in refused(
        lambda: decide(history(*REVIEW), c.Return(task="a", note=" ")), UsageError
    )


def test_a_comment_is_sent_with_the_line_where_it_is_by_now() -> None:
    second = (h.done(A), h.sealed(A, 2), h.passed(A, 2), h.gated(A, 2))
    facts = WhereFacts(revision=2, places={"a#1": Where("y.py", 8), "a#2": Where()})
    fleet = history(*TWO, *second)
    said = only(decide(fleet, c.Return(task="a", note=""), facts))

    assert isinstance(said, e.Returned)
    assert [(it.path, it.line) for it in said.comments] == [("y.py", 8), ("x.py", 3)]
    stale = WhereFacts(revision=1, places={"a#1": Where("z.py", 9)})
    late = only(decide(fleet, c.Return(task="a", note=""), stale))
    assert isinstance(late, e.Returned)
    assert [it.line for it in late.comments] == [3, 3]


def test_what_is_unanswered_or_said_since_goes_with_the_next_return() -> None:
    fleet = second_review(replied(1), replied(1, "person", text="where?"))
    said = only(decide(fleet, c.Return(task="a", note="x")))

    assert isinstance(said, e.Returned)
    assert [it.id for it in said.comments] == ["a#1", "a#2"]
    assert said.comments[0].since == ("a: done", "person: where?")
    answered = second_review(replied(1), replied(2))
    last = only(decide(answered, c.Return(task="a", note="x")))
    assert isinstance(last, e.Returned)
    assert last.comments == ()


# Answering ------------------------------------------------------------------------------------


def reply(fleet: Fleet, name: str, actor: str = "a", text: str = "done") -> Decision:
    return decide(fleet, c.Reply(comment=name, text=text), actor=actor)


def test_an_agent_answers_by_name_or_by_number_alone() -> None:
    fleet = returned(history(*TWO))
    for name in ("a#1", "1", "#1"):
        assert reply(fleet, name).answer == {"task": A, "comment": "a#1", "sent": True}
    fleet = fold(fleet, reply(fleet, "1").events)

    assert states(fleet) == ["answered", "unanswered"]
    assert tally(fleet.tasks[A].comments) == "1 of 2 comments unanswered"


@pytest.mark.parametrize("name", ["b#1", "a#3", "a#", "#", "", "3", "a", "x#1", "\x1b[2J#1"])
def test_an_agent_answers_no_other_comment(name: str) -> None:
    fleet = fold(returned(history(*TWO)), (*h.by_hand(B), commented(1, "b")))
    fleet = fold(fleet, decide(fleet, c.Return(task="b", note="")).events)

    refused(lambda: reply(fleet, name))


def test_an_agent_cannot_know_of_what_was_not_sent() -> None:
    assert "there is no comment" in refused(lambda: reply(history(*TWO), "1"))
    assert "was not sent" in refused(lambda: reply(history(*TWO), "a#1", "person"))
    assert "names no comment" in refused(lambda: reply(history(*TWO), "1", "person"))


@pytest.mark.parametrize("text", ["", "\x1b[2J", "x" * (LONGEST + 1)])
def test_an_empty_or_endless_answer_is_refused(text: str) -> None:
    refused(lambda: reply(returned(history(*TWO)), "1", text=text), UsageError)


def test_what_a_person_adds_waits_for_the_next_return() -> None:
    fleet = returned(history(*REVIEW, commented(1)))
    said = reply(fleet, "a#1", "person")

    assert said.answer["sent"] is False
    assert states(fold(fleet, said.events)) == ["unsent"]


def test_of_a_branch_made_by_hand_a_person_answers() -> None:
    fleet = returned(history(*h.by_hand(A), h.gated(A), commented(1)))

    assert states(fold(fleet, reply(fleet, "a#1", "person").events)) == ["answered"]


def test_a_resolved_comment_counts_no_more() -> None:
    fleet = returned(history(*TWO))
    fleet = fold(fleet, decide(fleet, c.ResolveComment(comment="a#1")).events)

    assert states(fleet) == ["resolved", "unanswered"]
    assert tally(fleet.tasks[A].comments) == "1 of 1 comment unanswered"
    assert "resolved already" in refused(lambda: decide(fleet, c.ResolveComment(comment="a#1")))
    assert "is resolved" in refused(lambda: reply(fleet, "1"))
    unsent = history(*TWO)
    assert "--drop a#1" in refused(lambda: decide(unsent, c.ResolveComment(comment="a#1")))


# What stays unanswered ------------------------------------------------------------------------


def second_review(*more: e.AnyEvent) -> Fleet:
    """Returned with two comments, and in review again."""
    fleet = h.settle(returned(history(*TWO)))[0]
    events = (*more, h.done(A), h.sealed(A, 2), h.passed(A, 2), h.gated(A, 2))
    return fold(fleet, events)


def test_it_is_said_beside_the_review_and_holds_nothing_up() -> None:
    fleet = second_review(replied(2))
    task = fleet.tasks[A]

    assert needs(fleet, task, h.CHECKED) == "review, 1 of 2 comments unanswered"
    assert queue_rows(fleet, h.GIVEN)[0].unanswered == 1
    assert isinstance(only(decide(fleet, c.Approve(task="a"))), e.Approved)
    answered = fold(fleet, (replied(1),))
    assert needs(answered, answered.tasks[A], h.CHECKED) == "review"


def test_a_late_answer_is_no_new_need() -> None:
    given = h.circumstances(fleet=FleetPolicy(pool=0, notify=("bell",)))
    fleet = second_review()
    late = NOON + h.minutes(1)

    def notified(fleet: Fleet) -> Plan:
        return attention(fleet, given, late)

    [effect] = notified(fleet).effects
    assert isinstance(effect, Notify)
    told = e.NeedTold(task=A, need=effect.need, since=effect.since, by=("bell",))
    assert notified(fold(fleet, (told, replied(1)))) == Plan()


def ended_turn(fleet: Fleet) -> tuple[Task, list[e.AnyEvent]]:
    idle = e.ActivityChanged(task=A, attempt=1, activity=Idle(), source="hook")
    settled = [e.MessageSettled(task=A, message=it.id, outcome="delivered") for it in
               fleet.tasks[A].messages]  # fmt: skip
    fleet, _, facts = h.settle(fold(fleet, (*settled, idle)))
    return fleet.tasks[A], facts


def test_an_agent_that_left_some_unanswered_is_told_once() -> None:
    fleet = h.settle(returned(history(*TWO)))[0]
    assert isinstance(fleet.tasks[A].status, Running)
    fleet = fold(fleet, (replied(1),))

    task, [told, *_] = ended_turn(fleet)
    assert isinstance(told, e.AnswersMissed)
    assert "a#2: x.py:3: why 2?" in told.text
    assert "a#1" not in told.text
    assert task.messages[-1].text == told.text
    assert isinstance(task.status, Running)

    _, again = ended_turn(fold(fleet, (told,)))
    assert isinstance(again[0], e.DoneDeclared)
    anew = h.settle(returned(fold(fleet, (told, h.done(A), h.sealed(A, 2), h.passed(A, 2)))))[0]
    assert not anew.tasks[A].recalled


def test_whoever_declares_it_done_is_told_what_is_unanswered() -> None:
    fleet = fold(h.settle(returned(history(*TWO)))[0], (replied(1),))

    assert decide(fleet, c.DeclareDone(task="a"), actor="a").answer["unanswered"] == ["a#2"]
    answered = fold(fleet, (replied(2),))
    assert decide(answered, c.DeclareDone(task="a")).answer == {"task": A}


def test_an_agent_that_answered_all_is_not_told() -> None:
    fleet = fold(h.settle(returned(history(*TWO)))[0], (replied(1), replied(2)))

    assert isinstance(ended_turn(fleet)[1][0], e.DoneDeclared)


# Where a line went ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "hunks", "found"),
    [
        (5, [], 5),
        (5, [Hunk(1, 0, 2, 3)], 8),  # three lines after line 1
        (1, [Hunk(1, 0, 2, 3)], 1),
        (1, [Hunk(0, 0, 1, 1)], 2),  # one before all
        (5, [Hunk(2, 2, 1, 0)], 3),
        (2, [Hunk(2, 2, 1, 0)], None),
        (3, [Hunk(2, 2, 1, 0)], None),
        (4, [Hunk(4, 1, 4, 1)], None),  # in other words now
        (5, [Hunk(1, 1, 1, 2), Hunk(5, 0, 7, 1), Hunk(6, 1, 8, 0)], 6),
    ],
)
def test_a_line_is_followed_through_a_difference(
    line: int, hunks: list[Hunk], found: int | None
) -> None:
    assert moved(line, hunks) == found


def _difference(kept: list[bool], added: list[int]) -> tuple[list[Hunk], dict[int, int]]:
    """Cut lines and put in others: the hunks, and where each line that is kept stands then."""
    hunks, where, new = list[Hunk](), dict[int, int](), 0
    for line, (keep, more) in enumerate(zip(kept, added, strict=True), 1):
        if more or not keep:
            first = line - 1 if keep else line
            hunks.append(Hunk(first, 0 if keep else 1, new + 1 if more else new, more))
        new += more
        if keep:
            new += 1
            where[line] = new
    return hunks, where


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=30))
def test_every_line_that_is_kept_is_found(lines: list[tuple[bool, int]]) -> None:
    hunks, where = _difference([it[0] for it in lines], [it[1] for it in lines])

    found = {line: moved(line, hunks) for line in range(1, len(lines) + 1)}

    assert {line: place for line, place in found.items() if place is not None} == where


# What was read --------------------------------------------------------------------------------


def seen(fleet: Fleet, **said: Any) -> Decision:
    blobs = BlobFacts(revision=1, blobs={"x.py": BLOB, "y.py": OTHER})
    return decide(fleet, c.MarkSeen(task="a", **said), blobs)


def test_files_are_read_as_they_are_in_their_blob() -> None:
    fleet = history(*REVIEW)
    fleet = fold(fleet, seen(fleet).events)
    assert fleet.tasks[A].seen == {"x.py": BLOB, "y.py": OTHER}
    fleet = fold(fleet, seen(fleet, paths=("x.py",), seen=False).events)
    assert fleet.tasks[A].seen == {"y.py": OTHER}
    assert "did you mean y.py?" in refused(lambda: seen(fleet, paths=("y.p",)))
    assert "read it again" in refused(lambda: seen(fleet, revision=2))


def test_reading_and_commenting_are_no_news_of_the_task() -> None:
    fleet = history(*REVIEW)
    looked = (commented(1), *seen(fleet).events)

    later = fold(fleet, looked, NOON + h.minutes(5))

    assert later.tasks[A].updated_at == fleet.tasks[A].updated_at


def test_revisions_are_kept_and_so_is_what_was_read_before() -> None:
    shown = [e.ChangeShown(task=A, revision=number, by="person") for number in (1, 3, 3, 2)]
    fleet = history(*REVIEW, shown[0], h.done(A), h.sealed(A, 2, base=h.MOVED), *shown[1:])
    task = fleet.tasks[A]

    assert task.revisions == (
        Pinned(1, h.commit("a-1"), h.BASE),
        Pinned(2, h.commit("a-2"), h.MOVED),
    )
    assert (task.shown, task.shown_before) == (3, 1)
    assert last_read(3, 1, 3) == 1
    assert last_read(2, 1, 3) == 2


# Names of files -------------------------------------------------------------------------------


@given(st.binary(max_size=30).filter(lambda raw: b"\0" not in raw))
def test_every_name_has_a_spelling_that_can_be_kept(raw: bytes) -> None:
    name = raw.decode(errors="surrogateescape")

    assert spelled(name).encode() or not raw
    if b"\\x" not in raw:
        assert unspelled(spelled(name)) == name
