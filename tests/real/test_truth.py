"""What fleet shows of a real agent in each of its states, and after how many seconds."""

import time
from dataclasses import dataclass, field

import pytest
from real.bench import Bench, Watch

pytestmark = pytest.mark.needs("talk")

SILENT_S = 30.0
SOON_S = 1.0  # from what the agent itself reports
LATE_S = 4.0  # from what happened: it takes its time, too, and more on a busy machine


@dataclass(frozen=True)
class Row:
    """What is true, what showed, how long after, and how much of that was fleet's own doing."""

    state: str
    shown: str
    after: float
    own: float

    def __str__(self) -> str:
        times = f"{self.after:5.2f} s {self.own:5.2f} s"
        return f"{self.state:26} {self.shown[:58]:58} {times}"


@dataclass
class Table:
    """The rows so far."""

    rows: list[Row] = field(default_factory=list)

    def add(self, state: str, watch: Watch, since: float, status: str) -> None:
        after = watch.after(since, status)
        needs = next(row[2] for row in reversed(watch.seen) if row[1] == status)
        shown = f"{status} ({needs})" if needs else status
        self.rows.append(Row(state, shown, after, watch.own(since, status)))

    def __str__(self) -> str:
        head = f"{'what it does':26} {'what is shown':58} {'after':>7} {'fleet':>7}"
        return "\n".join(("", head, *map(str, self.rows)))

    def late(self) -> list[str]:
        return [str(row) for row in self.rows if row.after > LATE_S or row.own > SOON_S]


def test_what_is_shown_is_true_and_shown_soon(bench: Bench) -> None:
    table = Table()
    try:
        silent = bench.spawn("[[hang]]")
        silent_since = bench.first_request(silent).at
        for state in (_lives, _asks, _fails, _retries):
            task = bench.next_name()
            with Watch(bench, task) as watch:
                state(bench, task, watch, table)
        with Watch(bench, silent) as watch:
            _is_silent(bench, silent, silent_since, watch, table)
    finally:
        print(table)
    assert table.late() == []


def told(bench: Bench, task: str, prompt: str) -> float:
    """Send words to an idle agent, and return when they had reached the model."""
    bench.place.fleet("send", task, f"{prompt} ({task})")
    return bench.heard(task, prompt).at


def _lives(bench: Bench, task: str, watch: Watch, table: Table) -> None:
    """It starts, works, rests, works again, is interrupted, works on in the background, dies."""
    bench.start(task, "[[run git status]]")
    begun = bench.first_request(task).at
    table.add("starts", watch, watch.seen[0][0], "working")
    table.add("works on its first prompt", watch, begun, "working")
    ended = bench.heard(task, "nothing to commit").at
    table.add("its turn has ended", watch, ended, "idle")
    assert watch.words()[-2:] == ["working", "idle"]
    assert watch.words().count("idle") == 1, watch.words()

    at = told(bench, task, "[[slow 9]] more")
    table.add("is told more", watch, at, "working")
    pressed = bench.interrupt(task)
    table.add("Esc while it answers", watch, pressed, "idle")

    if bench.can("background"):
        _works_on(bench, task, watch, table)
    killed = bench.kill(task)
    table.add("kill -9", watch, killed, "failed")


def _works_on(bench: Bench, task: str, watch: Watch, table: Table) -> None:
    begun, done = bench.cli.background
    told(bench, task, "[[background sleep 4]] beside")
    ended = bench.heard(task, begun).at
    bench.until(lambda: "background" in str(bench.why(task)), "work in the background")
    table.add("works in the background", watch, ended, "working")
    table.add("nothing is left of it", watch, bench.knows(task, done).at, "idle")
    assert "idle" not in watch.words(ended)[:-1]


def _asks(bench: Bench, task: str, watch: Watch, table: Table) -> None:
    bench.start(task, "begin")
    bench.first_request(task)
    bench.shows(task, "idle")
    for kind, prompt in (("permission", "[[run make it]]"), ("question", "[[question]]")):
        if kind == "question" and not bench.can(kind):
            continue
        at = told(bench, task, f"{prompt} {kind}")
        table.add(f"asks: {kind}", watch, at, "waiting")
        if bench.can("answers"):
            assert bench.asks(task)["kind"] == kind
        pressed = bench.press_at_dialog(task, "Escape")
        table.add(f"Esc: {kind}", watch, pressed, "idle")


def _fails(bench: Bench, task: str, watch: Watch, table: Table) -> None:
    """Each failure is followed by a turn that ends well, as a person who waits would have it."""
    states = {
        "rate limit, for an hour": "fail 429 retry-after=3600",
        "its login is refused": "fail 403",
        "its credit is used up": "fail 400 Your credit balance is too low",
    }
    bench.start(task, "begin")
    bench.first_request(task)
    for state, marker in states.items():
        bench.shows(task, "idle")
        at = told(bench, task, f"[[{marker}]] {state}")
        table.add(state, watch, at, "waiting")
        bench.place.fleet("send", task, f"[[run git status]] after {state} ({task})")


def _retries(bench: Bench, task: str, watch: Watch, table: Table) -> None:
    if not bench.can("retries"):
        return
    bench.api.troubles.add("truth")
    bench.start(task, "[[fail 500 while=truth]]")
    at = bench.first_request(task).at
    bench.until(lambda: len(bench.requests(task)) > 1, "a second attempt")
    table.add("tries again by itself", watch, at, "working")
    bench.api.troubles.remove("truth")
    bench.shows(task, "idle")
    assert set(watch.words(at)) <= {"working", "idle"}


def _is_silent(bench: Bench, task: str, since: float, watch: Watch, table: Table) -> None:
    bench.until(lambda: time.time() > since + SILENT_S, "the end of its silence")
    table.add(f"silent at work for {SILENT_S:.0f} s", watch, time.time(), "working")
    assert bench.activities(task, since=since) <= {"working"}
