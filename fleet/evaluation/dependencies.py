"""Finds what a change wants to have installed that was not wanted before."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from fleet.core.assessment import Finding
from fleet.evaluation.globs import matcher
from fleet.evaluation.kinds import LOCKS
from fleet.evaluation.source import File, Source

_NAME = re.compile(r"^\s*([A-Za-z0-9@][\w.@/-]*)")
_MANIFESTS = (
    *("pyproject.toml", "requirements*.txt", "requirements*.in", "setup.py", "setup.cfg"),
    *(
        "Pipfile",
        "environment.y*ml",
        "package.json",
        "Cargo.toml",
        "go.mod",
        "Gemfile",
        "*.gemspec",
    ),
    *("composer.json", "pom.xml", "build.gradle", "build.gradle.kts", "mix.exs", "*.csproj"),
    *("pubspec.yaml", "Package.swift"),
)
_LINES = {
    "go.mod": re.compile(r"^\s*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+v\d", re.MULTILINE),
    "Gemfile": re.compile(r"^\s*gem\s+['\"]([^'\"]+)", re.MULTILINE),
    ".gemspec": re.compile(r"add_(?:\w+_)?dependency\s*\(?\s*['\"]([^'\"]+)"),
    "pom.xml": re.compile(r"<artifactId>([^<]+)</artifactId>"),
    ".gradle": re.compile(r"\b(?:implementation|api|\w*[cC]ompile\w*)\s*\(?['\"]([^'\"]+)['\"]"),
    ".kts": re.compile(r"\b(?:implementation|api|\w*[cC]ompile\w*)\s*\(?\"([^\"]+)\""),
    "mix.exs": re.compile(r"\{\s*:(\w+)\s*,\s*\"[~><=]"),
    ".csproj": re.compile(r"<PackageReference\s+Include=\"([^\"]+)\""),
    "setup.py": re.compile(
        r"['\"]([A-Za-z0-9][\w.-]+)\s*(?:\[[^\]]*\])?\s*(?:[<>=~!]=?[^'\"]*)?['\"]"
    ),
    "setup.cfg": re.compile(r"^\s+([A-Za-z0-9][\w.-]+)\s*(?:\[[^\]]*\])?\s*[<>=~!]=", re.MULTILINE),
    ".swift": re.compile(r"\.package\([^)]*url:\s*\"([^\"]+)\""),
}


def dependencies(source: Source) -> Iterator[Finding]:
    """Yield each package that a manifest names now and no manifest named before."""
    manifest, lock = matcher(_MANIFESTS), matcher(LOCKS)
    touched = [file for file in source.files if manifest.match(file.path)]
    before = {name for it in touched for name in _wanted(it.old_path, source.old(it))}
    for file in touched:
        for name in dict.fromkeys(_wanted(file.path, source.new(file))):
            if name not in before:
                yield Finding("dependency", name, file.path, _line(file, name))
    if not touched:
        for file in source.files:
            if lock.match(file.path):
                text = f"{file.path} differs, and no manifest does"
                yield Finding("lockfile", text, file.path)


def _line(file: File, name: str) -> int:
    lowered = name.lower()
    return next((line for line, text in file.new.items() if lowered in text.lower()), 0)


def _wanted(path: str, text: str | None) -> list[str]:
    name = path.rpartition("/")[2]
    if text is None:
        return []
    try:
        if name.endswith((".toml", "Pipfile")):
            return list(_of_toml(tomllib.loads(text)))
        if name.endswith(".json"):
            return list(_of_json(msgspec.json.decode(text)))
    except (ValueError, msgspec.DecodeError, RecursionError):
        return []
    pattern = next((it for end, it in _LINES.items() if name.endswith(end)), None)
    return pattern.findall(text) if pattern else list(_of_lines(text))


def _of_lines(text: str) -> Iterator[str]:
    """Yield the names of a list with one on each line: requirements.txt, and the YAML ones."""
    for line in text.splitlines():
        if found := _NAME.match(line.strip().removeprefix("- ")):
            yield _plain(found[1])


def _plain(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else requirement


def _of_toml(held: dict[str, Any]) -> Iterator[str]:
    project = _table(held, "project")
    yield from map(_plain, _texts(project.get("dependencies")))
    for extra in (*_table(project, "optional-dependencies").values(),
                  *_table(held, "dependency-groups").values()):  # fmt: skip
        yield from map(_plain, _texts(extra))
    yield from map(_plain, _texts(_table(held, "build-system").get("requires")))
    yield from _tables_named(held, lambda key: key.endswith("dependencies") or "packages" in key)


def _tables_named(
    held: dict[str, Any], wanted: Callable[[str], bool], depth: int = 6
) -> Iterator[str]:
    """Yield the keys of all tables so named: Cargo, Poetry and Pipfile list packages as keys."""
    for key, value in held.items():
        if isinstance(value, dict) and depth:
            if wanted(key):
                yield from (name for name in value if name != "python")
            else:
                yield from _tables_named(value, wanted, depth - 1)


def _of_json(held: Any) -> Iterator[str]:
    for key, value in held.items() if isinstance(held, dict) else ():
        if isinstance(value, dict) and (key.endswith("ependencies") or key.startswith("require")):
            yield from value


def _table(held: dict[str, Any], key: str) -> dict[str, Any]:
    value = held.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> Iterable[str]:
    return (it for it in value if isinstance(it, str)) if isinstance(value, list) else ()
