"""The supervisor's process: `python -m fleet.supervisor HOME`, started by its keeper."""

import asyncio
import contextlib
import os
import signal
import sys
import traceback
from pathlib import Path

import fleet
from fleet import paths
from fleet.errors import FleetError, RefusedError, ToolError
from fleet.home import open_home
from fleet.ledger import Ledger
from fleet.supervisor.exit_codes import CRASHED, DONE, REFUSED, RUNS_ALREADY
from fleet.supervisor.host import Host, Vitals, circumstances, now
from fleet.supervisor.keeper import locked
from fleet.supervisor.loop import Supervisor
from fleet.supervisor.perform import RealWorld
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.policies import Policies
from fleet.supervisor.running import run
from fleet.tools.processes.marks import clean_environment
from fleet.tools.tmux.input import Keyboard
from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.server import Server as TmuxServer


def main(root: str) -> int:
    """Run the supervisor of the home `root` until it is told to end; return its exit code."""
    home = paths.Home(Path(root))
    environment = clean_environment(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        identity = open_home(home)
        with locked(home.supervisor_lock, wait=False) as admitted:
            if not admitted:
                return RUNS_ALREADY
            if home.down.exists():
                return DONE  # its keeper was started just before the wish to stay down
            with contextlib.closing(Ledger.open(home.ledger)) as ledger:
                return asyncio.run(_run(home, identity.id, ledger))
    except (ToolError, RefusedError):
        traceback.print_exc()  # nothing of what may fail on the way is a reason to stay down
        return CRASHED
    except FleetError as error:
        hint = f"\n       {error.hint}" if error.hint else ""
        print(f"fleet: {error.message}{hint}", file=sys.stderr)  # noqa: T201 (to the log)
        return REFUSED


async def _run(home: paths.Home, home_id: str, ledger: Ledger) -> int:
    policies = Policies()
    policies.read_user()
    tmux = TmuxServer(home.tmux_socket(), conf=home.root / "tmux.conf", env=dict(os.environ))
    panes = Panes(tmux)
    vitals = Vitals()
    tools = Tools(
        home=home,
        home_id=home_id,
        panes=panes,
        keyboard=Keyboard(panes),
        policies=policies,
        note_garbage=vitals.note_garbage,
    )
    world = RealWorld(tools)
    supervisor = Supervisor(ledger, world, now=now, given=lambda: circumstances(tools, vitals))
    host = Host(home, tools, vitals, supervisor, started_at=now(), version=fleet.__version__)
    ended = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, ended.set)
    code = await run(host, ended)
    await supervisor.close()
    host.radar.close()
    world.close()
    tmux.disconnect()
    return CRASHED if supervisor.crashed else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
