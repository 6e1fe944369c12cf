"""What running tests on other code than their own says of a change."""

from typing import Literal

from msgspec import Struct

from fleet.core.causes import CheckResult
from fleet.core.ids import Commit

Kind = Literal["old-tests", "new-tests"]
State = Literal["proven", "refuted", "nothing-to-prove", "unbuildable"]
KINDS: tuple[Kind, ...] = ("old-tests", "new-tests")
LOGS = "proof-"  # how the names of their logs begin


class Proof(Struct, frozen=True):
    """What the checks said of a tree that mixes a change with the target at `onto`.

    `old-tests` is the new code with the target's own tests: proven where they pass, refuted where
    they fail. `new-tests` is the target's code with the change's tests: proven where they fail.
    `unbuildable` is whatever could not be tried to its end. `rules` is the digest of what was to
    be run; `why` says what the state alone does not.
    """

    kind: Kind
    state: State
    onto: Commit
    rules: str
    tree: str = ""
    commit: str = ""
    results: tuple[CheckResult, ...] = ()
    why: str = ""
