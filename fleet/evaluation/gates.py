"""Finds what decides whether a change may land, and was changed by it."""

import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from fleet.core.assessment import Finding
from fleet.evaluation.globs import matcher
from fleet.evaluation.kinds import GATES, Kinds
from fleet.evaluation.source import File, Source

_PATH = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*")
# Where a manifest also says how things are built and tested: the parts that name dependencies, or
# describe the project, decide nothing.
_HARMLESS = {
    "pyproject.toml": {"project", "dependency-groups", "tool.poetry"},
    "package.json": {
        *("name", "version", "description", "author", "license", "keywords", "repository"),
        *("dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "bin"),
    },
    "Cargo.toml": {
        *("package", "dependencies", "dev-dependencies", "build-dependencies", "target", "lib"),
        *("bin", "features", "workspace"),
    },
}


def gates(source: Source, judges: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the files that say how changes are checked; `judges` are commands that check."""
    known, kinds, named = matcher(GATES), Kinds(), frozenset(_named(judges))
    for file in source.files:
        for path in dict.fromkeys((file.path, file.old_path)):
            name = path.rpartition("/")[2]
            if path in named and not kinds.is_test(path):  # tests are looked at one by one
                yield Finding("check", f"{path}, which a check names", path, _line(file))
            elif known.match(path):
                yield Finding("gate", path, path, _line(file))
            elif name in _HARMLESS and (parts := _differing(source, file, name)):
                yield Finding("gate", f"{path}: {', '.join(parts)}", path, _line(file))


def _named(judges: Iterable[str]) -> Iterator[str]:
    for command in judges:
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        for word in words:
            for path in _PATH.findall(word):
                yield path.removeprefix("./")


def _line(file: File) -> int:
    return min(file.new, default=0)


def _differing(source: Source, file: File, name: str) -> list[str]:
    """Return the parts of a manifest that differ and may decide something."""
    old, new = _parts(source.old(file), name), _parts(source.new(file), name)
    if old is None or new is None:
        return ["it cannot be read"]
    differ = [part for part in (*old, *new) if old.get(part) != new.get(part)]
    return sorted(set(differ) - _HARMLESS[name])


def _parts(text: str | None, name: str) -> dict[str, Any] | None:
    if text is None:
        return {}
    try:
        parts = msgspec.json.decode(text) if name.endswith(".json") else tomllib.loads(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(parts, dict):
        return None
    tools = parts.pop("tool", None)  # of pyproject.toml: a part for each of them
    split = {f"tool.{key}": it for key, it in tools.items()} if isinstance(tools, dict) else {}
    return parts | split
