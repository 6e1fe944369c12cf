"""The forms by which Copilot CLI asks: fields with choices, words, numbers or a yes or no."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from fleet.agents.questions import answers

_YES, _NO = ("yes", "y", "true"), ("no", "n", "false")
Value = str | int | float | bool | list[str]


class _Option(Struct, frozen=True):
    const: str = ""
    title: str = ""


class _Items(Struct, frozen=True, rename="camel"):
    enum: list[str] = []
    any_of: list[_Option] = []


class Field(Struct, frozen=True, rename="camel"):
    """One field of a form; `default` is what it begins with."""

    type: str = "string"
    title: str = ""
    description: str = ""
    enum: list[str] = []
    enum_names: list[str] = []
    one_of: list[_Option] = []
    items: _Items = _Items()
    default: Any = None


def labels(field: Field) -> tuple[str, ...]:
    """Return the words from which one may be chosen."""
    return tuple(label for _, label in _options(field)) or (
        ("yes", "no") if field.type == "boolean" else ()
    )


def told(field: Field) -> str:
    """Return in one line what may be entered."""
    return " / ".join(labels(field)) or field.description or field.type


def choice(field: Field, said: str) -> str | None:
    """Return the value that is meant, by its label, its number or itself."""
    word, options = said.strip().casefold(), _options(field)
    by_name = {name.casefold(): value for value, label in options for name in (value, label)}
    by_number = {str(place): value for place, (value, _) in enumerate(options, start=1)}
    return by_name.get(word) or by_number.get(word)


def filled(fields: Mapping[str, Field], text: str) -> dict[str, Value] | None:
    """Return a value for each field, which has a line of its own; None where one is missing."""
    said = answers(text, len(fields))
    if said is None:
        return None
    pairs = zip(fields.items(), said, strict=True)
    values = {name: _value(field, one) for (name, field), one in pairs}
    found = {name: value for name, value in values.items() if value is not None}
    return found if len(found) == len(fields) else None


def _options(field: Field) -> list[tuple[str, str]]:
    titled = [*field.one_of, *field.items.any_of]
    if titled:
        return [(it.const, it.title or it.const) for it in titled]
    values = [*field.enum, *field.items.enum]
    names = field.enum_names if len(field.enum_names) == len(values) else values
    return list(zip(values, names, strict=True))


def _value(field: Field, said: str) -> Value | None:
    word = said.strip()
    match field.type:
        case "boolean":
            return True if word.casefold() in _YES else False if word.casefold() in _NO else None
        case "integer" | "number":
            return _number(word, whole=field.type == "integer")
        case "array":
            chosen = [choice(field, one) for one in word.split(",")]
            return [one for one in chosen if one] if all(chosen) else None
        case _:
            return choice(field, word) or word or None


def _number(word: str, *, whole: bool) -> int | float | None:
    try:
        return int(word) if whole else float(word)
    except ValueError:
        return None
