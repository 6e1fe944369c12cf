"""What a real agent asks is answered from outside, or first in its pane by a person's keys."""

import pytest
from real.bench import Bench

pytestmark = pytest.mark.needs("talk")


@pytest.mark.needs("answers")
def test_a_permission_is_allowed_from_outside(bench: Bench) -> None:
    task = bench.spawn("[[run make it]]")
    ask = bench.asks(task)

    assert bench.row(task)["needs"] == f"permission: {ask['tool']}: make it"
    assert (ask["kind"], ask["text"]) == ("permission", "make it")
    bench.place.fleet("answer", task, "allow")
    bench.heard(task, "No rule to make target")
    bench.shows(task, "idle")


@pytest.mark.needs("answers")
def test_a_permission_is_denied_with_a_reason(bench: Bench) -> None:
    task = bench.spawn("[[run make it]]")
    bench.asks(task)

    bench.place.fleet("answer", task, "deny", "use ninja")
    bench.heard(task, "use ninja")
    bench.shows(task, "idle")


@pytest.mark.parametrize(
    ("verdict", "sent"),
    [
        pytest.param("allow", "No rule to make target", marks=pytest.mark.needs("pane")),
        ("deny", ""),
    ],
)
def test_a_permission_is_answered_in_the_pane(bench: Bench, verdict: str, sent: str) -> None:
    task = bench.spawn("[[run make it]]")
    bench.shows(task, "waiting")

    bench.sees_dialog(task)
    bench.press(task, bench.cli.allow_key if verdict == "allow" else "Escape")
    bench.shows(task, "idle")
    bench.until(lambda: not list(bench.place.home.asks.iterdir()), "the end of its hook")
    if sent:
        bench.heard(task, sent)
    late = bench.place.fleet("answer", task, "allow", ok=(1,))
    assert "asks nothing now" in late.err


@pytest.mark.needs("question", "answers")
@pytest.mark.parametrize(("said", "heard"), [("Blue", "Blue"), ("a kind of green", "green")])
def test_a_question_is_answered_from_outside(bench: Bench, said: str, heard: str) -> None:
    task = bench.spawn("[[question Which colour?]]")
    ask = bench.asks(task)

    assert bench.row(task)["needs"] == "an answer: Which colour?"
    assert ask["choices"] == ["Red", "Blue"]
    bench.place.fleet("answer", task, said)
    bench.heard(task, heard)
    bench.shows(task, "idle")


@pytest.mark.needs("plan")
@pytest.mark.parametrize(
    ("words", "heard"), [(("allow",), "approved"), (("deny", "smaller"), "smaller")]
)
def test_a_plan_is_judged_from_outside(bench: Bench, words: tuple[str, ...], heard: str) -> None:
    bench.mode("plan")
    task = bench.spawn("[[plan]]")
    assert bench.asks(task)["kind"] == "plan"

    bench.mode()
    bench.place.fleet("answer", task, *words)
    bench.heard(task, heard)
    bench.shows(task, "idle")


@pytest.mark.needs("trust")
@pytest.mark.needs("trust")
def test_trust_is_asked_for_where_nobody_has_agreed_beforehand(bench: Bench) -> None:
    task = bench.spawn("begin", cwd=bench.place.make_repo(f"strange-{bench.next_name()}"))
    bench.shows(task, "waiting")
    assert bench.waits_for(task) == "trust"

    bench.sees_dialog(task)
    bench.press(task, *bench.cli.trust_keys)
    bench.heard(task, "begin")
    bench.shows(task, "idle")
