"""What the user's own configuration of Codex says that fleet has to know: it is only read."""

import tomllib

from fleet.agents.adapter import Request

_RETRIES = 5  # where it does not say


def file(request: Request) -> str | None:
    """Return where it is."""
    home = request.environment.get("HOME")
    folder = request.environment.get("CODEX_HOME") or (f"{home}/.codex" if home else None)
    return folder and f"{folder}/config.toml"


def attempts(request: Request) -> int:
    """Return how often a request is made before a turn breaks off."""
    try:
        said = tomllib.loads(request.config.get(file(request) or "") or "")
        provider = said["model_providers"][said["model_provider"]]
        retries = provider["stream_max_retries"]
    except (tomllib.TOMLDecodeError, RecursionError, KeyError, TypeError):
        return 1 + _RETRIES
    return 1 + (retries if isinstance(retries, int) and retries >= 0 else _RETRIES)
