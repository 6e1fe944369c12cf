"""A client that is told of drawing sees all of it, and can neither slow nor change an agent."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux.panes import Pane, Panes
from fleet.tools.tmux.push import Push

FLOOD = 20_000  # lines
SECONDS = 4


def opened(panes: Panes, *argv: str) -> Pane:
    return panes.open(session="a", run="home:a:1:x", cwd=Path("/"), argv=argv)


@contextmanager
def pushed(panes: Panes, pane: Pane) -> Iterator[Push]:
    push = panes.push(panes.drawn(pane.pane_id))
    try:
        yield push
    finally:
        push.close()


def settle(push: Push) -> None:
    """Take what tmux has to say just now."""
    while select.select([push], [], [], 0.2)[0] and not push.ended:
        push.drawn()


def noticed(push: Push) -> bool:
    return bool(select.select([push], [], [], 0)[0]) and push.drawn()


def type_(panes: Panes, pane: Pane, text: str) -> None:
    panes.server.connection().command("send-keys", "-l", "-t", pane.pane_id, text)


def test_it_is_told_of_what_is_drawn_and_of_the_end(panes: Panes) -> None:
    pane = opened(panes, "cat")
    with pushed(panes, pane) as push:
        settle(push)
        assert not push.drawn()
        type_(panes, pane, "x")
        until(lambda: noticed(push))
        assert not push.ended
        panes.close(pane.pane_id, run="home:a:1:x")
        until(lambda: noticed(push) and push.ended)


def test_what_another_pane_draws_is_no_news(panes: Panes) -> None:
    pane = opened(panes, "cat")
    tmux = panes.server.connection()
    [other] = tmux.command(
        "split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane.pane_id, "cat"
    )
    with pushed(panes, pane) as push:
        settle(push)
        tmux.command("send-keys", "-l", "-t", other, "x")
        assert select.select([push], [], [], 10)[0]
        assert not push.drawn()


def test_what_tmux_left_out_is_asked_for_again(panes: Panes) -> None:
    pane = opened(panes, "cat")
    with pushed(panes, pane) as push:
        settle(push)
        tmux = panes.server.connection()
        names = tmux.command("list-clients", "-F", "#{client_name} #{session_name}")
        [name] = [row.split()[0] for row in names if row.endswith(" a")]
        tmux.command("refresh-client", "-t", name, "-A", f"{pane.pane_id}:pause")
        settle(push)
        type_(panes, pane, "x")
        until(lambda: noticed(push))


def test_one_that_reads_nothing_holds_up_no_agent(
    panes: Panes, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And tmux does not keep for it what it has not read: it is left out until it has caught up."""
    done, left_out = short / "done", list[bytes]()
    monkeypatch.setattr(Push, "_go_on", lambda _, pane: left_out.append(pane))
    begin = f"end=$(($(date +%s) + {SECONDS})); while test $(date +%s) -lt $end"
    pane = opened(
        panes, "sh", "-c", f"{begin}; do seq 1 {FLOOD}; done; touch {done}; exec sleep 60"
    )
    with pushed(panes, pane) as push:
        until(done.exists, timeout=20)
        until(lambda: f"\n{FLOOD - 1}\n{FLOOD}" in panes.capture(pane.pane_id))
        settle(push)
    assert left_out == [pane.pane_id.encode()]


def test_it_takes_no_part_in_the_size_of_a_pane(panes: Panes) -> None:
    pane = opened(panes, "cat")
    with pushed(panes, pane) as push:
        settle(push)
        rows = panes.server.connection().command(
            "list-clients", "-F", "#{session_name} #{client_flags}"
        )
        [flags] = [row.split()[1].split(",") for row in rows if row.startswith("a ")]
        assert {"control-mode", "ignore-size", "pause-after=1"} <= set(flags)


def test_a_session_that_is_gone_ends_it_at_once(panes: Panes) -> None:
    pane = opened(panes, "cat")
    drawn = panes.drawn(pane.pane_id)
    panes.close(pane.pane_id, run="home:a:1:x")
    push = panes.push(drawn)
    until(lambda: noticed(push) and push.ended)
    push.close()


def test_a_tmux_that_cannot_be_started_is_said(
    panes: Panes, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = panes.drawn(opened(panes, "cat").pane_id)
    monkeypatch.setattr(panes.server, "_env", {"PATH": "/nowhere"})
    with pytest.raises(ToolError, match="cannot start tmux"):
        panes.push(drawn)
