"""Comments on lines, from a person to an agent and back; and what a second review shows of it."""

import os
import shutil

from place import Place
from waiting import until

LINES = "".join(f"line {number}\\n" for number in range(1, 10))
# It answers the first comment by name, tries what it may not do, and changes what it was told of.
SHELL = f"""\
if grep -q '## one#1' "$FLEET_NOTES" 2>/dev/null; then
  fleet reply one#1 -m 'it is in words now' || exit 1
  fleet reply two#1 -m 'not mine' 2>>"$OUT"; echo "$?" >>"$OUT"
  fleet comment one new.txt:1 -m 'mine' 2>>"$OUT"; echo "$?" >>"$OUT"
  fleet comments >>"$OUT" 2>&1
  sed -i '1i begin' new.txt; sed -i 's/line 9/nine/' new.txt
else
  printf '{LINES}' >new.txt
fi
"""
# It answers what it is told of for the first time, and the rest when it is told once more.
TALKER = """\
#!/bin/sh
hook() { "$FLEET_HOME/bin/fleet-hook" "$@"; }
turn() {
  echo '{}' | hook working
  case "$1" in "Read /"*) said=${1#Read }; set -- "$(cat "${said%% and *}")" ;; esac
  printf '%s\\n' "$1" >>"$HEARD"
  case "$1" in
    *"was returned"*) fleet reply 1 -m 'first done' ;;
    *"not answered"*) fleet reply 2 -m 'second done' ;;
  esac
  echo "$1" | head -1 >>heard.txt
  git add -A && git commit -qm turn
  echo '{}' | hook idle
}
turn "$1"
while read -r line; do turn "$line"; done
"""


def test_an_agent_answers_one_of_two_and_the_next_review_says_so(place: Place) -> None:
    out = place.root / "out"
    place.spawn("one", f"OUT={out}; {SHELL}", "--check", "true")
    place.becomes("one", "review")
    first = place.fleet("comment", "one", "new.txt:9", "-m", "write it in words\x1b[2J")
    assert (first.out, first.err.splitlines()[0]) == ("one#1\n", "on: line 9")
    place.fleet("comment", "one", "new.txt:3", "-m", "and this?")
    assert place.fleet("comments", "one", "--json").json[0]["state"] == "unsent"

    assert "with 2 comments" in place.fleet("return", "one").err
    until(lambda: place.show("one")["revision"] == 2)
    row = place.becomes("one", "review")

    assert row["needs"] == "review, 1 of 2 comments unanswered"
    assert place.fleet("queue", "--json").json[0]["unanswered"] == 1
    assert "2, 1 unanswered" in place.fleet("show", "one").out
    answered, missing = place.fleet("comments", "one", "--json").json
    assert (answered["state"], answered["outdated"]) == ("answered", True)
    assert answered["text"] == "write it in words"
    assert [it["text"] for it in answered["replies"]] == ["it is in words now"]
    assert (missing["state"], missing["now_line"], missing["line"]) == ("unanswered", 4, 3)
    said = out.read_text()
    assert said.count("\n1\n") == 2
    assert "a person has to" in said
    assert "one#2  new.txt:3  unanswered" in said
    place.fleet("approve", "one")
    place.wait("one")


def test_an_agent_that_leaves_comments_unanswered_is_told_once(place: Place) -> None:
    script, heard = place.root / "talker.sh", place.root / "heard"
    script.write_text(TALKER)
    place.configure(
        f'agents:\n  talker:\n    command: [sh, {script}, "{{prompt}}"]\n'
        f"    converses: true\n    done: turn\n    env: {{HEARD: {heard}}}\n"
    )
    place.spawn("one", "begin", "--agent", "talker", "--check", "true")
    place.becomes("one", "review")
    for text in ("first", "second"):
        place.fleet("comment", "one", "heard.txt:1", "-m", text)

    place.fleet("return", "one", "-m", "two things")
    until(lambda: place.show("one")["revision"] == 2)

    assert place.becomes("one", "review")["needs"] == "review"
    states = {it["id"]: it["state"] for it in place.fleet("comments", "one", "--json").json}
    assert states == {"one#1": "answered", "one#2": "answered"}
    told = heard.read_text()
    assert told.count("You have not answered 1 comment") == 1
    assert "- one#2: heard.txt:1: second" in told
    assert len(place.events("run.started", task="one")) == 1


def test_an_agent_finds_fleet_where_no_person_has_it(place: Place) -> None:
    parts = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(part for part in parts if shutil.which("fleet", path=part) is None)
    told = place.root / "told"
    environment = {"PATH": path}

    place.fleet(
        *("spawn", "--name", "one", "-p", f"fleet path one >{told} 2>&1; echo x >a"),
        env=environment,
    )
    place.becomes("one", "review")

    assert told.read_text().strip() == place.fleet("path", "one").out.strip()


def test_a_file_may_have_any_name(place: Place) -> None:
    odd = os.fsdecode(b"b\xff.txt")
    names = "printf 'x\\ny\\n' >\"$(printf 'b\\377.txt')\"; printf 'x\\n' >\"$(printf 'n\\nl')\""
    place.spawn("one", names, "--check", "true")
    place.becomes("one", "review")

    assert place.fleet("comment", "one", f"{odd}:2", "-m", "odd").out == "one#1\n"
    assert place.fleet("comment", "one", "n\nl:1", "-m", "odd").out == "one#2\n"
    for wrong in ("../repo/readme.txt:1", "/etc/passwd:1", ".git/config:1", "n:1", "b?.txt:1"):
        refused = place.fleet("comment", "one", wrong, "-m", "x", ok=(1,))
        assert "has no file" in refused.err
    assert "b\\xff.txt:2" in place.fleet("comments", "one").out
    place.fleet("diff", "one", "--mark-seen")
    assert set(place.fleet("diff", "one", "--json").json["viewed"]) == {"b\\xff.txt", "n\nl"}


def test_what_changed_since_the_last_review_is_without_the_targets_news(place: Place) -> None:
    once = place.root / "once"
    command = (
        f"if test -e {once}; then git merge -q main; echo better >>new.txt; git add -A; "
        f"git commit -qm again; else touch {once}; echo mine >new.txt; echo x >other.txt; fi"
    )
    place.spawn("one", command, "--check", "true")
    place.becomes("one", "review")
    refused = place.fleet("diff", "one", "--since-review", ok=(1,))
    assert "no earlier revision" in refused.err
    place.fleet("diff", "one")
    place.fleet("diff", "one", "other.txt", "--mark-seen")
    (place.repo / "readme.txt").write_text("begin\ntheirs\n")
    place.git("commit", "-qam", "theirs")

    place.fleet("return", "one", "-m", "better")
    until(lambda: place.show("one")["revision"] == 2)
    place.becomes("one", "review")
    answer = place.fleet("diff", "one", "--since-review", "--json").json

    assert answer["since"] == 1
    assert "+better" in answer["patch"]
    assert "theirs" not in answer["patch"]
    assert answer["patch"].count("diff --git") == 1
    assert place.fleet("diff", "one", "--json").json["viewed"] == ["other.txt"]
    assert place.fleet("diff", "one", "--since", "1").out == answer["patch"]
    assert "no revision 2" in place.fleet("diff", "one", "--since", "2", ok=(1,)).err
    assert "does not change" in place.fleet("diff", "one", "nope", ok=(1,)).err
