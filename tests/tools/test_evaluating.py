"""Measuring in a process of its own: whatever a change holds, a report comes of it, in time."""

import os
import sys
import threading
import time
from pathlib import Path

import measured
import psutil
import pytest

from fleet.core.assessment import NOT_REACHED, Request
from fleet.tools.evaluating import measure


def request(root: Path, before: measured.Files, after: measured.Files, **more: float) -> Request:
    base, sealed = measured.commit(root, before), measured.commit(root, after)
    return Request(git_dir=str(root / ".git"), base=base, sealed=sealed, **more)  # type: ignore[arg-type]


def test_a_change_is_measured(tmp_path: Path) -> None:
    asked = request(
        tmp_path, {"a.py": "x = 1\n"}, {"a.py": "def f():\n    pass\n", "uv.lock": "1\n"}
    )

    report = measure(asked, stop=threading.Event())

    assert (report.lines, report.files, report.generated_lines) == (3, 1, 1)
    assert [it.text for it in report.names.first] == ["f"]
    assert [it.path for it in report.gates.first] == ["uv.lock"]
    assert report.complexity.after == 1
    assert report.unknown == ()


def test_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    asked = request(tmp_path, {"a": "1"}, {"a": "2"})

    report = measure(Request(git_dir=asked.git_dir, base=asked.base, sealed="0" * 40), stop=NEVER)

    (why,) = report.unknown
    assert why.startswith("the whole change: git diff-tree")


NEVER = threading.Event()


@pytest.mark.parametrize(
    ("name", "held"),
    [
        pytest.param("deep.py", "(" * 100_000 + ")" * 100_000, id="deep Python"),
        pytest.param("deep.json", "[" * 900_000, id="deep JSON"),
        pytest.param("package.json", "{" * 900_000, id="a deep manifest"),
        pytest.param("pyproject.toml", "[" + "a." * 100_000 + "a]\n", id="a deep table"),
        pytest.param("long.js", "a" * 1_000_000, id="a long line"),
        pytest.param("many.js", "f(function(){" * 60_000, id="deep JavaScript"),
        pytest.param("empty.go", "\0" * 1000, id="binary"),
        pytest.param(
            "tests/test_x.py", "assert " + "x" * 100_000 + " == " + "x" * 99_999, id="test"
        ),
    ],
)
def test_hostile_files_hurt_nobody(tmp_path: Path, name: str, held: str) -> None:
    asked = request(tmp_path, {"a": "1"}, {name: held, "src/good.py": "x = 1\n"}, seconds=3)

    report = measure(asked, stop=NEVER, leeway_s=3)

    assert report.files + (report.test_lines > 0) == 2
    assert not any(NOT_REACHED in why for why in report.unknown)


def test_what_takes_too_long_is_ended_and_the_rest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path, {"a": "1"}, {"b.py": "x = 1\n"}, seconds=10)
    hanging(tmp_path, monkeypatch, "import time; time.sleep(600)")

    begun = time.monotonic()
    report = measure(asked, stop=NEVER, leeway_s=0)

    assert report.files == 1
    assert report.unknown == ("complexity: it took too long", "duplicates: it took too long")
    assert time.monotonic() - begun < 60
    assert children() == []


def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let a library of that name, which is loaded late, be this code."""
    place = tmp_path / "lib"
    place.mkdir()
    (place / "lizard.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(place))


def children() -> list[int]:
    return [it.pid for it in psutil.Process(os.getpid()).children(recursive=True)]


def test_a_process_that_is_killed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(tmp_path, {"a": "1"}, {"b.py": "x = 1\n"})
    hanging(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 9)")

    report = measure(asked, stop=NEVER)

    assert report.unknown[0] == "complexity: it was killed by signal 9"


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(tmp_path, {"a": "1"}, {"b.py": "x = 1\n"})
    hanging(tmp_path, monkeypatch, "x = bytearray(2 << 30)")

    assert measure(asked, stop=NEVER).unknown == ("complexity: MemoryError",)


def test_it_is_stopped_where_nobody_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = request(tmp_path, {"a": "1"}, {"b.py": "x = 1\n"})
    hanging(tmp_path, monkeypatch, "import time; time.sleep(600)")
    stop = threading.Event()
    stop.set()

    measure(asked, stop=stop)

    assert children() == []


def test_a_program_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    report = measure(Request(git_dir="/", base="a", sealed="b"), stop=NEVER)

    assert report.unknown == (
        "the whole change: it could not be started: No such file or directory",
    )
