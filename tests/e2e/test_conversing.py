"""An agent that keeps a conversation is told again where it is, parked, and taken up again."""

import pytest
from place import Place
from waiting import until

pytestmark = pytest.mark.slow


def turns(place: Place, task: str) -> list[str]:
    """Return the run in which each turn of the agent took place."""
    file = place.home.root / f"turns.{task}"
    return file.read_text().split() if file.exists() else []


def heard(place: Place, task: str) -> list[str]:
    text = place.file("heard.txt", branch=f"fleet/{task}") or ""
    return text.splitlines()


def test_a_red_check_goes_back_to_the_same_context(place: Place) -> None:
    place.talker()
    check = 'echo "not enough"; test "$(wc -l <heard.txt)" -ge 2'

    place.spawn("one", "begin", "--agent", "talker", "--check", check)
    place.becomes("one", "review")

    first, second = turns(place, "one")
    assert first == second
    assert place.show("one")["spent"] == 0
    assert "check-1" in heard(place, "one")[1]


def test_what_a_person_returns_goes_back_to_the_same_context(place: Place) -> None:
    place.talker()
    place.spawn("one", "begin", "--agent", "talker", "--check", "true")
    before = place.becomes("one", "review")["head"]

    place.fleet("return", "one", "-m", "be kinder")
    until(lambda: len(turns(place, "one")) == 2)
    until(lambda: place.becomes("one", "review")["head"] != before)

    assert len(set(turns(place, "one"))) == 1
    assert "be kinder" in heard(place, "one")[1]


def test_a_verdict_is_about_the_commit_that_was_read(place: Place) -> None:
    place.talker()
    place.spawn("one", "begin", "--agent", "talker", "--check", "true")
    old = place.becomes("one", "review")["head"]
    place.fleet("diff", "one")
    place.fleet("return", "one", "-m", "be kinder")
    until(lambda: place.becomes("one", "review")["head"] != old)

    refused = place.fleet("approve", "one", ok=(1,))
    assert "newer revision" in refused.err
    stale = place.fleet("approve", "one", "--head", old, ok=(1,))
    assert "read it again" in stale.err
    place.fleet("diff", "one")
    place.fleet("approve", "one")
    place.wait("one")

    assert len((place.file("heard.txt") or "").splitlines()) == 2


def test_a_message_is_delivered_once(place: Place) -> None:
    place.talker()
    place.spawn("one", "make a plan", "--agent", "talker", "--check", "true")
    row = place.becomes("one", "waiting")
    assert row["needs"] == "a verdict on its plan"

    said = place.fleet("send", "one", "go ahead", "--json").json

    assert said == {"sent": [{"task": "one", "outcome": "delivered", "reason": ""}]}
    place.becomes("one", "review")
    assert heard(place, "one") == ["make a plan", "go ahead"]


def test_a_message_to_an_agent_that_reports_nothing_is_unconfirmed(place: Place) -> None:
    words = f'[sh, -c, "read -r line; echo $line >{place.root}/heard; sleep 100"]'
    place.configure(f"agents:\n  mute:\n    command: {words}\n    converses: true\n")
    place.spawn("one", "begin", "--agent", "mute")
    place.becomes("one", "working")

    said = place.fleet("send", "one", "go ahead", "--json").json

    assert said["sent"][0]["outcome"] == "unconfirmed"
    told = place.root / "heard"
    assert until(lambda: told.exists() and told.read_text()) == "go ahead\n"


def test_an_agent_that_reads_nothing_refuses_messages(place: Place) -> None:
    place.spawn("one", "sleep 100")
    place.becomes("one", "working")

    refused = place.fleet("send", "one", "go ahead", ok=(1,))

    assert "reads no messages" in refused.err


def test_an_agent_that_waits_is_parked_and_its_conversation_taken_up_again(place: Place) -> None:
    (place.repo / "fleet.yaml").write_text("park: 1s\n")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "park")
    place.talker()
    place.spawn("one", "begin", "--agent", "talker", "--check", "true")
    place.becomes("one", "review")

    until(lambda: place.show("one")["row"]["pid"] is None, what="it is parked")
    assert place.fleet("status", "--json").json["slots"]["used"] == 0
    place.fleet("return", "one", "-m", "be kinder")
    until(lambda: len(turns(place, "one")) == 2)
    place.becomes("one", "review")

    assert len(set(turns(place, "one"))) == 2
    assert place.show("one")["spent"] == 0
    talks = {it["conversation"] for it in place.events("run.conversation", task="one")}
    assert talks == {"talk-one"}


def test_an_agent_takes_its_own_work_as_done(place: Place) -> None:
    command = "echo hello >new.txt; fleet done; sleep 100"
    place.spawn("one", command, "--done", "manual", "--check", "test -s new.txt")

    place.becomes("one", "review")

    assert place.file("new.txt") is None


def test_an_agent_may_not_approve(place: Place) -> None:
    place.spawn("one", "echo hello >new.txt", "--check", "true")
    place.becomes("one", "review")
    command = f"fleet approve one 2>{place.root}/said; echo $? >{place.root}/code"
    place.spawn("two", command)

    code = until(lambda: (place.root / "code").exists() and (place.root / "code").read_text())

    assert code == "1\n"
    assert "a person has to" in (place.root / "said").read_text()
    assert place.becomes("one", "review")
