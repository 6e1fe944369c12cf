"""A new task as it is typed: what is wrong with it is said by field, before anyone is asked."""

from collections.abc import Mapping

from msgspec import Struct

from fleet.core.commands import Spawn
from fleet.core.durations import seconds
from fleet.core.policy import Land
from fleet.errors import FleetError, UsageError

FORM = ""  # the field of a fault that no field is to blame for
_MOST_ATTEMPTS = 1000
_LANDS: dict[str, Land] = {"review": "review", "auto": "auto"}


class Draft(Struct, frozen=True, kw_only=True):
    """What is typed into each field, as it is typed; what is empty follows the policy."""

    prompt: str = ""
    repository: str = ""
    agent: str = ""
    name: str = ""
    title: str = ""
    checks: str = ""
    after: str = ""
    target: str = ""
    attempts: str = ""
    time_limit: str = ""
    budget: str = ""
    land: str = ""


FIELDS = Draft.__struct_fields__
_CHOSEN = ("repository", "agent", "land")  # they hold something before anyone has typed


class FaultyError(Exception):
    """What cannot be sent; `faults` are by field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = dict(faults)


def typed(draft: Draft) -> bool:
    """Whether a person has typed anything."""
    return any(getattr(draft, field).strip() for field in FIELDS if field not in _CHOSEN)


def spawn(draft: Draft, environment: Mapping[str, str]) -> Spawn:
    """Return the request that a draft stands for.

    Raises:
        FaultyError: some fields cannot be understood.
    """
    faults: dict[str, str] = {}
    if not draft.prompt.strip():
        faults["prompt"] = "say what is to be done"
    if not draft.repository:
        faults["repository"] = "this is no repository; open the dashboard in one"
    attempts = _read(faults, "attempts", draft.attempts, _attempts)
    timeout_s = _read(faults, "time_limit", draft.time_limit, seconds)
    budget_usd = _read(faults, "budget", draft.budget, _dollars)
    if faults:
        raise FaultyError(faults)
    return Spawn(
        cwd=draft.repository,
        prompt=draft.prompt.strip(),
        environment=dict(environment),
        name=draft.name.strip() or None,
        title=draft.title.strip() or None,
        agent=draft.agent or None,
        target=draft.target.strip() or None,
        after=tuple(draft.after.replace(",", " ").split()),
        checks=tuple(line.strip() for line in draft.checks.splitlines() if line.strip()),
        attempts=None if attempts is None else int(attempts),
        budget_usd=budget_usd,
        timeout_s=timeout_s,
        land=_LANDS.get(draft.land),
    )


def _read(faults: dict[str, str], field: str, text: str, read: object) -> float | None:
    if not text.strip():
        return None
    try:
        value = read(text.strip()) if callable(read) else None
    except UsageError as error:
        faults[field] = error.hint or error.message
        return None
    return value if isinstance(value, float) else None


def _attempts(text: str) -> float:
    if not (text.isdecimal() and 1 <= int(text[:9]) <= _MOST_ATTEMPTS):
        raise UsageError(f"a number from 1 to {_MOST_ATTEMPTS}")
    return float(int(text))


def _dollars(text: str) -> float:
    number = text.removeprefix("$").strip()
    if not number.replace(".", "", 1).isdecimal():
        raise UsageError("dollars, like 2 or 2.50")
    return float(number)


_ABOUT = (
    ("--name", "name"),
    ("task's name", "name"),
    ("--target", "target"),
    ("there is no branch", "target"),
    ("there is no task", "after"),
    ("could be", "after"),
    ("agent", "agent"),
    ("PATH", "agent"),
    ("cannot execute", "agent"),
    ("a check", "checks"),
    ("land unseen", "land"),
    ("fleet.yaml", "repository"),
    ("repository", "repository"),
    ("clone", "repository"),
    ("prompt", "prompt"),
)


def fault(error: FleetError) -> dict[str, str]:
    """Return a refusal by the field that it is about, as far as its words tell."""
    said = f"{error.message} {error.hint or ''}"
    field = next((field for words, field in _ABOUT if words in said), FORM)
    hint = error.hint if error.hint and "--" not in error.hint else None
    return {field: f"{error.message}; {hint}" if hint else error.message}
