"""A person's own tmux: one window more, and nothing else."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import libtmux
import psutil
import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux.outer import open_in_user_tmux, prefix_of
from fleet.tools.tmux.server import _ends

TELL = "import json,sys; open(sys.argv[1],'w').write(json.dumps(sys.argv[2:])); input()"


@pytest.fixture
def theirs(short: Path) -> Iterator[libtmux.Server]:
    server = libtmux.Server(socket_path=short / "with,comma", config_file="/dev/null")
    server.new_session("other")
    server.new_session("mine")
    [pid] = server.cmd("display-message", "-p", "#{pid}").stdout
    yield server
    process = psutil.Process(int(pid))
    server.kill()
    assert _ends(process, 10)


@pytest.fixture
def user_tmux(theirs: libtmux.Server, short: Path) -> str:
    return f"{short}/with,comma,123,1"


def test_a_window_opens_where_the_person_is(
    theirs: libtmux.Server, user_tmux: str, short: Path
) -> None:
    words = ["attach", "a b", ";", "end;", "#(touch x)"]

    open_in_user_tmux(
        user_tmux, [sys.executable, "-c", TELL, str(short / "out"), *words], title="fix #(touch x);"
    )

    until(lambda: (short / "out").exists() and (short / "out").read_text())
    assert json.loads((short / "out").read_text()) == words
    mine = theirs.sessions.get(session_name="mine")
    other = theirs.sessions.get(session_name="other")
    assert mine
    assert other
    assert [window.window_name for window in mine.windows][1:] == [
        "fix \N{FULLWIDTH NUMBER SIGN}(touch x);"
    ]
    assert len(other.windows) == 1


def test_their_prefix_is_read(theirs: libtmux.Server, user_tmux: str) -> None:
    assert prefix_of(user_tmux) == "C-b"
    theirs.cmd("set-option", "-g", "prefix", "C-q")
    assert prefix_of(user_tmux) == "C-q"
    assert prefix_of(None) is None


def test_a_tmux_that_is_gone_is_told(short: Path) -> None:
    with pytest.raises(ToolError, match="your tmux refused"):
        open_in_user_tmux(f"{short}/gone,1,0", ["true", "x"], title="t")
    assert prefix_of(f"{short}/gone,1,0") is None
    assert not (short / "gone").exists()


def test_nonsense_in_the_environment_is_refused() -> None:
    with pytest.raises(ToolError, match="not what tmux sets"):
        open_in_user_tmux("nonsense", ["true"], title="t")


def test_a_missing_tmux_is_told(
    user_tmux: str, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(short))
        with pytest.raises(ToolError, match="cannot speak to your tmux"):
            open_in_user_tmux(user_tmux, ["true"], title="t")
