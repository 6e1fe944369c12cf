"""What agents ask of a person, where they ask alike: how it is shown, and how it is answered."""

import json
from collections.abc import Mapping, Sequence

from fleet.agents.adapter import SaysWaiting
from fleet.agents.generic import NEEDS, lines, one_line
from fleet.core.rows import Ask


def question(texts: Sequence[str], choices: Sequence[str], *, tool: str = "") -> SaysWaiting:
    """Return what questions that are asked together want; `choices` are those of one alone."""
    text = lines("\n".join(texts))
    need = one_line(f"an answer: {text}") if text else NEEDS["question"]
    named = tuple(one_line(choice) for choice in choices)
    return SaysWaiting(
        need, "question", ask=Ask(kind="question", tool=tool, text=text, choices=named)
    )


def answers(text: str, count: int) -> list[str] | None:
    """Return the answer to each of `count` questions: several are answered by a line each."""
    said = [text] if count == 1 else text.splitlines()
    return said if text.strip() and len(said) == count else None


def chosen(choices: Sequence[str], said: str) -> str:
    """Return the choice that is meant, by itself or by its number; else the words as they are."""
    word = said.strip()
    by_name = {choice.casefold(): choice for choice in choices}
    by_number = {str(place): choice for place, choice in enumerate(choices, start=1)}
    return by_name.get(word.casefold()) or by_number.get(word) or word


def whole(given: Mapping[str, object]) -> str:
    """Return all that a tool is given, for someone who decides on it: nothing is hidden."""
    return lines("\n".join(f"{name}: {shown(value)}" for name, value in given.items()))


def shown(value: object) -> str:
    """Return a value as it is read."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def near(path: str, directory: str) -> str:
    """Return a path without the directory in which the agent works."""
    return path.removeprefix(f"{directory}/") if directory else path
