"""A supervisor's working life: what is found at the start, who listens, and how it ends."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fleet import paths
from fleet.core.model import Repo
from fleet.errors import FleetError, HomeError
from fleet.supervisor.exit_codes import CRASHED, DONE, RESTART
from fleet.supervisor.host import Host
from fleet.supervisor.keeper import ensure_keeper
from fleet.supervisor.probes.exits import Exits
from fleet.supervisor.probes.presence import Presences
from fleet.supervisor.probes.spool import Spool
from fleet.supervisor.probes.targets import Targets
from fleet.supervisor.probes.vitals import Vitals
from fleet.supervisor.returning import take_stock
from fleet.supervisor.server import Server
from fleet.tools.git.repository import branch_tip
from fleet.tools.processes.fence import fence_check

_TARGETS_EVERY_S = 0.5
_RADAR_EVERY_S = 0.5
_PULLS_EVERY_S = 0.5
_PULSE_EVERY_S = 1.0
_PRESENCE_EVERY_S = 0.2
_GLANCE_EVERY_S = 0.25  # while a screen is open
_KEEPER_EVERY_S = 1.0
_HOME_EVERY_S = 1.0
_ANSWER_S = 0.05  # for the answer to a client to get out before we end


async def run(host: Host, ended: asyncio.Event) -> int:
    """Serve until `ended` is set, a client asks for the end, or an internal error strikes."""
    codes = [DONE]

    def restart() -> None:
        codes.append(RESTART)
        asyncio.get_running_loop().call_later(_ANSWER_S, ended.set)

    def down() -> None:
        host.home.down.touch()  # the wish is on disk before we end, or the keeper undoes it
        ended.set()

    def give_up(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Whatever fails in a callback or a task of its own is as unknown as it is anywhere."""
        loop.default_exception_handler(context)  # to the log, with its traceback
        codes.append(CRASHED)
        ended.set()

    asyncio.get_running_loop().set_exception_handler(give_up)
    await asyncio.to_thread(end_stray_checks, host.home, host.tools.home_id)
    await asyncio.to_thread(_read_policies, host)
    host.supervisor.on_crash = ended.set
    server = Server(host, on_down=down, on_restart=restart)
    await server.open()
    try:
        await _live(host, ended)
    finally:
        await server.close()
    return codes[-1]


async def _live(host: Host, ended: asyncio.Event) -> None:
    take_stock(host)
    with _watching(host):
        host.supervisor.reconcile_soon()
        try:
            await _beat_until(host, ended)
        finally:
            await asyncio.to_thread(host.pulls.close)


@contextlib.contextmanager
def _watching(host: Host) -> Iterator[None]:
    """Notice the end of runs and the reports of agents."""
    exits, spool = Exits(host), Spool(host)
    spool.open()
    exits.sync()
    forget = host.supervisor.watch(lambda _: exits.sync())
    forget_spool = host.supervisor.watch(spool.sync)
    try:
        yield
    finally:
        forget()
        forget_spool()
        exits.close()
        spool.close()


async def _beat_until(host: Host, ended: asyncio.Event) -> None:
    """Look at targets, panes and keeper until told to end; an unknown failure ends us loudly."""
    lock, vitals = host.home.supervisor_lock.stat(), Vitals(host)
    looks = (
        (_HOME_EVERY_S, lambda: asyncio.to_thread(_require_home, host.home, lock)),
        (_TARGETS_EVERY_S, Targets(host).look),
        (_RADAR_EVERY_S, host.radar.look),
        (_PULLS_EVERY_S, host.pulls.look),
        (_PULSE_EVERY_S, vitals.beat),
        (_GLANCE_EVERY_S, vitals.glance),
        (_PRESENCE_EVERY_S, Presences(host).look),
        (_KEEPER_EVERY_S, lambda: asyncio.to_thread(ensure_keeper, host.home)),
    )
    end = asyncio.create_task(ended.wait())
    beats = [asyncio.create_task(_every(seconds, look)) for seconds, look in looks]
    done, _ = await asyncio.wait([end, *beats], return_when=asyncio.FIRST_COMPLETED)
    for task in (end, *beats):
        task.cancel()
    for task in done:
        task.result()


def _require_home(home: paths.Home, lock: os.stat_result) -> None:
    """See that the home is still the one we hold the lock of: it may be removed under us.

    Raises:
        HomeError: it is gone; going on would make it anew, with another supervisor in it.
    """
    try:
        now = home.supervisor_lock.stat()
    except OSError:
        now = None
    if now is None or (now.st_dev, now.st_ino) != (lock.st_dev, lock.st_ino):
        raise HomeError(f"the fleet home {home.root} was removed while it was in use")


async def _every(seconds: float, look: Callable[[], Awaitable[None]]) -> bool:
    while True:
        await look()
        await asyncio.sleep(seconds)


def end_stray_checks(home: paths.Home, home_id: str) -> None:
    """End what checks of a supervisor that was killed left running: nobody waits for them."""
    alive = sorted((home.root / "tasks").glob("*/checks/*.alive"))
    fence_check(f"{home_id}:", alive=alive)
    for file in alive:
        with contextlib.suppress(OSError):
            os.unlink(file)  # noqa: PTH108


def _read_policies(host: Host) -> None:
    for repo in host.supervisor.fleet.repos.values():
        for target in repo.tips:
            try:
                _read_policy(host, repo, target)
            except FleetError as error:
                host.tools.policies.complaints[repo.id, target] = error.message


def _read_policy(host: Host, repo: Repo, target: str) -> None:
    place = host.tools.place(repo)
    tip = branch_tip(place, target)
    if tip is not None:
        host.tools.policies.keep(repo.id, target, host.tools.policies.read(place, tip))
