"""Ends all runs of a home that no supervisor serves: `python -m fleet.supervisor.sweep HOME`.

It holds the supervisor's lock all the while, and records that every task is to be stopped before
it ends the first process: so nothing starts what it ends, now or later.
"""

import contextlib
import os
import sys
from pathlib import Path

from fleet import paths
from fleet.core.commands import StopAll
from fleet.core.decide import PERSON, decide
from fleet.core.model import Fleet
from fleet.core.reducer import reduce
from fleet.errors import FleetError, RefusedError
from fleet.home import open_home
from fleet.ledger import Ledger
from fleet.supervisor.host import now
from fleet.supervisor.keeper import locked
from fleet.supervisor.perform.launching import GRACE_S
from fleet.supervisor.running import end_stray_checks
from fleet.tools.processes.fence import fence
from fleet.tools.processes.marks import clean_environment
from fleet.tools.tmux.server import Server as TmuxServer


def main(root: str) -> int:
    """End what runs in the home `root`, say how much that was, and return 0 if all is gone."""
    home = paths.Home(Path(root))
    if not home.identity.exists():
        return 0  # no supervisor was ever here
    try:
        ended = _sweep(home)
    except FleetError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 (for the client that started us)
        return error.exit_code
    print(f"no supervisor runs; {ended} processes of its agents were ended")  # noqa: T201 (as above)
    return 0


def _sweep(home: paths.Home) -> int:
    identity = open_home(home)
    home.down.touch()  # or a keeper that pauses after a crash would start a supervisor
    with locked(home.supervisor_lock, wait=False) as admitted:
        if not admitted:
            raise RefusedError("a supervisor has just started")
        with contextlib.ExitStack() as after:
            _intend(home, after)
            ended = _end(home, identity.id)
    return ended


def _intend(home: paths.Home, after: contextlib.ExitStack) -> None:
    """Record that all is to be stopped; where that cannot be, complain once all has ended."""
    try:
        with contextlib.closing(Ledger.open(home.ledger)) as ledger:
            fleet = Fleet()
            for entry in ledger.entries():
                fleet = reduce(fleet, entry)
            ledger.append(decide(fleet, StopAll()).events, at=now(), actor=PERSON)
    except FleetError as error:
        after.callback(_complain, error)


def _complain(error: FleetError) -> None:
    raise RefusedError(f"all agents are stopped; the next start resumes them, for {error.message}")


def _end(home: paths.Home, home_id: str) -> int:
    runs = [paths.RunDir(path) for path in (home.root / "tasks").glob("*/runs/*")]
    fenced = fence(f"{home_id}:", rundirs=runs, grace_s=GRACE_S)
    end_stray_checks(home, home_id)
    tmux = TmuxServer(
        home.tmux_socket(), conf=home.root / "tmux.conf", env=clean_environment(os.environ)
    )
    tmux.stop()
    home.socket().unlink(missing_ok=True)
    return fenced.ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
