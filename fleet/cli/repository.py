"""A repository's own settings: write a first `fleet.yaml`, and trust the one that is there."""

from pathlib import Path

import click

from fleet.cli.common import ask, confirm, examples, here, json_option, repository_root
from fleet.cli.output import emit, say
from fleet.client.environment import without_tmux
from fleet.client.programs import program
from fleet.core.commands import Trust, TrustAgents
from fleet.errors import RefusedError, UsageError


@click.command(epilog=examples("fleet init", "fleet init --dry-run"))
@click.option("--dry-run", is_flag=True, help="Only print what would be written.")
@json_option
def init(*, dry_run: bool, as_json: bool) -> None:
    """Write a fleet.yaml after looking at the repository around you."""
    root = repository_root()
    if root is None:
        raise UsageError(f"{here()} is not in a git repository", hint="type: cd REPOSITORY")
    file, text = root / "fleet.yaml", _suggestion(root)
    if dry_run:
        print(text, end="")
        return
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise RefusedError(f"{file} is there already", hint="edit it by hand") from error
    except OSError as error:
        raise RefusedError(f"cannot write {file}: {error.strerror}") from error
    if as_json:
        emit({"path": str(file)})
    else:
        print(file)
        say("read it, commit it, then type: fleet trust")


def _suggestion(root: Path) -> str:
    from fleet.config import suggest  # noqa: PLC0415 (it loads YAML)

    listed = program(
        *("git", "ls-files", "-z", "--", ":(glob)*"), cwd=root, environment=without_tmux()
    )
    names = [entry.name for entry in root.iterdir()]
    return suggest(
        names,
        lambda name: (root / name).read_text(encoding="utf-8"),
        tracked=listed.split("\0"),
    )


@click.command(
    epilog=examples(
        "fleet trust",
        "fleet trust --digest 9f86d081...",
        "fleet trust --agents",
        "fleet trust --agents --revoke",
    )
)
@click.option("--digest", metavar="SHA256", help="Only if this is the file's content.")
@click.option(
    "--agents",
    is_flag=True,
    help="Let agents be told that this repository is trusted, so that none of them asks.",
)
@click.option("--revoke", is_flag=True, help="With --agents: let them be told so no more.")
@json_option
def trust(*, digest: str | None, agents: bool, revoke: bool, as_json: bool) -> None:
    """Let the commands of this repository's fleet.yaml run, as the file is now."""
    if agents:
        _trust_agents(as_json=as_json, alone=digest is None, revoke=revoke)
        return
    if revoke:
        raise UsageError("--revoke goes with --agents", hint="fleet trust --agents --revoke")
    answer = ask(Trust(cwd=here(), digest=digest))
    known = answer.get("digest") if isinstance(answer, dict) else None
    confirm(answer, f"fleet.yaml is trusted as it is now: {known or digest}", as_json=as_json)


def _trust_agents(*, as_json: bool, alone: bool, revoke: bool) -> None:
    if not alone:
        raise UsageError("--agents trusts no file", hint="leave --digest out")
    answer = ask(TrustAgents(cwd=here(), revoke=revoke))
    said = "agents that start from now on may trust this repository"
    if revoke:
        said = "agents that start from now on are told nothing; what is in their files stays"
    confirm(answer, said, as_json=as_json)


COMMANDS = (init, trust)
