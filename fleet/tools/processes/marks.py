"""The marks by which a process is known as ours: a token in its environment, and no name."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

RUN = "FLEET_RUN"
CHECK = "FLEET_CHECK"

# git reads these before its arguments, and tmux prefers $TMUX to -S: inherited from the pane a
# person started us in, they would send commands to the wrong place.
_MISLEADING = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"),
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX"),
    *("TMUX", "TMUX_PANE"),
}


class Token(Struct, frozen=True):
    """Whose a process is: of which fleet home, task and attempt."""

    home: str
    task: str
    attempt: int
    nonce: str


def token(home_id: str, task: str, attempt: int, nonce: str) -> str:
    """Return the token of a run or check, to be put into its environment.

    Raises:
        ValueError: a part is empty or has a character that the token's form does not allow.
    """
    made = f"{home_id}:{task}:{attempt}:{nonce}"
    if parse_token(made) != Token(home_id, task, attempt, nonce):
        raise ValueError(f"not to be put into a token: {made!r}")
    return made


def parse_token(text: str) -> Token | None:
    """Return what `text` says, or None if it is no token."""
    home, task, attempt, nonce = (*text.split(":"), "", "", "", "")[:4]
    if text.count(":") != 3 or not (home and task and nonce and attempt.isdecimal()):  # noqa: PLR2004 - four parts
        return None
    return Token(home, task, int(attempt), nonce) if text.isprintable() else None


def matches(text: str, prefix: str) -> bool:
    """Tell whether a token begins with the whole parts of `prefix`: task `a` is not task `ab`."""
    return text == prefix or text.startswith(prefix.removesuffix(":") + ":")


def is_foreign(text: str, prefix: str) -> bool:
    """Tell whether this is a token, and of a run that `prefix` does not name."""
    return parse_token(text) is not None and not matches(text, prefix)


def clean_environment(env: Mapping[str, str], *, extra: Iterable[str] = ()) -> dict[str, str]:
    """Return `env` without every FLEET_*, git's and tmux's pointers, and the names in `extra`."""
    unwanted = _MISLEADING | set(extra)
    return {
        name: value
        for name, value in env.items()
        if name not in unwanted and not name.startswith("FLEET_")
    }
