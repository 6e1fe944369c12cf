"""A diff is exact for programs, readable for people, and says what fleet itself committed."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor
from wire_samples import BASE, HEAD

from fleet.cli.output import Output
from fleet.cli.review import painted

PATCH = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new \x1b[2J\n same\n"
STAT = " x | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n"
DIFF = {"task": "importer", "head": HEAD, "base": BASE, "stat": STAT, "patch": PATCH}


def test_in_a_pipe_the_patch_is_exact(fake: FakeSupervisor) -> None:
    fake.answers["diff"] = DIFF
    argv = [sys.executable, "-m", "fleet", "diff", "importer"]
    done = subprocess.run(argv, capture_output=True, check=True)
    assert done.stdout == PATCH.encode()
    assert done.stderr == b"importer 0a0b0c0d..3f1c2ab9: 1 file, +1 -1\n"


def test_work_that_fleet_committed_is_said(fake: FakeSupervisor) -> None:
    fake.answers["diff"] = DIFF | {"auto_commit": True, "stat": ""}
    argv = [sys.executable, "-m", "fleet", "diff", "importer"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "0 files, +0 -0, with uncommitted work that fleet committed" in done.stderr


def test_on_a_terminal_it_is_paged_in_colours_of_ours(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(80)
    paged: list[tuple[str, bool]] = []
    monkeypatch.setattr("click.echo_via_pager", lambda text, color: paged.append((text, color)))
    monkeypatch.delenv("LESS", raising=False)
    fake.answers["diff"] = DIFF
    run("diff", "importer")
    text, colours = paged[0]
    assert colours
    assert text.startswith("importer 0a0b0c0d..3f1c2ab9: 1 file, +1 -1\n\n")
    assert "\x1b[32m+new \x1b[0m" in text
    assert "\x1b[31m-old\x1b[0m" in text
    assert "\x1b[2J" not in text


def test_without_colours_a_patch_is_plain() -> None:
    out = Output(terminal=True, colours=False, columns=80)
    assert painted(out, PATCH) == PATCH.replace("\x1b[2J", "")


def test_json_is_the_whole_diff(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["diff"] = DIFF
    assert json.loads(run("diff", "importer", "--json").out) == DIFF
