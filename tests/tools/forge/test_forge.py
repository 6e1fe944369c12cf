"""Both forges do the same for fleet, by what their own programs say."""

import threading

import pytest
from fake_forge import FakeForge
from waiting import until

from fleet.core.pulls import PullCheck
from fleet.tools.forge.forge import DeclinedError, Forge, ForgeError, Proposal
from fleet.tools.forge.program import Program, environment
from fleet.tools.forge.where import Address, address, forge_of
from fleet.tools.git.repository import Place

PROPOSAL = Proposal("work", "main", "--title -x “y”", "## text\n\n<b>not</b> $HOME `x`")


def test_one_is_opened_found_and_seen(forge: Forge, fake: FakeForge) -> None:
    assert forge.find("work", "main", fake.tip("work")) is None

    number = forge.create(PROPOSAL)

    assert forge.find("work", "main", "0" * 40) == number
    found = forge.view(number)
    assert found.number == number
    assert found.url.endswith(f"/{number}")
    assert found.text == PROPOSAL.text
    assert fake.pulls[0]["title"] == PROPOSAL.title
    assert (found.seen.state, found.seen.head, found.seen.target) == (
        "open",
        fake.tip("work"),
        "main",
    )
    assert (found.seen.merge, found.seen.review, found.seen.checks) == ("clean", "none", ())


def test_there_is_never_a_second_one(forge: Forge) -> None:
    forge.create(PROPOSAL)

    with pytest.raises(DeclinedError, match="already exists"):
        forge.create(PROPOSAL)


def test_that_of_a_fork_is_not_ours(forge: Forge, fake: FakeForge) -> None:
    fake.change(forge.create(PROPOSAL), fork=True)

    assert forge.find("work", "main", fake.tip("work")) is None


def test_one_that_is_over_is_found_by_its_commit(forge: Forge, fake: FakeForge) -> None:
    number, head = forge.create(PROPOSAL), fake.tip("work")
    forge.close(number)

    assert forge.find("work", "main", head) == number
    assert forge.find("work", "main", "0" * 40) is None
    assert forge.view(number).seen.state == "closed"


def test_what_checks_say_is_read(forge: Forge, fake: FakeForge) -> None:
    number = forge.create(PROPOSAL)
    fake.checks(number, lint="failed", build="passed", slow="pending")

    seen = forge.view(number).seen

    ci = "https://ci.example.org/"
    assert sorted(seen.checks, key=lambda it: it.name) == [
        PullCheck("build", "passed", f"{ci}build"),
        PullCheck("lint", "failed", f"{ci}lint"),
        PullCheck("slow", "pending", f"{ci}slow"),
    ]


def test_what_reviewers_say_is_read_if_they_may_write(forge: Forge, fake: FakeForge) -> None:
    number = forge.create(PROPOSAL)
    fake.change(number, needs_review=True)
    assert forge.view(number).seen.review == "required"

    fake.review(number, "CHANGES_REQUESTED", by="eve", text="run this", rights="NONE")
    assert forge.view(number).seen.remarks == ()

    fake.review(number, "CHANGES_REQUESTED", by="ann", text="rename\x1b[2J it")
    seen = forge.view(number).seen
    assert seen.review == "changes-requested"
    assert [(it.by, it.text) for it in seen.remarks] == [("ann", "rename it")]


def test_a_merge_names_its_commit(forge: Forge, fake: FakeForge) -> None:
    number, head = forge.create(PROPOSAL), fake.tip("work")
    fake.commit("work", "c.txt", "pushed in that moment\n")

    with pytest.raises(DeclinedError, match="modified"):
        forge.merge(number, head=head, method="squash")
    assert forge.view(number).seen.state == "open"

    forge.merge(number, head=fake.tip("work"), method="squash")
    seen = forge.view(number).seen
    assert (seen.state, seen.merged_as) == ("merged", fake.tip("main"))


def test_a_protected_branch_says_why_it_refuses(forge: Forge, fake: FakeForge) -> None:
    number = forge.create(PROPOSAL)
    fake.set(refuse="the base branch policy prohibits the merge")

    with pytest.raises(DeclinedError, match="policy prohibits"):
        forge.merge(number, head=fake.tip("work"), method="merge")


def test_its_text_is_replaced(forge: Forge, fake: FakeForge) -> None:
    number = forge.create(PROPOSAL)

    forge.describe(number, "other “text”\n")

    assert forge.view(number).text == "other “text”\n"


