"""Writes a first `fleet.yaml` from what a repository shows; what cannot be told stays a comment."""

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from fleet.config.keys import Key, default, written
from fleet.config.repository import REPO_KEYS
from fleet.core.policy import RepoPolicy

Read = Callable[[str], str]

_TOP = "# What fleet does in this repository. Read it, then type: fleet trust\n"
_REST = "# All else that may be set, with its default or, where it says e.g., an example:\n"
_NO_CHECKS = """\
# Nothing here says how this repository is tested, and without checks nothing lands by itself.
# checks:
#   - make test
"""
_EXAMPLES = {
    "target": "main",
    "agents": "{any: {command: [my-agent, '{prompt}']}}",
    "checks": "[make test]",
    "copy": "[.env]",
    "link": "[data]",
    "setup": "[make deps]",
    "keep": "[node_modules]",
    "env": "[MY_VARIABLE]",
    "attempts": "3",
    "timeout": "2h",
    "silence": "10m",
    "budget": "5",
    "tokens": "1000000",
    "lines": "400",
    "level": "standard",
    "rules": "[{name: docs, paths: [docs/], risk: low}]",
    "tests": "[tests/]",
    "generated": "['*.lock']",
    "window": "4",
    "forge": "gh",
}
_RUNNERS = ("GNUmakefile", "makefile", "Makefile", "justfile", "Justfile", ".justfile")
_GOALS = ("test", "check", "lint")
# What each ecosystem's own tool runs as tests; the first file of a line that is there decides.
_TESTS = {
    "Cargo.toml": "cargo test",
    "go.mod": "go test ./...",
    "mix.exs": "mix test",
    "gradlew": "./gradlew test",
    "mvnw": "./mvnw -q test",
    "pom.xml": "mvn -q test",
    ".rspec": "bundle exec rspec",
    "deno.json": "deno test",
}
_SETUP = {
    "package-lock.json": "npm ci",
    "pnpm-lock.yaml": "pnpm install --frozen-lockfile",
    "yarn.lock": "yarn install",
    "bun.lock": "bun install",
    "uv.lock": "uv sync",
    "poetry.lock": "poetry install",
    "Gemfile.lock": "bundle install",
}
_KEEP = {
    "package.json": "node_modules",
    "uv.lock": ".venv",
    "Cargo.toml": "target",
    "mix.exs": "deps",
    "gradlew": ".gradle",
}
_NODE = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun run"}
_TEMPLATES = {"example", "sample", "template", "dist"}
_PYTEST = re.compile(r"^\[tool\.pytest|[\"']pytest\b|^pytest\s*=", re.MULTILINE)


@dataclass
class _Found:
    """What a repository shows of how it is tested and made ready."""

    checks: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    copy: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)


def suggest(files: Iterable[str], read: Read, *, tracked: Collection[str] = ()) -> str:
    """Return the text of a commented `fleet.yaml` for a repository; it always loads.

    `files` are paths below the repository's root, tracked or not: only those at the top are
    looked at. `read` returns the text of one of them, and may raise OSError or UnicodeError.
    What is `tracked` needs no copying.
    """
    names = {path.removesuffix("/") for path in files}
    found = _Found(checks=_checks(names, read))
    found.setup = [command for lock, command in _SETUP.items() if lock in names]
    found.keep = [kept for sign, kept in _KEEP.items() if sign in names]
    if ".venv" in names and ".venv" not in found.keep:
        found.keep.append(".venv")
    found.copy = sorted(name for name in names if _is_private(name) and name not in tracked)
    return _write(found)


def _is_private(name: str) -> bool:
    parts = name.split(".")
    return bool(re.fullmatch(r"\.env(\.[A-Za-z0-9_-]+)*", name)) and not _TEMPLATES & {*parts}


def _checks(names: set[str], read: Read) -> list[str]:
    """Return the repository's own words for testing it, else those of its tools."""
    for runner in _RUNNERS:
        if runner in names and (goals := _goals(_text(runner, read))):
            program = "just" if "just" in runner else "make"
            return [f"{program} {goal}" for goal in goals]
    found = [*_node_scripts(names, read), *_pytest(names, read)]
    return found + [command for sign, command in _TESTS.items() if sign in names][:1]


def _text(name: str, read: Read) -> str:
    try:
        return read(name)
    except (OSError, UnicodeError):
        return ""


def _goals(text: str) -> list[str]:
    goals = [goal for goal in _GOALS if re.search(rf"^{goal}\s*:(?!=)", text, re.MULTILINE)]
    # Makefiles that have both mean the same by them, or let one run the other.
    return [goal for goal in goals if goal != "check" or "test" not in goals]


def _node_scripts(names: set[str], read: Read) -> list[str]:
    if "package.json" not in names:
        return []
    try:
        package = json.loads(_text("package.json", read))
    except (ValueError, RecursionError):
        return []
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict):
        return []
    program = next((program for lock, program in _NODE.items() if lock in names), "npm run")
    wanted = [goal for goal in ("test", "lint") if _is_script(scripts.get(goal))]
    return [f"{program} {goal}" for goal in wanted]


def _is_script(script: object) -> bool:
    """Whether this is more than what `npm init` writes into every package."""
    return isinstance(script, str) and bool(script.strip()) and "no test specified" not in script


def _pytest(names: set[str], read: Read) -> list[str]:
    project = _text("pyproject.toml", read) if "pyproject.toml" in names else ""
    if "pytest.ini" not in names and not _PYTEST.search(project):
        return []
    if "uv.lock" in names:
        return ["uv run pytest -q"]
    return ["poetry run pytest -q" if "poetry.lock" in names else "pytest -q"]


def _write(found: _Found) -> str:
    said = {
        name: block
        for name in ("checks", "setup", "copy", "keep")
        if (block := _block(name, getattr(found, name)))
    }
    rest = [_commented(key) for key in REPO_KEYS if key.name not in {"checks", *said}]
    if "checks" not in said:
        said = {"checks": _NO_CHECKS, **said}
    return "\n".join([_TOP, *said.values(), _REST + "".join(rest)])


def _block(name: str, items: list[str]) -> str:
    about = next(key.about for key in REPO_KEYS if key.name == name)
    lines = "".join(f"  - {item}\n" for item in items)
    return f"# {about}\n{name}:\n{lines}" if items else ""


def _commented(key: Key) -> str:
    example = _EXAMPLES.get(key.name)
    if example is not None:
        return f"# {key.name}: {example}  # e.g.; {key.about}\n"
    return f"# {key.name}: {written(default(key, RepoPolicy()))}  # {key.about}\n"
