"""`fleet review`: what is computed for whoever judges a change, as text, JSON or Markdown."""

from collections.abc import Iterable
from textwrap import wrap

import click
import msgspec

from fleet.cli.common import ask, examples, json_option, task_argument
from fleet.cli.output import Cell, Output, emit
from fleet.core.packet import Packet
from fleet.core.packet_markdown import as_markdown
from fleet.core.packet_text import Part, parts
from fleet.protocol import Review


@click.command(
    epilog=examples(
        "fleet review importer", "fleet review importer --markdown | gh pr comment -F -"
    )
)
@task_argument
@click.option("--markdown", is_flag=True, help="Print Markdown, in which nothing has an effect.")
@json_option
@click.pass_obj
def review(out: Output, *, task: str, markdown: bool, as_json: bool) -> None:
    """Show what a reviewer needs: risk, criteria, evidence, size, and what goes on around it."""
    answer = ask(Review(task=task))
    if as_json:
        emit(answer)
        return
    packet = msgspec.convert(answer, Packet)
    if markdown:
        print(as_markdown(parts(packet)))
    else:
        _show(out, parts(packet))


def _show(out: Output, sections: Iterable[Part]) -> None:
    for number, part in enumerate(sections):
        if number:
            print()
        out.line(Cell(part.name, "busy"))
        for row in part.rows:
            for text in wrap(row.text, out.columns - 4) if out.terminal else (row.text,):
                out.line("  ", Cell(text, row.style))


COMMANDS = (review,)
