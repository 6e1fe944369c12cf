"""Comments on the command line: lines are named as they are read, and all that is said is shown."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor
from wire_samples import AT

from fleet.errors import RefusedError


def row(number: int = 1, **said: Any) -> dict[str, Any]:
    plain = {
        "id": f"importer#{number}",
        "task": "importer",
        "state": "unanswered",
        "revision": 1,
        "path": "src/x.py",
        "line": 12,
        "side": "new",
        "blob": "b" * 40,
        "quote": "    return None",
        "text": "why\nnot fail?",
        "by": "person",
        "at": AT,
        "outdated": False,
        "now_path": "src/y.py",
        "now_line": 14,
        "replies": [],
    }
    return plain | said


def reply(text: str, **said: Any) -> dict[str, Any]:
    plain = {"by": "importer", "at": AT, "revision": 1, "answers": True, "sent": True}
    return {"text": text} | plain | said


@pytest.mark.parametrize(
    ("place", "path", "line", "side"),
    [
        ("src/x.py:12", "src/x.py", 12, "new"),
        ("src/x.py:12@old", "src/x.py", 12, "old"),
        ("src/x.py:12@new", "src/x.py", 12, "new"),
        ("a:3:12", "a:3", 12, "new"),
        ("a\nb:1", "a\nb", 1, "new"),
        ("b\udcffc:1", "b\\xffc", 1, "new"),
    ],
)
def test_a_line_is_named_as_it_is_read(
    place: str, path: str, line: int, side: str, *, run: Run, fake: FakeSupervisor
) -> None:
    fake.answers["comment"] = {"task": "importer", "comment": "importer#3", "quote": " x = 1"}
    answer = run("comment", "imp", place, "-m", "why?")

    assert (answer.code, answer.out) == (0, "importer#3\n")
    assert answer.err == "on: x = 1\nfleet return importer sends it\n"
    [asked] = fake.calls("comment")
    assert (asked["path"], asked["line"], asked["side"]) == (path, line, side)
    assert asked["text"] == "why?"


@pytest.mark.parametrize(
    "words",
    [
        ("importer", "src/x.py", "-m", "x"),
        ("importer", "src/x.py:", "-m", "x"),
        ("importer", ":3", "-m", "x"),
        ("importer", "x:-3", "-m", "x"),
        ("importer", "x:3@both", "-m", "x"),
        ("importer", "x:9999999999", "-m", "x"),
        ("importer", "-m", "x"),
        ("importer", "x:3"),
        (),
        ("importer", "x:3", "--resolve", "importer#1"),
        ("--drop", "importer#1", "--resolve", "importer#1"),
        ("--edit", "importer#1"),
    ],
)
def test_what_is_no_line_is_refused(words: tuple[str, ...], run: Run, fake: FakeSupervisor) -> None:
    fake.answers["comments"] = []
    answer = run("comment", *words)

    assert answer.code == 2
    assert len(answer.err.splitlines()) == 2
    assert [it for it in fake.asked if it["call"] not in ("hello", "comments")] == []


def test_words_come_from_stdin_too(
    run: Run, fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answers["reply"] = {"task": "importer", "comment": "importer#1", "sent": True}
    monkeypatch.setattr("sys.stdin", io.StringIO("done\nas asked\n"))

    assert run("reply", "1", "-m", "-").err == "importer#1 is answered\n"
    assert fake.calls("reply")[0] == {"call": "reply", "comment": "1", "text": "done\nas asked\n"}


def test_what_a_person_adds_is_said_to_wait(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["reply"] = {"task": "importer", "comment": "importer#1", "sent": False}

    said = run("reply", "importer#1", "-m", "where?").err

    assert said == "importer#1 has more; fleet return importer sends it\n"


@pytest.mark.parametrize(
    ("option", "call", "said"),
    [
        ("--resolve", "comment-resolve", "importer#1 is resolved\n"),
        ("--drop", "comment-drop", "importer#1 is taken back\n"),
        ("--edit", "comment-edit", "importer#1 is changed\n"),
    ],
)
def test_one_comment_is_seen_to(
    option: str, call: str, said: str, run: Run, fake: FakeSupervisor
) -> None:
    fake.answers[call] = {"task": "importer", "comment": "importer#1"}
    words = ("-m", "x") if option == "--edit" else ()

    assert run("comment", option, "importer#1", *words).err == said
    assert fake.calls(call)[0]["comment"] == "importer#1"


def test_an_editor_begins_with_what_was_said(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(80)
    begun: list[str] = []

    def edit(text: str, extension: str) -> str:
        begun.append(text)
        return "better\n"

    monkeypatch.setattr("click.edit", edit)
    waiting = row(2, text="first", replies=[reply("where", by="person", sent=False)])
    fake.answers |= {"comments": [row(), waiting], "comment-edit": {}}

    for name in ("importer#1", "importer#2", "importer#3"):
        assert run("comment", "--edit", name).code == 0
    assert begun == ["why\nnot fail?", "where", ""]
    assert fake.calls("comment-edit")[0]["text"] == "better\n"


def test_comments_are_listed_with_line_and_answers(run: Run, fake: FakeSupervisor) -> None:
    gone = {"outdated": True, "now_path": None, "now_line": None, "side": "old"}
    more = [reply("it fails\x1b[2J\nnow"), reply("where?", by="person", sent=False)]
    fake.answers["comments"] = [row(), row(2, state="unsent", replies=more, **gone)]

    answer = run("comments", "importer")

    first, second = answer.out.split("\n\n")
    assert first.splitlines()[0].startswith("importer#1  src/y.py:14  unanswered  ")
    assert first.splitlines()[1:] == ["  >     return None", "  person: why", "  not fail?"]
    assert "src/x.py:12@old, a line that is gone  unsent" in second
    assert "  importer: it fails\n  now\n  person, not sent yet: where?\n" in second
    assert "\x1b" not in answer.out
    assert answer.err == "2 comments, 1 unanswered, 1 not sent yet: fleet return importer\n"


def test_no_comments_say_how_to_begin(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["comments"] = []

    assert "fleet comment importer FILE:LINE" in run("comments", "importer").err
    assert json.loads(run("comments", "importer", "--json").out) == []


def test_an_agent_need_not_name_its_task(
    run: Run, fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_TASK", "importer")
    fake.answers["comments"] = [row()]

    assert run("comments", "--all").code == 0
    assert fake.calls("comments")[0] == {"call": "comments", "task": "importer", "all": True}
    assert fake.actors[-1] == "importer"


def test_what_is_no_text_is_refused(run: Run, fake: FakeSupervisor) -> None:
    answer = run("send", "importer", "\udcff")

    assert (answer.code, fake.calls("send")) == (2, [])
    assert "no text in UTF-8" in answer.err


def test_done_says_what_is_unanswered(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["done"] = {"task": "importer", "unanswered": ["importer#2", "importer#4"]}

    said = run("done", "importer").err

    assert "not answered yet: importer#2, importer#4; type: fleet reply importer#2" in said


def test_a_return_says_how_much_goes_along(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["return"] = {"task": "importer", "comments": ["importer#1", "importer#2"]}

    assert run("return", "imp").err == "importer goes back to its agent with 2 comments\n"
    assert fake.calls("return")[0]["note"] == ""
    fake.answers["return"] = RefusedError("there is neither a note nor a comment", hint="x")
    assert run("return", "imp").code == 1
