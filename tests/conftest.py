"""Every test has a home of its own and sees nothing of the user's git, tmux or fleet."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `waiting` and other helpers beside this file

# A shell without job control starts us in the background with this ignored, and so would be
# every program whose obedience to Ctrl-C is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)

_LEAKS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "TMUX", "TMUX_PANE", "XDG_RUNTIME_DIR"),
    *("XDG_STATE_HOME", "XDG_CONFIG_HOME", "FLEET_HOME", "FLEET_TASK", "FLEET_RUN", "NO_COLOR"),
)


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in _LEAKS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why a test had to be tried again: the plugin that does so keeps it to itself."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"tried again: {report.nodeid} ({report.when})")
        terminalreporter.write_line(report.longreprtext)
