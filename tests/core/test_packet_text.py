"""The review packet as lines: what is computed stands there, and nothing has an effect."""

from typing import Any

import histories as h

from fleet.core.assessment import Assessment, Complexity, Finding, Found, Reason
from fleet.core.causes import CheckResult
from fleet.core.packet import Identity, Measured, Neighbourhood, Packet, Proof
from fleet.core.packet_text import parts

GREEN = Proof(result=h.GREEN, merged=True, tree="f" * 40, onto="a" * 40)
MERGED = "ffffffffff onto aaaaaaaaaa"
RED = Proof(result=CheckResult("lint", "failed", 0.5, "/log/lint", 1), merged=False)


def packet(**said: Any) -> Packet:
    identity = Identity(
        task="importer", title="Import CSV", revision=2, sealed="1" * 40, base="2" * 40,
        diff="3" * 64, branch="fleet/importer", target="main", agent="shell", model="large",
        attempt=3, conversation=None, owner="person", parents=("prices",), auto_commit=True,
        approved_by=None,
    )  # fmt: skip
    plain: dict[str, Any] = {"prompt": "Import it.", "criteria": (), "evidence": (), "summary": "",
                             "stat": ""}  # fmt: skip
    return Packet(identity=identity, **(plain | said))


def text(found: Packet, name: str) -> list[str]:
    return [row.text for part in parts(found) if part.name == name for row in part.rows]


def test_what_the_change_is() -> None:
    assert text(packet(), "change") == [
        "importer  Import CSV",
        "revision 2 → main  sealed 1111111111  base 2222222222  diff 333333333333",
        "by shell (large), attempt 3  after prices",
        "it has uncommitted work that fleet committed",
        "not approved",
    ]


def test_the_risk_is_a_sum() -> None:
    reasons = (Reason(5, "decides what may land: fleet.yaml"), Reason(1, "300 changed lines"))

    assert text(packet(), "risk") == ["not assessed yet"]
    assert text(packet(assessment=Assessment(reasons=reasons)), "risk") == [
        "high, 6 points", "+5  decides what may land: fleet.yaml", "+1  300 changed lines",
    ]  # fmt: skip


def test_a_criterion_without_evidence_says_so() -> None:
    criteria = (Measured(text="make test", proofs=(RED, GREEN)), Measured(text="reject headers"),
                Measured(text="make lint", proofs=(RED,)))  # fmt: skip

    assert text(packet(criteria=criteria), "criteria") == [
        f"✓  make test: passed, exit 0, 1.0 s, on the merged tree {MERGED}  /log/test",
        "?  reject headers: NO EVIDENCE",
        "✗  make lint: failed with exit code 1, 0.5 s, in the workspace  /log/lint",
    ]
    assert text(packet(), "evidence") == ["NO EVIDENCE: no check has run on it"]


def test_simplicity_is_compared() -> None:
    found = Assessment(
        lines=300, files=2, test_lines=40, criteria=3, expected=120, median=40.0,
        complexity=Complexity(12, 31, 19, Finding("function", "load 9, new", "src/a.py", 4)),
        names=Found(9, (Finding("name", "load", "src/a.py", 4),)),
    )  # fmt: skip

    assert text(packet(assessment=found), "simplicity") == [
        "lines: 300 in 2 files, for 3 criteria: 100 each; usual here: 40; 120 lines were expected",
        "beside them: 40 of tests, 0 generated",
        "complexity: +19 (12 → 31); most: load 9, new (src/a.py:4)",
        "copies: none", "new dependencies: none", "new settings: none",
        "new public names: load (src/a.py:4) and 8 more",
    ]  # fmt: skip


def test_claims_are_told_below_the_words_they_are_in() -> None:
    found = Assessment(claims=Found(1, (Finding("name", "backoff"),)))

    assert text(packet(summary="Add backoff", assessment=found), "its own words") == [
        "Add backoff", "! it names backoff, which is nowhere in the change",
    ]  # fmt: skip


def test_what_goes_on_around_it() -> None:
    around = Neighbourhood(state="ready", position=1, length=3, waits_for="a review",
                           landed=("abc123 Fix it",), conflicts=("src/a.py",))  # fmt: skip

    assert text(packet(neighbourhood=around), "around it") == [
        "#1 of 3 in the queue: ready, waits for a review",
        "landed in its files since it was begun:", "  abc123 Fix it", "conflicts: src/a.py",
    ]  # fmt: skip


def test_nothing_that_others_wrote_reaches_the_terminal_as_more_than_text() -> None:
    evil = "a\x1b]0;owned\x07\x1b[31mb\rc\x9b2J"
    finding = Finding(evil, evil, evil, 1)
    some = Found(1, (finding,))
    found = Assessment(weakened=some, claims=some, names=some, duplicates=some, settings=some,
                       dependencies=some, complexity=Complexity(worst=finding),
                       reasons=(Reason(1, evil),))  # fmt: skip
    proof = Proof(result=CheckResult(evil, "passed", 1.0, evil, 0), merged=True)
    around = Neighbourhood(position=1, waits_for=evil, landed=(evil,), conflicts=(evil,))
    all_of_it = packet(
        prompt=evil, summary=evil, stat=evil, criteria=(Measured(text=evil, proofs=(proof,)),),
        evidence=(proof,), assessment=found, neighbourhood=around, comments=(evil,),
        proofs=(evil,), next=(evil,),
    )  # fmt: skip

    rows = [row.text for part in parts(all_of_it) for row in part.rows]

    assert not [
        row for row in rows if any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in row)
    ]


def test_long_texts_are_cut_and_say_so() -> None:
    assert text(packet(prompt="line\n" * 100), "asked for")[-1] == "… 76 lines more"
