"""Real agents work beside others in a code base, pass its tests, are approved, and land."""

import itertools
from pathlib import Path

from place import Place
from real.bench import Bench

FILES = 1000
_NUMBERS = itertools.count()
CHECK = """\
import pathlib, sys
values = {}
for path in sorted(pathlib.Path("src").rglob("*.py")):
    exec(compile(path.read_text(), path, "exec"), {"__name__": path.stem}, values)
    assert isinstance(values["VALUE"], int), path
print(len(list(pathlib.Path("src").rglob("*.py"))), "files")
"""


def part(number: int) -> str:
    return f"src/part_{number // 100}/module_{number:03}.py"


def make_code_base(place: Place) -> Path:
    files = {part(number): f"VALUE = {number}\n" for number in range(FILES)}
    repo = place.make_repo(f"large-{next(_NUMBERS)}", files | {"check.py": CHECK})
    place.fleet("trust", "--agents", cwd=repo)
    return repo


def edit(number: int, value: int) -> str:
    """Return a prompt on which the model reads a file, changes it, and commits."""
    path = f"{{cwd}}/{part(number)}"
    change = f"VALUE = {number} | VALUE = {value}"
    commit = f"[[run git commit -aqm 'Change {part(number)}']]"
    return f"[[read {path}]] [[edit {path} | {change}]] {commit}"


def test_three_agents_and_two_commands_land_in_a_code_base(bench: Bench) -> None:
    place = bench.place
    repo = make_code_base(place)
    begin = place.git("rev-parse", "main", cwd=repo)
    gate = ("--check", "python3 check.py")
    changed = {1: 1001, 501: 1501, 999: 1999}

    tasks = [bench.spawn(edit(*it), *gate, cwd=repo) for it in changed.items()]
    for number in (2, 502):
        command = f"echo 'VALUE = {number + 1000}' >{part(number)}; git commit -aqm {number}"
        tasks.append(place.spawn(bench.next_name(), command, *gate, cwd=repo))
    # It is told a moment after the turn, and not by an agent that has been ended.
    for task in tasks[:3] if bench.can("cost") else ():
        bench.tells_cost(task)
    for task in tasks:
        bench.shows(task, "review")
        place.fleet("diff", task)
        place.fleet("approve", task)
    place.wait(*tasks)

    values = changed | {2: 1002, 502: 1502}
    landed = {number: place.file(part(number), cwd=repo) for number in values}
    assert landed == {number: f"VALUE = {value}\n" for number, value in values.items()}
    touched = place.git("diff", "--name-only", begin, "main", cwd=repo).split()
    assert touched == [part(number) for number in sorted(values)]
    assert "1000 files" in place.run("python3", "check.py", cwd=repo).out
    if bench.can("cost"):  # which stays known
        assert all(bench.row(task)["cost_usd"] > 0 for task in tasks[:3])
