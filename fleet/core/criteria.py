"""What a task can be measured by: its checks, the items of its prompt, and a scope it declares."""

import re

from msgspec import Struct

from fleet.core.model import Spec
from fleet.core.policy import Check

_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(\S.*)$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)
_SCOPE = re.compile(r"^\s*scope:\s*(\S.*)$", re.MULTILINE | re.IGNORECASE)


class Criterion(Struct, frozen=True):
    """Something that shows whether the task is done; `check` where a command tells."""

    text: str
    check: Check | None = None


def criteria(spec: Spec) -> tuple[Criterion, ...]:
    """Return the task's own checks, then each item of a list in its prompt outside of code."""
    prose = _FENCED.sub("", spec.prompt)
    items = dict.fromkeys(found[1].strip() for found in _ITEM.finditer(prose))
    commands = tuple(Criterion(check.run, check) for check in spec.checks)
    return (*commands, *(Criterion(item) for item in items))


def scope(spec: Spec) -> tuple[str, ...]:
    """Return the patterns of paths to which the prompt confines the task; none: anywhere.

    A line of its own says so: `scope: src/parser/** tests/**`.
    """
    said = _SCOPE.findall(_FENCED.sub("", spec.prompt))
    return tuple(word.strip("`") for line in said for word in re.split(r"[\s,]+", line) if word)
