"""`fleet demo` at a terminal: the dashboard with agents to watch and to answer, then nothing."""

from contextlib import chdir

from fleet.cli.dashboard import placing, settings
from fleet.cli.demo import spawn, tell_way
from fleet.cli.demo_guests import GUESTS, SCRIPTS, configuration
from fleet.cli.demo_stage import Stage, stage
from fleet.cli.demo_tips import tip
from fleet.cli.output import Waiting, say
from fleet.client import Client
from fleet.paths import user_config
from fleet.tui.app import run


def main(*, keep: bool) -> int:
    """Show the dashboard until the person leaves it; return the exit code."""
    # A person's own keys and colours, which the stage keeps out.
    wanted, own = settings(), placing(user_config())
    with stage(keep=keep) as place:
        _hire(place)
        waiting = Waiting("starting the supervisor and its agents")
        try:
            with Client.connect(place.home, start=True) as client:
                spawn(client, place, GUESTS)
        finally:
            waiting.clear()
        with chdir(place.repository), own:
            code = run(place.home, wanted, tip=tip)
        if keep:
            tell_way(place)
        else:
            say("the demonstration ends; its agents and files are being removed")
    return code


def _hire(place: Stage) -> None:
    """Let the stage's configuration know the agents that want to be answered."""
    folder = place.root / "agents"
    folder.mkdir()
    for name, script in SCRIPTS.items():
        (folder / name).write_text(script)
    file = place.config / "fleet" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(configuration(str(folder)))
