"""The review packet as Markdown, in which no word of an agent is more than text."""

import re
from collections.abc import Iterable

from fleet.core.packet_text import Part

_SPECIAL = re.compile(r"[\\`*_\[\]#!|~<>&@:$]|^[-+=]|(?<=www)\.")


def as_markdown(sections: Iterable[Part]) -> str:
    """Return sections as Markdown; no word of an agent is more than text in it."""
    blocks = []
    for part in sections:
        rows = [f"- {escaped(row.text)}" for row in part.rows if row.text.strip()]
        blocks.append(f"## {part.name}\n\n" + "\n".join(rows))
    return "\n\n".join(blocks)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is: no link, no HTML, no fence, no mention."""
    return _SPECIAL.sub(lambda it: f"&#{ord(it[0])};", text.strip())
