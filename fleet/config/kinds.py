"""The kinds of values that a configuration may hold: each reads one, and describes itself."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from fleet.config.reading import Value, printable
from fleet.core import durations
from fleet.errors import UsageError

Schema = dict[str, object]

_A_NOTICE = "bell, desktop, none or a command"
_VARIABLE = "[A-Za-z_][A-Za-z0-9_]*"
AGENT_NAME = "[a-z0-9][a-z0-9-]{0,39}"
CHECK_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
# git takes what starts with "-" for an option; the rest are git's own rules for names of branches.
_BRANCH = (
    r"(?![-/.]|(HEAD|@)$)(?!.*(\.\.|//|/\.|@\{|\.lock(/|$)|[/.]$))"
    r"[^\s~^:?*\[\\\x00-\x20\x7f]{1,200}"
)
# A name and never a URL: git runs the commands in some of them.
_REMOTE = r"[A-Za-z0-9_](?!.*\.\.)[A-Za-z0-9_.-]{0,99}"


@dataclass(frozen=True)
class Kind:
    """One kind of value: its name, how it is read, and its JSON schema.

    `read` returns what the policy types hold, or raises ConfigError with file and line; `show`
    turns that back into what a person would write.
    """

    label: str
    read: Callable[[Value], object]
    schema: Schema
    show: Callable[[object], object] = lambda value: value


def words(value: Value, what: str) -> str:
    """Return a text that is not blank, on one line and without blanks around it."""
    text = value.text(what).strip()
    if not text:
        raise value.error(f"expected {what}, found empty text")
    if "\n" in text:
        raise value.error(f"expected {what} on one line")
    return text


def name(label: str, pattern: str) -> Kind:
    """Return the kind of a text that matches `pattern` as a whole."""

    def read(value: Value) -> str:
        text = words(value, label)
        if not re.fullmatch(pattern, text, re.ASCII):
            raise value.error(f'"{printable(text)}" is not {label}')
        return text

    return Kind(label, read, {"type": "string", "pattern": f"^(?:{pattern})$"})


def _command(value: Value) -> str:
    text = value.text("a command").strip()
    # A shell given nothing but blanks and comments exits with 0: a check that cannot fail.
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        raise value.error("the command is empty", hint="write a command, or remove the entry")
    return text


def _duration(*, zero: bool) -> Callable[[Value], float]:
    def read(value: Value) -> float:
        if value.raw is None or value.found not in {"text", "a number"}:
            raise value.expected("a duration such as 90s, 10m or 1h30m")
        try:
            span = durations.seconds(value.raw)
        except UsageError as error:
            refused = f'"{printable(value.raw)}" is not a duration that can be used'
            raise value.error(refused, hint=error.hint) from error
        if not span and not zero:
            raise value.error("expected a duration above zero")
        return span

    return read


def _show_duration(value: object) -> object:
    return durations.show(value) if isinstance(value, float) else value


def duration(*, zero: bool = False) -> Kind:
    """Return the kind of a span of time, kept in seconds; `zero` tells whether 0 is meant."""
    least: Schema = {"minimum": 0} if zero else {"exclusiveMinimum": 0}
    number: Schema = {"type": "number", **least, "maximum": durations.LONGEST_S}
    text: Schema = {"type": "string", "pattern": f"^{durations.PATTERN}$"}
    return Kind("a duration", _duration(zero=zero), {"anyOf": [text, number]}, _show_duration)


def whole(least: int, most: int) -> Kind:
    """Return the kind of a whole number within bounds, written in decimal digits."""
    label = f"a whole number from {least} to {most}"

    def read(value: Value) -> int:
        if value.found != "a number":
            raise value.expected(label)
        # YAML also reads 1:30, 0x10 and 010 as numbers; nobody means 90, 16 and 8 by them.
        plain = re.fullmatch(r"0|[1-9][0-9]{0,15}", value.raw or "")
        number = int(plain[0]) if plain else -1
        if not least <= number <= most:
            raise value.error(f"expected {label}, found {printable(value.raw)}")
        return number

    return Kind(label, read, {"type": "integer", "minimum": least, "maximum": most})


def amount(unit: str) -> Kind:
    """Return the kind of a number above zero, of `unit`."""
    label = f"a number of {unit} above zero"

    def read(value: Value) -> float:
        if value.found != "a number":
            raise value.expected(label)
        plain = re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value.raw or "")
        number = float(plain[0]) if plain else 0.0
        if not number:
            raise value.error(f"expected {label}, found {printable(value.raw)}")
        return number

    schema: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e9}
    return Kind(label, read, schema)


def choice(*allowed: str) -> Kind:
    """Return the kind of one word out of a few."""
    label = " or ".join(f"`{word}`" for word in allowed)
    plain = " or ".join(allowed)

    def read(value: Value) -> str:
        # YAML takes a plain `off` for false.
        text = value.raw if value.raw in allowed else words(value, plain)
        if text not in allowed:
            raise value.error(f'expected {plain}, found "{printable(text)}"')
        return text

    return Kind(label, read, {"enum": list(allowed)})


def _flag(value: Value) -> bool:
    if value.found != "true or false":
        raise value.expected("true or false")
    return (value.raw or "").lower() in {"true", "yes", "on"}


def _path(value: Value) -> str:
    text = words(value, "a path")
    path = PurePosixPath(text)
    inside = path.parts and not path.is_absolute() and ".." not in path.parts
    if not inside or text.startswith("~"):
        raise value.error(f'"{printable(text)}" is not a path inside the repository')
    if path.parts[0] == ".git":
        raise value.error("git's own directory is not for sharing")
    return str(path)


def _glob(value: Value) -> str:
    text = words(value, "a pattern")
    if not text.strip("!/") or "\\" in text:
        hint = "write it as in .gitignore: docs/, *.lock, /src/**/*.py"
        raise value.error(f'"{printable(text)}" means no file', hint=hint)
    return text


def _argv(value: Value) -> tuple[str, ...]:
    if value.found == "a list":
        items = value.items("a command")
        argv = tuple(item.text("a word of the command") for item in items)
    else:
        argv = _split(value, value.text("a command"))
    if not argv or not argv[0].strip():
        raise value.error("the command is empty", hint="write a command, or remove the entry")
    return argv


def _split(value: Value, command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise value.error(f"the command cannot be split: {error}".lower()) from error


def list_of(item: Kind, label: str) -> Kind:
    """Return the kind of a list; one single text need not be written as a list."""

    def read(value: Value) -> tuple[object, ...]:
        return tuple(item.read(entry) for entry in value.items(label))

    several: Schema = {"type": "array", "items": item.schema}
    return Kind(label, read, {"anyOf": [item.schema, several]}, list_or_same)


def list_or_same(value: object) -> object:
    """Return a tuple as the list that JSON and YAML write; anything else as it is."""
    return list(value) if isinstance(value, tuple) else value


def _environment(value: Value) -> dict[str, str]:
    found = {}
    for variable, entry in value.entries().items():
        if not re.fullmatch(_VARIABLE, variable, re.ASCII):
            raise entry.error("this is not the name of an environment variable")
        found[variable] = entry.text("text")
    return found


def _notices(value: Value) -> tuple[str, ...]:
    ways = tuple(dict.fromkeys(map(_notice, value.items(_A_NOTICE))))
    if not ways:
        raise value.error("the list is empty", hint="for nothing at all, write: none")
    if "none" in ways and len(ways) > 1:
        raise value.error("none leaves no room for anything else")
    return ways if "none" not in ways else ()


def _notice(value: Value) -> str:
    way = words(value, _A_NOTICE)
    _split(value, way)
    return way


def _bindings(value: Value) -> dict[str, tuple[str, ...]]:
    return {
        command: tuple(words(key, "a key") for key in entry.items("a list of keys"))
        for command, entry in value.entries().items()
    }


COMMAND = Kind("a command", _command, {"type": "string", "pattern": r"(^|\n)\s*[^#\s]"})
ARGV_SCHEMA: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1}
ARGV = Kind("a command", _argv, {"anyOf": [{"type": "string", "pattern": r"\S"}, ARGV_SCHEMA]})
FLAG = Kind("true or false", _flag, {"type": "boolean"})
PATHS = list_of(
    Kind("a path", _path, {"type": "string", "pattern": r"^(?![/~])(?!(.*/)?\.\.(/|$))\s*\S"}),
    "a list of paths in the repository",
)
GLOBS = list_of(
    Kind("a pattern", _glob, {"type": "string", "pattern": r"^!?[^!\\]*[^!/\\][^\\]*$"}),
    "a list of patterns, as in .gitignore",
)
COMMANDS = list_of(COMMAND, "a list of commands")
VARIABLES = list_of(
    name("the name of an environment variable", _VARIABLE),
    "a list of names of environment variables",
)
_NOTICE: Schema = {"type": "string", "pattern": r"\S"}
NOTICES = Kind(
    "`bell`, `desktop`, `none`, a command, or several of them",
    _notices,
    {"anyOf": [_NOTICE, {"type": "array", "items": _NOTICE}]},
    lambda ways: list_or_same(ways) or "none",
)
ENVIRONMENT = Kind(
    "names and texts",
    _environment,
    {
        "type": "object",
        "propertyNames": {"pattern": f"^{_VARIABLE}$"},
        "additionalProperties": {"type": "string"},
    },
)
TEXT = Kind("a text", lambda value: words(value, "a text"), {"type": "string", "pattern": r"\S"})
TEXTS = list_of(TEXT, "a list of texts")
BINDINGS = Kind(
    "commands and their keys",
    _bindings,
    {
        "type": "object",
        "additionalProperties": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
        },
    },
)
THEME = name("the name of a theme", "[a-z][a-z0-9-]{0,39}")
BRANCH = name("the name of a branch", _BRANCH)
REMOTE = name("the name of a git remote", _REMOTE)
AGENT = name("the name of an agent", AGENT_NAME)
