"""From a prompt to the target: what passes lands, and what does not says why."""

from place import Place

COMMIT = "git add -A && git commit -qm work"


def test_what_passes_its_check_lands(place: Place) -> None:
    place.spawn("one", f"echo hello >new.txt; {COMMIT}", "--check", "test -s new.txt")

    place.becomes("one", "review")
    assert place.file("new.txt") is None
    place.fleet("approve", "one")
    place.wait("one")

    assert place.file("new.txt") == "hello\n"
    assert (place.repo / "new.txt").read_text() == "hello\n"
    assert place.git("status", "--porcelain") == ""


def test_uncommitted_work_lands_too(place: Place) -> None:
    place.spawn("one", "echo hello >new.txt", "--check", "test -s new.txt", "--land", "auto")

    place.wait("one")

    assert place.file("new.txt") == "hello\n"
    assert place.git("log", "-1", "--format=%an", "main^2") == "Test Person"


def test_uncommitted_work_has_a_name_where_the_person_has_none(place: Place) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        del place.env[f"GIT_{role}_NAME"], place.env[f"GIT_{role}_EMAIL"]

    place.spawn("one", "echo hello >new.txt", "--check", "test -s new.txt", "--land", "auto")
    place.wait("one")

    assert place.git("log", "-1", "--format=%an <%ae>", "main^2") == "fleet <fleet@localhost>"


def test_no_change_is_not_done(place: Place) -> None:
    place.spawn("one", "true", "--check", "true", "--land", "auto")

    row = place.becomes("one", "failed")

    assert row["needs"] == "ended without a change"


def test_two_that_change_the_same_line_do_not_both_land(place: Place) -> None:
    for name in ("one", "two"):
        place.spawn(name, f"echo {name} >readme.txt; {COMMIT}", "--check", "true")
    for name in ("one", "two"):
        place.becomes(name, "review")

    place.fleet("approve", "one")
    place.wait("one")
    row = place.becomes("two", "conflict")

    assert "readme.txt" in row["needs"]
    assert place.file("readme.txt") == "one\n"
    assert "readme.txt" in str(place.fleet("queue", "--json").json)


def test_a_red_check_is_tried_again_with_notes(place: Place) -> None:
    command = 'echo "$FLEET_RUN" >>all.txt; grep -c . "$FLEET_NOTES" >notes.txt'
    check = 'test "$(wc -l <all.txt)" = 2'

    place.spawn("one", command, "--check", check, "--attempts", "3", "--land", "auto")
    place.wait("one")

    began = [it["attempt"] for it in place.events("attempt.began", task="one")]
    assert began == [1, 2]
    assert int((place.file("notes.txt") or "0").strip()) > 0
    assert place.show("one")["spent"] == 1


def test_attempts_are_not_endless(place: Place) -> None:
    place.spawn("one", "date +%N >>all.txt", "--check", "echo so it is; false", "--attempts", "2")

    row = place.becomes("one", "failed")

    assert "check-1" in row["needs"]
    assert "so it is" in place.fleet("log", "one", "--check", "check-1").out
    assert place.file("all.txt") is None


def test_one_that_waits_for_another_starts_from_what_landed(place: Place) -> None:
    place.spawn("first", "echo one >a.txt", "--check", "true")
    place.spawn("second", "cat a.txt >b.txt", "--after", "first", "--land", "auto", "--check", ":")

    place.becomes("first", "review")
    assert place.becomes("second", "blocked")["after"] == ["first"]
    place.fleet("approve", "first")
    place.wait("first", "second")

    assert place.file("b.txt") == "one\n"


def test_one_that_hangs_is_stopped_by_its_limit(place: Place) -> None:
    place.spawn("one", "sleep 600", "--timeout", "1s")

    row = place.becomes("one", "failed")

    assert row["needs"] == "stopped by its time limit of 1 s"


def test_a_branch_made_by_hand_lands_like_any_other(place: Place) -> None:
    place.git("checkout", "-q", "-b", "mine")
    (place.repo / "mine.txt").write_text("by hand\n")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "mine")
    place.git("checkout", "-q", "main")

    place.fleet("submit", "mine", "--check", "test -s mine.txt", "--land", "auto")
    place.wait("mine")

    assert place.file("mine.txt") == "by hand\n"
    assert place.git("rev-parse", "mine")