def test_no_text_is_on_a_command_line(forge: Forge, fake: FakeForge) -> None:
    forge.describe(forge.create(PROPOSAL), "other text")

    words = [word for call in fake.calls for word in call]
    assert not [word for word in words if "not</b>" in word or "other text" in word]


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("offline", "cannot be reached"),
        ("limit", "has had enough requests for now"),
        ("garbage", "answered something that fleet does not understand"),
        ("endless", "printed too much"),
    ],
)
def test_what_keeps_it_from_being_asked_is_said(
    forge: Forge, fake: FakeForge, fails: str, said: str
) -> None:
    fake.set(fail=fails)

    with pytest.raises(ForgeError, match=said) as caught:
        forge.view(1)
    assert not isinstance(caught.value, DeclinedError)


def test_without_a_login_it_says_what_to_type(forge: Forge, fake: FakeForge) -> None:
    fake.set(login=False)

    with pytest.raises(ForgeError, match=r"is not logged in: (gh|glab) auth login --hostname"):
        forge.view(1)


def test_without_the_program_it_says_where_it_is(
    forge: Forge, fake: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(fake.root))

    with pytest.raises(ForgeError, match="is not installed: https://"):
        forge.view(1)


def test_a_token_is_never_repeated(forge: Forge, fake: FakeForge) -> None:
    fake.set(fail="secret")

    with pytest.raises(ForgeError) as caught:
        forge.view(1)
    assert "hunter2" not in caught.value.message + caught.value.stderr
    assert "ghp_" not in caught.value.message + caught.value.stderr


def test_one_that_hangs_is_ended(fake: FakeForge) -> None:
    fake.set(fail="hang")
    program = Program("gh", "github.com", stop=threading.Event(), timeout_s=0.5)

    with pytest.raises(ForgeError, match=r"gh took longer than 0\.5 s"):
        program.ask("pr", "view")


def test_one_that_nobody_waits_for_is_ended_soon(fake: FakeForge) -> None:
    fake.set(fail="hang")
    stop = threading.Event()
    program = Program("gh", "github.com", stop=stop, timeout_s=3600)
    thread = threading.Thread(target=lambda: program.run("pr", "view"))
    thread.start()
    until(lambda: fake.calls)
    stop.set()
    thread.join()


def test_only_what_a_login_needs_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GH_TOKEN", "AWS_SECRET_ACCESS_KEY", "FLEET_TASK", "GH_DEBUG", "GIT_DIR"):
        monkeypatch.setenv(name, "x")

    env = environment()

    assert env["GH_TOKEN"] == "x"
    assert env["HOME"]
    assert not {"AWS_SECRET_ACCESS_KEY", "FLEET_TASK", "GH_DEBUG", "GIT_DIR"} & env.keys()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.com/o/r.git", Address("github.com", "o/r")),
        ("https://me:secret@github.com/o/r", Address("github.com", "o/r")),
        ("git@github.com:o/r.git", Address("github.com", "o/r")),
        ("ssh://git@ssh.github.com:443/o/r.git", Address("github.com", "o/r")),
        ("https://git.example.org:8443/a/b/c.git", Address("git.example.org:8443", "a/b/c")),
        ("work:o/r", Address("work", "o/r")),
        ("/srv/git/r.git", None),
        ("../r.git", None),
        ("file:///srv/r.git", None),
        ("https://github.com/o", None),
        ("https://github.com/o/r/../x", None),
        ("https://github.com:x/o/r", None),
        ("ext::sh -c x", None),
        ("https://-x/o/r", None),
    ],
)
def test_where_a_remote_leads(url: str, found: Address | None) -> None:
    assert address(url) == found


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("github.com", "gh"),
        ("github.example.org", "gh"),
        ("acme.ghe.com", "gh"),
        ("gitlab.com", "glab"),
        ("gitlab.gnome.org", "glab"),
        ("code.example.org", "gh"),  # where gh is logged in
    ],
)
def test_which_forge_it_is(fake: FakeForge, place: Place, host: str, kind: str) -> None:
    _set_url(place, f"https://{host}/o/r.git")

    assert forge_of(place, "origin", None, stop=threading.Event()).name == kind


def test_what_nobody_can_tell_is_to_be_written_down(fake: FakeForge, place: Place) -> None:
    _set_url(place, "https://code.example.org/o/r.git")
    fake.set(login=False)

    with pytest.raises(ForgeError, match="write forge: gh or forge: glab"):
        forge_of(place, "origin", None, stop=threading.Event())
    assert forge_of(place, "origin", "glab", stop=threading.Event()).name == "glab"


@pytest.mark.parametrize("url", ["/srv/r.git", None])
def test_a_remote_that_is_no_forge(fake: FakeForge, place: Place, url: str | None) -> None:
    _set_url(place, url)

    with pytest.raises(ForgeError, match="is no address of a forge"):
        forge_of(place, "origin", None, stop=threading.Event())


def _set_url(place: Place, url: str | None) -> None:
    text = (place.git_dir / "config").read_text()
    kept = text.split("[remote")[0]
    (place.git_dir / "config").write_text(
        kept + (f'[remote "origin"]\n\turl = {url}\n' if url else "")
    )
