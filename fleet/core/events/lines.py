"""What can become known of the line of one target: of trains of changes, and of trees."""

from fleet.core.causes import CheckResult
from fleet.core.events.base import RepoEvent
from fleet.core.line import Clash, Train


class TrainMerged(RepoEvent, frozen=True, tag="train.merged"):
    """Changes were merged one after the other; no reference moved."""

    target: str
    train: Train


class TrainClashed(RepoEvent, frozen=True, tag="train.clashed"):
    """A change does not merge onto those in front of it; only at the head it is to blame."""

    target: str
    clash: Clash


class EvidenceForgotten(RepoEvent, frozen=True, tag="evidence.forgotten"):
    """What checks said of `trees` counts no more: it is too old, or `by` wants them tried again."""

    target: str
    trees: tuple[str, ...]
    reason: str
    by: str = ""


class TreeChecked(RepoEvent, frozen=True, tag="tree.checked"):
    """Checks were run on one tree: what each said, by its definition and environment."""

    target: str
    tree: str
    results: dict[str, CheckResult]
