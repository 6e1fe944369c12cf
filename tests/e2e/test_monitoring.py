"""Watching breaks nothing: no git command of an agent ever fails because fleet looks on."""

import pytest
from place import Place

pytestmark = pytest.mark.slow

AGENTS, ROUNDS = 5, 18
COMMANDS = 6  # of git, in each round
# All worktrees have one stash, so that agents who use it at a time have to agree among themselves.
WORK = r"""
log=LOG/$FLEET_TASK
noted() {
  "$@" >/dev/null 2>"$log.said" && { echo "0 $*" >>"$log"; return; }
  { echo "failed: $*"; cat "$log.said"; } >>"$log"
}
stashed() {
  noted git stash push -q && noted git stash pop -q
}
for round in $(seq ROUNDS); do
  echo "$round" >>"$FLEET_TASK.txt"
  noted git status --porcelain
  noted git add -A .
  noted git commit -qm "round $round"
  echo more >>"$FLEET_TASK.txt"
  { flock 9; stashed; } 9>LOG.lock
  git checkout -q "$FLEET_TASK.txt"
  noted git rebase -q --force-rebase HEAD~1
done
"""


def test_no_git_command_of_an_agent_fails(place: Place) -> None:
    log = place.root / "log"
    log.mkdir()
    command = WORK.replace("LOG", str(log)).replace("ROUNDS", str(ROUNDS))
    names = [f"agent-{number}" for number in range(AGENTS)]

    for name in names:
        place.spawn(name, command, "--check", "true")
    for name in names:
        place.becomes(name, "review")

    lines = [line for name in names for line in (log / name).read_text().splitlines()]
    assert [line for line in lines if not line.startswith("0 ")] == []
    assert len(lines) == AGENTS * ROUNDS * COMMANDS > 500
