"""What only Codex has: hooks that are reviewed before they run, a sandbox, and tokens."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from person import Person
from place import Place
from real.bench import Bench
from real.clis import AGENT, chosen

from fleet import protocol as p
from fleet.agents.adapter import Request, SaysIdle, SaysUsage
from fleet.agents.codex.adapter import CodexAdapter
from fleet.agents.codex.trust import options

pytestmark = pytest.mark.skipif(os.environ.get(AGENT) != "codex", reason="it is about Codex")
_ASKS = (
    {"method": "initialize", "id": 1, "params": {"clientInfo": {"name": "test", "version": "1"}}},
    {"method": "initialized"},
    {"method": "hooks/list", "id": 2, "params": {"cwds": ["{cwd}"]}},
)


def listed(real: Place) -> list[dict[str, object]]:
    """Ask its own server which hooks a launch has, and what it thinks of each."""
    home, run_dir = "/home/person/it's fleet", "/home/person/run"
    request = Request(
        task="one", prompt="p", worktree=str(real.repo), run_dir=run_dir, home=home, notes="/n"
    )
    argv = [str(chosen()[1]), *options(request), "app-server"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=real.env
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for message in _ASKS:
            server.stdin.write(json.dumps(message).replace("{cwd}", str(real.repo)) + "\n")
        server.stdin.flush()
        said = map(json.loads, server.stdout)
        answer = next(it for it in said if it.get("id") == 2)
        server.kill()
    hooks: list[dict[str, object]] = answer["result"]["data"][0]["hooks"]
    return hooks


def test_each_of_our_hooks_is_trusted(real: Place) -> None:
    hooks = listed(real)

    assert {it["trustStatus"] for it in hooks} == {"trusted"}
    assert {str(it["eventName"]) for it in hooks} >= {"stop", "permissionRequest", "interrupt"}
    assert all("fleet-hook" in str(it["command"]) for it in hooks)


def test_a_repository_that_nobody_trusted_waits_for_a_person(bench: Bench) -> None:
    task = bench.spawn("[[run git status]]", cwd=bench.place.make_repo("strange"))
    assert bench.shows(task, "waiting")["needs"] == "trust in this directory"
    bench.press(task, "Enter")
    bench.heard(task, "nothing to commit")
    bench.shows(task, "idle")


def test_a_repositorys_hooks_wait_for_a_review(bench: Bench) -> None:
    ran = bench.place.root / "ran"
    hook = {"hooks": [{"type": "command", "command": f"touch {ran}"}]}
    content = json.dumps({"hooks": {"UserPromptSubmit": [hook], "Stop": [hook]}})
    repo = bench.place.make_repo("hooked", {".codex/hooks.json": content})
    bench.place.fleet("trust", "--agents", cwd=repo)

    task = bench.spawn("[[run git status]]", cwd=repo)
    assert bench.shows(task, "waiting")["needs"] == "a review of hooks in its pane"
    bench.press(task, "3")  # "continue without trusting"
    bench.heard(task, "nothing to commit")
    bench.shows(task, "idle")
    assert not ran.exists()


def test_it_commits_and_cannot_change_what_git_runs(bench: Bench) -> None:
    hooks = f"{bench.place.repo}/.git/hooks"
    task = bench.spawn(
        "[[edit {cwd}/readme.txt | begin | end]] [[run git commit -qam it]]"
        f" [[run git config --file {hooks}/evil a.b c]]"
    )
    bench.heard(task, "could not lock config file")
    bench.shows(task, "idle")

    assert not Path(hooks, "evil").exists()
    assert bench.place.git("log", "-1", "--format=%s", f"fleet/{task}") == "it"


def allows(bench: Bench, task: str, person: Person) -> bool:
    """Press the key; return whether it has been taken: one that comes too early is not."""
    person.types(b"y")
    return any("No rule to make target" in it.news for it in bench.requests(task))


def test_a_person_who_attaches_is_asked_in_the_pane(bench: Bench) -> None:
    task = bench.spawn("[[run make it]]")
    bench.asks(task)
    person = Person(["fleet", "attach", task], bench.place.env)
    try:
        bench.until(lambda: person.sees("Would you like to run"), "its own dialog")
        bench.until(lambda: allows(bench, task, person), "what it was allowed")
    finally:
        person.leave()
    bench.shows(task, "idle")


def title(bench: Bench, task: str) -> str:
    socket = bench.place.ask(p.Status())["tmux_socket"]
    words = ("display-message", "-p", "-t", bench.row(task)["pane"], "#{pane_title}")
    return bench.place.run("tmux", "-N", "-S", socket, *words).out.strip()


def test_its_tokens_are_counted_and_its_title_tells_how_full_it_is(bench: Bench) -> None:
    task = bench.spawn("[[full 100000]] begin")
    bench.shows(task, "idle")
    bench.until(lambda: (bench.row(task)["tokens"] or 0) >= 100_000, "its tokens")
    told = bench.row(task)["tokens"]
    says, used = CodexAdapter().read_title(title(bench, task))
    assert says == SaysIdle()
    assert isinstance(used, SaysUsage)
    assert used.context is not None
    assert 0.2 < used.context < 0.6

    bench.place.fleet("send", task, f"[[full 1000]] more ({task})")
    bench.heard(task, "more")
    bench.until(lambda: told + 1000 <= bench.row(task)["tokens"] < told + 2000, "more of them")
