"""What cannot be done is refused in one clear sentence, and leaves nothing half made."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from place import Place, Ran, marked
from waiting import until

GARBAGE = b"\x00\xff garbage {{{ \xf0\x28\n"


def clear(ran: Ran, code: int, *words: str) -> None:
    """See that a refusal says what is wrong and what to do, and is no traceback."""
    assert ran.code == code, ran
    assert "Traceback" not in ran.err
    first, hint, *_ = [*ran.err.splitlines(), ""]
    assert first.startswith("fleet: ")
    assert hint.strip() or "fleet.yaml:" in first, ran.err  # the line there says what is wrong
    assert all(word in ran.err for word in words), ran.err
    assert ran.out == ""


def nothing_made(place: Place, repo: Path) -> None:
    assert place.fleet("ls", "--all", "--json").json == []
    assert place.git("worktree", "list", "--porcelain", cwd=repo).count("worktree ") == 1
    refs = place.git("for-each-ref", "--format=%(refname)", cwd=repo).splitlines()
    assert [ref for ref in refs if "fleet/" in ref] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--target", "nope"), 1, "no branch nope"),
        (("--base", "nope"), 1, "no branch or commit nope"),
        (("--name", "a b"), 2, "'a b'"),
        (("--name", "../x"), 2, "'../x'"),
        (("--name=-x",), 2, "'-x'"),
        (("--name", ".x"), 2, "'.x'"),
        (("--name", "x.lock"), 2, "'x.lock'"),
        (("--agent", "nope"), 1, "known here: aider, claude"),
        (("--check", " "), 2, "a check is empty"),
        (("--after", "nope"), 1, "nope"),
        (("--timeout", "soon"), 2, "soon"),
        (("--attempts", "0"), 2, "0"),
        (("--nope",), 2, "--nope"),
        (("-p", ""), 2, "empty"),
    ],
)
def test_a_task_that_makes_no_sense(
    shared: Place, words: tuple[str, ...], code: int, said: str
) -> None:
    clear(shared.fleet("spawn", "-p", "true", *words, ok=None), code, said)

    nothing_made(shared, shared.repo)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "nope"), 1),
        (("stop", "nope"), 1),
        (("attach", "nope"), 2),  # no terminal is here
        (("approve", "nope"), 1),
        (("submit", "nope"), 1),
        (("submit", "main"), 1),
        (("wait", "nope"), 1),
        (("restore", "nope"), 1),
        (("nope",), 2),
        (("thaw",), 1),
        (("trust",), 1),
    ],
)
def test_a_command_about_nothing(shared: Place, words: tuple[str, ...], code: int) -> None:
    clear(shared.fleet(*words, ok=None), code)

    nothing_made(shared, shared.repo)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cheks: [a]\n", ('fleet.yaml:1: unknown key "cheks"', '"checks"')),
        ("target: main\nchecks: [a\nb: c: d\n", ("fleet.yaml:", ": this is not YAML")),
        ("checks: 3\n", ("fleet.yaml:1", "checks")),
        ("checks:\n  - name: x\n    run: ''\n", ("fleet.yaml", "run")),
        ("land: maybe\n", ("fleet.yaml:1", "auto")),
        ("\x00", ("fleet.yaml",)),
    ],
)
def test_a_broken_fleet_yaml(shared: Place, text: str, said: tuple[str, ...]) -> None:
    file = shared.repo / "fleet.yaml"
    file.write_text(text)

    clear(shared.fleet("spawn", "-p", "true", ok=None), 1, *said)

    file.unlink()
    nothing_made(shared, shared.repo)


def test_an_agent_whose_program_is_missing(shared: Place) -> None:
    shared.configure("agents:\n  absent:\n    command: [no-such-program, '{prompt}']\n")

    clear(shared.fleet("spawn", "-p", "x", "--agent", "absent", ok=None), 1, "no-such-program")

    shared.configure("")
    nothing_made(shared, shared.repo)


def test_no_repository(shared: Place) -> None:
    clear(shared.fleet("spawn", "-p", "true", ok=None, cwd=shared.root), 1, "git init")


@pytest.mark.parametrize("kind", [(), ("--bare",)])
def test_no_commit(shared: Place, kind: tuple[str, ...]) -> None:
    repo = shared.root / f"none{len(kind)}"
    shared.git("init", "-q", *kind, str(repo))

    clear(shared.fleet("spawn", "-p", "true", ok=None, cwd=repo), 1, "has no commit yet")


def test_a_bare_repository_is_worked_on_like_any_other(shared: Place) -> None:
    bare = shared.root / "bare.git"
    shared.git("clone", "-q", "--bare", str(shared.repo), str(bare))

    shared.fleet("spawn", "--name", "bare", "-p", "echo x >a", "--check", "true", cwd=bare)
    shared.fleet("wait", "bare", "--for", "review", "--timeout", "20s", cwd=bare)
    shared.fleet("approve", "bare", cwd=bare)
    shared.fleet("wait", "bare", "--timeout", "20s", cwd=bare)

    assert shared.file("a", cwd=bare) == "x\n"


def test_a_detached_head(place: Place) -> None:
    place.git("checkout", "-q", "--detach")

    clear(place.fleet("spawn", "-p", "true", ok=None), 1, "--target BRANCH")

    nothing_made(place, place.repo)
    place.spawn("one", "echo x >a", "--check", "true", "--land", "auto", "--target", "main")
    place.wait("one")


def test_a_branch_in_the_way(place: Place) -> None:
    place.git("branch", "fleet")

    clear(place.fleet("spawn", "-p", "true", ok=None), 1, "git branch -m fleet")

    nothing_made(place, place.repo)


def test_a_name_that_is_taken(place: Place) -> None:
    place.git("branch", "fleet/mine")
    place.spawn("one", "sleep 100")

    clear(place.fleet("spawn", "--name", "one", "-p", "true", ok=None), 1, "taken by a task")
    clear(place.fleet("spawn", "--name", "mine", "-p", "true", ok=None), 1, "branch fleet/mine")


def test_a_check_that_cannot_start_is_red(place: Place) -> None:
    place.spawn("one", "echo x >a", "--check", "/no/such/check")

    row = place.becomes("one", "failed")

    assert "check-1" in row["needs"]
    assert "/no/such/check" in place.fleet("log", "one", "--check", "check-1").out


def test_garbage_is_survived_and_reported(place: Place) -> None:
    place.spawn("one", "sleep 100")
    place.becomes("one", "working")
    runs = place.home.root / "tasks" / "one" / "runs" / "1"
    for name in ("exit.json", "started.json"):
        (runs / name).write_bytes(GARBAGE)
    (place.root / "report").write_bytes(GARBAGE)
    (place.root / "report").rename(place.home.spool / "1.1")  # as hooks do
    (place.home.spool / "2.2").mkdir()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(place.home.socket()))
        connection.sendall(GARBAGE)
        assert b"cannot understand" in connection.recv(1000)

    until(lambda: "on the socket" in _complaints(place))
    until(lambda: "in the spool: 1.1" in _complaints(place))
    place.fleet("stop", "one")
    place.becomes("one", "stopped")


def _complaints(place: Place) -> str:
    return "\n".join(place.fleet("status", "--json").json["degraded"])


def test_a_home_of_another_machine_or_a_newer_version(place: Place) -> None:
    place.fleet("up")
    place.fleet("down")
    known = json.loads(place.home.identity.read_bytes())

    place.home.identity.write_text(json.dumps(known | {"machine": "f" * 32}))
    clear(place.fleet("ls", ok=None), 1, "belongs to another machine")
    place.home.identity.write_text(json.dumps(known | {"format": 99}))
    clear(place.fleet("ls", ok=None), 1, "newer fleet")
    place.home.identity.write_bytes(GARBAGE)
    clear(place.fleet("ls", ok=None), 1, "home.json")
    place.home.identity.write_text(json.dumps(known))
    place.fleet("ls")


def test_a_home_that_cannot_be_made(place: Place) -> None:
    (place.root / "file").write_text("")

    said = place.fleet("ls", ok=None, env={"FLEET_HOME": f"{place.root}/file/home"})

    clear(said, 1, "FLEET_HOME")


def test_without_tmux(place: Place) -> None:
    tools = place.root / "bin"
    tools.mkdir()
    for name in ("git", "sh", "env", "sleep", "python"):
        found = place.run("sh", "-c", f"command -v {name}").out.strip()
        (tools / name).symlink_to(found)
    env = {"PATH": str(tools)}

    place.fleet("spawn", "--name", "one", "-p", "echo x >a", env=env)
    row = until(lambda: (row := place.show("one"))["reason"] and row)

    assert "tmux is not installed" in row["reason"]
    assert "tmux" in place.fleet("why", "one", env=env).out
    assert "tmux" in place.fleet("doctor", ok=None, env=env).out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk(place: Place) -> None:
    small = place.root / "small"
    small.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", str(small)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount")
    env = {"FLEET_HOME": str(small / "fleet")}
    try:
        place.fleet("up", env=env)
        (small / "ballast").write_bytes(b"x" * (os.statvfs(small).f_bavail * 4096 - 8192))
        large = "x" * 100_000
        clear(place.fleet("spawn", "-p", f"echo {large}", ok=None, env=env), 1, "full")
        (small / "ballast").unlink()
        assert place.fleet("ls", "--all", "--json", env=env).json == []
    finally:
        (small / "ballast").unlink(missing_ok=True)
        place.fleet("down", "--stop-agents", ok=None, env=env)
        until(lambda: not marked([str(small)]))
        subprocess.run(["umount", small], check=True)
