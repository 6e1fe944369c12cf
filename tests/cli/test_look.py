"""What is looked at is readable on 80 columns, whole in a pipe, and exact as JSON."""

import json
from collections.abc import Callable

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor
from msgspec import convert
from wire_samples import queue_row, status_view, task_detail, task_row, why_view

from fleet.cli.overview import next_step
from fleet.cli.rows import checks_phrase, waits_phrase
from fleet.cli.text import width
from fleet.core.rows import QueueRow, TaskRow


def test_ls_in_a_pipe_is_a_line_a_task_parted_by_tabs(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["ls"] = [task_row("a", title="t" * 200), task_row("b", needs="permission")]
    lines = [line.split("\t") for line in run("ls").out.splitlines()]
    assert [line[0] for line in lines] == ["a", "b"]
    assert lines[0][6] == "t" * 200
    assert lines[1][5] == "permission"


def test_ls_marks_what_was_removed(run: Run, fake: FakeSupervisor) -> None:
    gone = task_row("a", status="landed", removed_at="2026-01-02T12:00:00Z")
    fake.answers["ls"] = [gone, task_row("b", status="landed")]
    lines = [line.split("\t") for line in run("ls", "--all").out.splitlines()]
    assert [line[1] for line in lines] == ["landed, removed", "landed"]


@pytest.mark.parametrize("columns", [80, 120, 250])
def test_ls_fits_the_terminal(
    columns: int, run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    on_terminal(columns)
    fake.answers["ls"] = [
        task_row("a-task-with-a-long-name", title="日本" * 90, needs="permission " * 12),
    ]
    lines = run("--color", "never", "ls").out.splitlines()
    assert len(lines) == 2
    assert max(map(width, lines)) <= columns
    assert "working" in lines[1]


def test_ls_sends_what_it_is_asked(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["ls"] = []
    answer = run("ls", "--all", "--here")
    assert answer.out == ""
    assert "no tasks" in answer.err
    assert fake.calls("ls")[0]["all"] is True
    assert fake.calls("ls")[0]["cwd"]


def test_a_title_cannot_command_the_terminal(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["ls"] = [task_row(title="\x1b[2J\x1b]0;owned\x07nice\ntitle")]
    fake.answers["show"] = task_detail(prompt="\x1b[2Jprompt", notes="\x1b[31mnotes")
    for command in (("ls",), ("show", "importer"), ("--color", "always", "ls")):
        shown = run(*command).out
        assert "\x1b[2J" not in shown
        assert "owned" not in shown


@pytest.mark.parametrize(
    ("call", "arguments", "answer"),
    [
        ("ls", ("ls",), [task_row(title="\x1b[2J é")]),
        ("show", ("show", "importer"), task_detail()),
        ("why", ("why", "importer"), why_view()),
        ("next", ("next",), task_row()),
        ("path", ("path", "importer"), {"path": "/home/w/001"}),
        ("queue", ("queue",), [queue_row()]),
        ("status", ("status",), status_view()),
    ],
)
def test_json_is_what_the_supervisor_said(
    call: str, arguments: tuple[str, ...], answer: object, run: Run, fake: FakeSupervisor
) -> None:
    fake.answers[call] = answer
    shown = run(*arguments, "--json")
    assert shown.code == 0
    assert json.loads(shown.out) == answer
    assert shown.err == ""


def test_show_says_what_is_proven_and_where_to_read_on(run: Run, fake: FakeSupervisor) -> None:
    red = {"name": "test", "state": "failed", "seconds": 1.0, "log": "/logs/proof.log"}
    says = "the target's own tests fail on the new code: test failed with exit code 1"
    proven = "the new tests fail without the change: proven"
    fake.answers["show"] = task_detail(
        proofs=(
            {"kind": "old-tests", "state": "refuted", "says": says, "checks": [red]},
            {"kind": "new-tests", "state": "proven", "says": proven, "checks": []},
        )
    )
    shown = run("show", "importer").out
    assert f"{says}, see /logs/proof.log" in shown
    assert proven in shown


def test_show_says_all_that_is_known(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["show"] = task_detail(
        row=task_row(status="failed", needs="out of attempts"),
        auto_commit=True,
        reason="check test failed",
        notes="try harder",
        messages=["hello"],
        archived="refs/fleet/trash/importer",
    )
    shown = run("show", "importer").out
    for words in ("failed", "out of attempts", "3f1c2ab9 +12 -3", "committed by fleet"):
        assert words in shown
    for words in ("attempts 3", "  all orders", "try harder", "test: failed after 1m", "$0.50"):
        assert words in shown


def test_show_leaves_out_what_there_is_not(run: Run, fake: FakeSupervisor) -> None:
    row = task_row(head=None, pane=None, cost_usd=0.0, tokens=0, agent=None, worktree=None)
    fake.answers["show"] = task_detail(row=row, results=[], checks=[], limits={})
    shown = run("show", "importer").out
    assert "none yet" in shown
    assert "by hand" in shown
    assert "no checks" in shown
    assert not {"cost", "pane", "worktree", "limits"} & {
        it.split(" ")[0] for it in shown.split("\n")
    }


def test_why_names_the_signal_that_won(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["why"] = why_view()
    shown = run("why", "importer").out
    assert "needs you: permission" in shown
    assert "wins\thook\tpermission\t1m ago" in shown
    assert "next: fleet attach importer" in shown


def test_why_says_nothing_twice(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["why"] = why_view(needs="no luck", signals=[], next=None, because=["no luck"])
    assert run("why", "importer").out.count("no luck") == 1


def test_why_can_be_short(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["why"] = why_view(needs=None, signals=[], next=None, because=["it is queued"])
    assert run("why", "importer").out.splitlines()[1:] == ["  it is queued"]


@pytest.mark.parametrize(
    ("state", "phrase"),
    [("ready", "no checks"), ("landing", "no checks"), ("gating", "not yet")],
)
def test_no_checks_is_only_said_where_none_will_come(state: str, phrase: str) -> None:
    assert checks_phrase(convert(queue_row(state=state, checks=[]), QueueRow)) == phrase


def test_a_conflict_is_told_once() -> None:
    row = queue_row(state="conflict", waits_for="conflicts with main in x.py", conflicts=["x.py"])
    assert waits_phrase(convert(row, QueueRow)) == "conflicts with main in x.py"


def test_why_is_told_whole_and_line_by_line(
    run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    on_terminal(40)
    told = "Your change conflicts in:\n\n- " + "long/" * 20 + "name.txt\n"
    fake.answers["why"] = why_view(because=[told])
    lines = run("why", "importer").out.splitlines()
    assert lines[2:5] == ["  Your change conflicts in:", "", "  - " + "long/" * 20 + "name.txt"]


@pytest.mark.parametrize(
    ("row", "step"),
    [
        (task_row("a", status="review", pane="%1"), "fleet diff a"),
        (task_row("a", status="idle", pane="%1"), "fleet done a, or fleet send a TEXT"),
        (task_row("a", status="waiting", pane="%1"), "fleet attach a"),
        (task_row("a", status="conflict", pane=None), "fleet why a"),
    ],
)
def test_the_next_step_fits_the_need(row: dict[str, object], step: str) -> None:
    assert next_step(convert(row, TaskRow)) == step


def test_next_names_the_task_or_exits_with_1(
    run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    fake.answers["next"] = task_row()
    assert (run("next").code, run("next").out) == (0, "importer\n")
    fake.answers["next"] = None
    assert (run("next").code, run("next").out) == (1, "")
    fake.answers["next"] = task_row(needs="permission")
    on_terminal(80)
    assert "permission" in run("next").out


def test_path_is_data_alone(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["path"] = {"path": "/home/w/001"}
    assert run("path", "importer").out == "/home/w/001\n"


def test_the_queue_never_calls_no_checks_passed(run: Run, fake: FakeSupervisor) -> None:
    red = [{"name": "lint", "state": "failed", "seconds": 1.0, "log": "/l"}]
    fake.answers["queue"] = [
        queue_row("a"),
        queue_row("b", checks=[], approved_by="person"),
        queue_row("c", checks=red, conflicts=["x.py"], waits_for=None),
    ]
    lines = [line.split("\t") for line in run("queue", "--here").out.splitlines()]
    assert [line[6] for line in lines] == ["1/1 passed", "no checks", "0/1 passed: lint failed"]
    assert [line[7] for line in lines] == ["no", "person", "no"]
    assert lines[2][8] == "conflict in x.py"


def test_an_empty_queue_is_said(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["queue"] = []
    answer = run("queue")
    assert (answer.out, answer.err) == ("", "the merge queue is empty\n")


def test_the_overview_begins_with_what_needs_you(
    run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    on_terminal(80)
    fake.answers |= {
        "ls": [
            task_row("busy"),
            task_row("ask", status="waiting", needs="permission"),
            task_row("read", status="review", needs="review"),
            task_row("broken", status="failed", needs="out of attempts", pane=None),
        ],
        "queue": [queue_row("read")],
        "status": status_view(),
    }
    shown = run("--color", "never")
    lines = shown.out.splitlines()
    assert max(map(width, lines)) <= 80
    assert "4 tasks, 3 need you, $2.00" in lines[0]
    order = ("no linger", "needs you", "fleet attach ask", "at work", "busy", "merge queue")
    places = [shown.out.index(words) for words in order]
    assert places == sorted(places)
    for step in ("fleet diff read", "fleet why broken"):
        assert step in shown.out


def test_the_overview_of_nothing_says_how_to_begin(run: Run, fake: FakeSupervisor) -> None:
    fake.answers |= {"ls": [], "queue": [], "status": status_view(degraded=[])}
    shown = run().out
    assert "0 tasks" in shown
    assert "fleet spawn" in shown


def test_the_overview_counts_one_that_needs_you(run: Run, fake: FakeSupervisor) -> None:
    rows = [task_row(needs="login", status="waiting", cost_usd=0)]
    fake.answers |= {"ls": rows, "queue": [], "status": status_view()}
    assert "1 task, 1 needs you" in run().out
