"""A signal ends the dashboard, also one that cannot leave any more."""

import signal
import subprocess
import sys

import pytest

STUCK = """\
import asyncio, os, time
from fleet.tui import leaving

class Stuck:
    loop = asyncio.new_event_loop()
    visiting = False
    def exit(self, result):
        print("told", result, flush=True)
        while True:
            time.sleep(60)

leaving._PATIENCE_S = 0.1
with leaving.leaving(Stuck()):
    Stuck.loop.call_soon(os.kill, os.getpid(), {signal})
    Stuck.loop.run_forever()
"""

LEAVES = """\
import os, signal
from fleet.tui import leaving

class Leaves:
    loop = None
    visiting = False

leaving._PATIENCE_S = 0.1
try:
    with leaving.leaving(Leaves()):
        os.kill(os.getpid(), signal.SIGTERM)
except SystemExit as left:
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0), "what comes now has its time"
    raise
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_cannot_leave_is_ended(number: signal.Signals) -> None:
    ended = run(STUCK.replace("{signal}", str(int(number))))
    assert ended.stdout.split() == ["told", str(128 + number)], ended.stderr
    assert ended.returncode == -signal.SIGALRM


def test_who_has_left_is_not_ended() -> None:
    ended = run(LEAVES)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr
