"""The review packet as sections of lines: the same for a terminal, the dashboard and Markdown."""

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from fleet.core.assessment import Assessment, Found
from fleet.core.packet import Identity, Measured, Neighbourhood, Packet, Proof
from fleet.core.phrases import outcome
from fleet.core.terminal import clean, clean_lines

Style = Literal["good", "bad", "wanted", "quiet", "strong", "plain"]
_SHORT = 10  # digits of a commit
_FEW = 6  # of a list of things that were found
_PROMPT, _WORDS, _STAT = 24, 24, 20  # lines
_RISK: dict[str, Style] = {"low": "good", "medium": "wanted", "high": "bad"}


class Row(Struct, frozen=True):
    """One clean line."""

    text: str
    style: Style = "plain"


class Part(Struct, frozen=True):
    """A section under its name."""

    name: str
    rows: tuple[Row, ...]


def parts(packet: Packet) -> tuple[Part, ...]:
    """Return the packet in the order in which it is read: what it is, then what to fear."""
    found = packet.assessment
    sections: tuple[tuple[str, Iterable[Row]], ...] = (
        ("change", _identity(packet.identity)),
        ("risk", _risk(packet)),
        ("asked for", _lines(packet.prompt, _PROMPT)),
        ("criteria", _criteria(packet.criteria)),
        ("its own words", _summary(packet)),
        ("diff", _lines(packet.stat, _STAT)),
        ("evidence", _evidence(packet)),
        ("simplicity", _simplicity(found) if found else ()),
        ("tests that say less", _found(found.weakened, "bad") if found else ()),
        ("around it", _around(packet.neighbourhood)),
        ("comments not answered", (Row(clean(it), "wanted") for it in packet.comments)),
        ("next", (Row(clean(it)) for it in packet.next)),
    )
    made = (Part(name, tuple(rows)) for name, rows in sections)
    return tuple(part for part in made if part.rows)


def _identity(it: Identity) -> Iterator[Row]:
    yield Row(f"{clean(it.task)}  {clean(it.title)}", "strong")
    spans = f"sealed {it.sealed[:_SHORT]}  base {it.base[:_SHORT]}  diff {it.diff[:12]}"
    yield Row(f"revision {it.revision} → {clean(it.target)}  {spans}")
    model = f" ({clean(it.model)})" if it.model else ""
    who = f"{clean(it.agent)}{model}, attempt {it.attempt}" if it.agent else "made by hand"
    after = f"  after {', '.join(map(clean, it.parents))}" if it.parents else ""
    owner = f"  given by {clean(it.owner)}" if it.owner != "person" else ""
    yield Row(f"by {who}{owner}{after}")
    if it.upon:
        yield Row(f"its own work only: it was made on {clean(it.upon)}")
    if it.stack:
        yield Row(f"its stack lands in this order: {', '.join(map(clean, it.stack))}")
    if it.auto_commit:
        yield Row("it has uncommitted work that fleet committed", "wanted")
    approved = f"approved by {clean(it.approved_by)}" if it.approved_by else "not approved"
    yield Row(approved, "good" if it.approved_by else "wanted")


def _risk(packet: Packet) -> Iterator[Row]:
    found = packet.assessment
    if found is None:
        yield Row("not assessed yet", "wanted")
        return
    yield Row(f"{found.risk}, {_count(found.points, 'point')}", _RISK[found.risk])
    for reason in found.reasons:
        yield Row(f"+{reason.points}  {clean(reason.text)}")


def _criteria(criteria: Iterable[Measured]) -> Iterator[Row]:
    for it in criteria:
        newest = it.proofs[-1] if it.proofs else None
        if newest is None:
            yield Row(f"?  {clean(it.text)}: NO EVIDENCE", "wanted")
        else:
            green = newest.result.green
            told = f"{clean(it.text)}: {_proof(newest)}"
            yield Row(f"{'✓' if green else '✗'}  {told}", "good" if green else "bad")


def _proof(proof: Proof) -> str:
    result = proof.result
    code = f", exit {result.code}" if result.green and result.code is not None else ""
    where = "in the workspace"
    if proof.merged:
        tree = f" {proof.tree[:_SHORT]}" if proof.tree else ""
        onto = f" onto {proof.onto[:_SHORT]}" if proof.onto else ""
        where = f"on the merged tree{tree}{onto}"
    log = f"  {clean(result.log)}" if result.log else ""
    return f"{outcome(result)}{code}, {result.seconds:.1f} s, {where}{log}"


def _evidence(packet: Packet) -> Iterator[Row]:
    if not packet.evidence:
        yield Row("NO EVIDENCE: no check has run on it", "wanted")
    for proof in packet.evidence:
        style: Style = "good" if proof.result.green else "bad"
        yield Row(f"{clean(proof.result.name)} {_proof(proof)}", style)
    yield from (Row(clean(it)) for it in packet.proofs)


def _summary(packet: Packet) -> Iterator[Row]:
    yield from _lines(packet.summary, _WORDS)
    claims = packet.assessment.claims if packet.assessment else Found()
    for it in claims.first[:_FEW]:
        yield Row(f"! it names {clean(it.text)}, which is nowhere in the change", "wanted")


def _simplicity(found: Assessment) -> Iterator[Row]:
    per, usual = round(found.per_criterion), found.median
    compared = f"; usual here: {usual:g}" if usual is not None else ""
    wanted = f"; {found.expected} lines were expected" if found.expected is not None else ""
    criteria = f"{found.criteria} criteria" if found.criteria > 1 else "1 criterion"
    yield Row(f"lines: {found.lines} in {_count(found.files, 'file')}, for {criteria}: {per} each"
              f"{compared}{wanted}")  # fmt: skip
    beside = f"beside them: {found.test_lines} of tests, {found.generated_lines} generated"
    yield Row(beside, "quiet")
    it = found.complexity
    worst = f"; most: {clean(it.worst.text)} ({clean(it.worst.where)})" if it.worst else ""
    yield Row(f"complexity: +{it.added} ({it.before} → {it.after}){worst}")
    lists = {
        "copies": found.duplicates,
        "new dependencies": found.dependencies,
        "new settings": found.settings,
        "new public names": found.names,
    }
    for name, some in lists.items():
        yield Row(f"{name}: {_some(some)}", "plain" if some else "quiet")


def _some(found: Found) -> str:
    if not found:
        return "none"
    named = [f"{clean(it.text)} ({clean(it.where)})" for it in found.first[:_FEW]]
    more = found.total - len(named)
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _found(found: Found, style: Style) -> Iterator[Row]:
    for it in found.first:
        yield Row(f"{clean(it.kind)}: {clean(it.text)}  {clean(it.where)}", style)
    if found.total > len(found.first):
        yield Row(f"and {found.total - len(found.first)} more", style)


def _around(it: Neighbourhood) -> Iterator[Row]:
    if it.position is not None:
        waits = f", waits for {clean(it.waits_for)}" if it.waits_for else ""
        yield Row(f"#{it.position} of {it.length} in the queue: {it.state}{waits}")
    if it.landed:
        yield Row("landed in its files since it was begun:", "wanted")
        yield from (Row(f"  {clean(line)}") for line in it.landed)
    elif it.position is not None:
        yield Row("nothing landed in its files since it was begun", "quiet")
    yield from (Row(f"conflicts: {clean(line)}", "bad") for line in it.conflicts)
    yield from (Row(f"last time: {clean(line)}", "wanted") for line in it.together)


def _lines(text: str, most: int) -> Iterator[Row]:
    lines = clean_lines(text).replace("\t", "    ").strip("\n").split("\n")
    if lines == [""]:
        return
    yield from (Row(line.rstrip()) for line in lines[:most])
    if len(lines) > most:
        yield Row(f"… {len(lines) - most} lines more", "quiet")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
