"""Reads YAML into values that know their file and line; hostile text is refused, never expanded."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import yaml

from fleet.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20  # both loaders recurse, and an older one in C has no guard of its own
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
Found = Literal[
    "text",
    "a number",
    "true or false",
    "nothing",
    "a date",
    "a list",
    "keys and values",
    "a special sign of YAML",
]
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FOUND: dict[str, Found] = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
}


@dataclass(frozen=True)
class Value:
    """A value in a file, where it stands, and the key that it belongs to."""

    node: yaml.Node
    file: str
    label: str = ""

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def found(self) -> Found:
        """What is written here, as a person would call it."""
        if isinstance(self.node, yaml.MappingNode):
            return "keys and values"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return _FOUND.get(self.node.tag, "a special sign of YAML")

    @property
    def raw(self) -> str | None:
        """The characters of a single value; None where a list or a mapping stands."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else None

    def error(self, why: str, *, hint: str | None = None) -> ConfigError:
        """Return the refusal of this value, to be raised."""
        subject = f"{self.label}: " if self.label else ""
        return ConfigError(f"{self.file}:{self.line}: {subject}{why}", hint=hint)

    def expected(self, what: str) -> ConfigError:
        """Return the refusal of a value that is not `what`, to be raised."""
        return self.error(f"expected {what}, found {self.found}")

    def text(self, what: str) -> str:
        """Return the text written here, without characters that cannot be seen.

        Raises:
            ConfigError: something else stands here, or a character that is neither printable nor
                a tab or the end of a line: it would mislead whoever reads the file.
        """
        if self.raw is None or self.found != "text":
            quotes = f'put it in quotes: "{printable(self.raw)}"' if self.raw else None
            raise self.error(f"expected {what}, found {self.found}", hint=quotes)
        for character in self.raw:
            if not character.isprintable() and character not in "\n\t":
                raise self.error(f"holds the invisible character U+{ord(character):04X}")
        return self.raw

    def items(self, what: str) -> list["Value"]:
        """Return the items of a list; a single text stands for a list of one."""
        if self.found == "text":
            return [self]
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.expected(what)
        return [Value(item, self.file, self.label) for item in self.node.value]

    def entries(self, *, known: Iterable[str] | None = None) -> dict[str, "Value"]:
        """Return a mapping's values by key; where `known` is given, no other key may stand there.

        Raises:
            ConfigError: it is no mapping, or a key is unknown, twice there, or no plain word.
        """
        if not isinstance(self.node, yaml.MappingNode):
            raise self.expected("keys and values")
        allowed = None if known is None else list(known)
        found: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for key_node, node in self.node.value:
            key = Value(key_node, self.file, self.label)
            name = key.raw
            if name is None:
                raise key.expected("a key")
            if name in found:
                raise key.error(f'the key "{printable(name)}" is already on line {lines[name]}')
            if allowed is not None and name not in allowed:
                raise _unknown(key, allowed)
            lines[name] = key.line
            path = f"{self.label}.{name}" if self.label else name
            found[name] = Value(node, self.file, printable(path))
        return found


def _unknown(key: Value, known: list[str]) -> ConfigError:
    name = key.raw or ""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.65)
    guess = f' (did you mean "{nearest[0]}"?)' if nearest else ""
    return key.error(
        f'unknown key "{printable(name)}"{guess}', hint=f"known here: {', '.join(known)}"
    )


def printable(text: str | None) -> str:
    """Return the beginning of `text`, fit to be shown on a terminal whoever wrote it."""
    shown = (text or "")[:60]
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown
    )


def load(text: bytes, *, name: str) -> Value | None:
    """Return what `text` says, or None where it says nothing; `name` is used in messages.

    Raises:
        ConfigError: it is not one small, flat YAML document in UTF-8 without anchors and tags.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_BYTES >> 20} MiB")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: this is not UTF-8") from error
    try:
        _refuse_hostile(decoded, name)
        node = yaml.compose(decoded, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: an escape too big
        raise ConfigError(f"{name}:{_line(error, text)}: {_problem(error)}") from error
    return None if node is None else Value(node, name)


def _refuse_hostile(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        mark = event.start_mark
        place = f"{name}:{mark.line + 1 if mark else 1}"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ConfigError(f"{place}: {_TOO_DEEP}")
        if getattr(event, "anchor", None):
            raise ConfigError(f"{place}: anchors and aliases are not used here: write it out")
        if getattr(event, "tag", None):
            raise ConfigError(f"{place}: tags (words after !) are not used here")


def _line(error: Exception, text: bytes) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        # The loader in C says that what ends too early ends on the line after the last.
        return min(int(mark.line) + 1, len(text.splitlines()))
    return text[: getattr(error, "position", 0)].count(b"\n") + 1


def _problem(error: Exception) -> str:
    words = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    if "nesting depth" in words:  # the loader's own limit: it reads ahead of what we have counted
        return _TOO_DEEP
    return f"this is not YAML: {printable(words)}"
