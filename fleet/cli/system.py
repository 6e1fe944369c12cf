"""The supervisor itself: up, down, status; and doctor, which needs none."""

from typing import Any

import click
from msgspec import DecodeError, json

from fleet import paths
from fleet.cli.common import examples, json_option, repository_root, supervisor
from fleet.cli.output import Cell, Output, Style, emit, say
from fleet.cli.text import count
from fleet.client.programs import fleet_module
from fleet.client.starting import ended
from fleet.errors import FleetError, NoSupervisorError, TimedOutError
from fleet.protocol import Shutdown, Status

_GONE_S = 20.0
_SHOWN = 30  # names of tasks
# What was at work when the supervisor began: what has become of it.
_FOUND = {
    "alive": "went on meanwhile",
    "ended": "ended meanwhile",
    "resumed": "brought back, in the same conversation",
    "afresh": "brought back, afresh",
}
_NO_SUPERVISOR = NoSupervisorError.exit_code
_MARKS: dict[str, tuple[str, Style]] = {
    "ok": ("ok   ", "good"),
    "note": ("note ", "wanted"),
    "wrong": ("wrong", "bad"),
}


@click.command(epilog=examples("fleet up"))
@json_option
def up(*, as_json: bool) -> None:
    """Start the supervisor, which takes up again what it finds; a second one is never started."""
    with supervisor() as client:
        known = client.supervisor
        found: list[dict[str, str]] = client.ask(Status()).get("found") or []
    if as_json:
        emit({**known, "found": found})
        return
    say(f"the supervisor runs: process {known['pid']}, version {known['version']}")
    for how, words in _FOUND.items():
        tasks = [it["task"] for it in found if it["how"] == how]
        if tasks:
            say(f"{count(len(tasks), 'task')} {words}: {_some(tasks)}")


@click.command(epilog=examples("fleet down", "fleet down --stop-agents"))
@click.option("--stop-agents", is_flag=True, help="Stop every agent first.")
@json_option
def down(*, stop_agents: bool, as_json: bool) -> None:
    """End the supervisor; agents go on, and the next up takes them over."""
    with supervisor(start=False) as client:
        stream = client.stream(Shutdown(stop_agents=stop_agents))
        for sentence in stream:
            say(str(sentence))
    if not ended(paths.home(), within=_GONE_S):
        raise TimedOutError("the supervisor has not ended yet", hint="type: fleet status")
    answer: dict[str, Any] = stream.result or {}
    if as_json:
        emit(answer)
        return
    stopped = count(int(answer.get("stopped", 0)), "agent")
    say(f"{stopped} stopped, and the supervisor" if stop_agents else "the supervisor has ended")


@click.command(epilog=examples("fleet status", "fleet status --json | jq .tasks"))
@json_option
@click.pass_obj
def status(out: Output, *, as_json: bool) -> None:
    """Show the supervisor, its repositories, and how many tasks stand where."""
    with supervisor(start=False) as client:
        answer = client.ask(Status())
    if as_json:
        emit(answer)
        return
    tasks = ", ".join(f"{number} {name}" for name, number in answer["tasks"].items())
    process = f"process {answer['pid']}, version {answer['version']}"
    for label, value in (
        ("supervisor", f"{process}, since {answer['started_at']}"),
        ("home", answer["home"]),
        ("socket", answer["socket"]),
        ("tmux", answer["tmux_socket"]),
        ("slots", f"{answer['slots']['used']} of {answer['slots']['all']} in use"),
        ("tasks", tasks or "none"),
    ):
        out.line(Cell(f"{label:12}", "quiet"), str(value))
    for repo in answer["repos"]:
        _repository(out, repo)
    for sentence in answer["degraded"]:
        out.line(Cell(f"! {sentence}", "wanted"))


def _repository(out: Output, repo: dict[str, Any]) -> None:
    targets = ", ".join(repo["targets"])
    pool = ", ".join(f"{number} {state}" for state, number in repo["slots"].items())
    out.line(
        Cell(f"{'repository':12}", "quiet"),
        f"{repo['root']} into {targets}",
        Cell(f"  workspaces: {pool or 'none'}", "quiet"),
    )
    for target, reason in repo["frozen"].items():
        out.line(Cell(f"{'':12}the queue of {target} is frozen: {reason}", "bad"))


@click.command(epilog=examples("fleet doctor", "fleet doctor --json"))
@json_option
@click.pass_obj
def doctor(out: Output, *, as_json: bool) -> int:
    """Check this machine, the fleet home and the repository around you.

    Exits with 1 where something is wrong, and else with 3 where no supervisor runs.
    """
    home, root = paths.home(), repository_root()
    where = [] if root is None else [str(root)]
    _, text, said = fleet_module("fleet.supervisor.doctor", "--json", *where, home=home)
    try:
        findings: list[dict[str, Any]] = json.decode(text)
    except DecodeError as error:
        raise FleetError(f"the checks could not be run: {said.strip() or error}") from error
    running = _supervisor_finding()
    findings.append(running)
    if as_json:
        emit(findings)
    else:
        for finding in findings:
            _finding(out, finding)
    if any(finding["state"] == "wrong" for finding in findings):
        return 1
    return 0 if running["state"] == "ok" else _NO_SUPERVISOR


def _some(tasks: list[str]) -> str:
    more = len(tasks) - _SHOWN
    return ", ".join(tasks[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _supervisor_finding() -> dict[str, Any]:
    found: dict[str, Any] = {"name": "supervisor", "state": "ok", "hint": None}
    try:
        with supervisor(start=False) as client:
            return found | {"says": f"process {client.supervisor['pid']} answers"}
    except NoSupervisorError as error:
        return found | {"state": "note", "says": "none runs", "hint": error.hint}
    except FleetError as error:
        return found | {"state": "wrong", "says": error.message, "hint": error.hint}


def _finding(out: Output, finding: dict[str, Any]) -> None:
    mark, style = _MARKS[finding["state"]]
    out.line(Cell(mark, style), Cell(f"  {finding['name']:13}", "strong"), finding["says"])
    if finding["hint"]:
        out.line(Cell(f"{'':20}{finding['hint']}", "quiet"))


COMMANDS = (up, down, status, doctor)
