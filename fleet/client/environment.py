"""What of this process's environment goes on: to agents an allowed part, to the supervisor less."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from pathlib import Path

from fleet.paths import Home

# What agents get without being asked. A client does not know which agent will work, so that
# credentials are known by the form of their names; all else must be named in `env:`.
ALLOWED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "EDITOR", "PAGER"),
    *("LANG", "LANGUAGE", "LC_*", "TZ", "TERMINFO", "TERMINFO_DIRS", "COLORTERM", "NO_COLOR"),
    *("XDG_*", "DBUS_SESSION_BUS_ADDRESS"),
    # languages and their tools: virtual environments, version managers, caches
    *("VIRTUAL_ENV", "CONDA_*", "PYENV_*", "NVM_*", "FNM_*", "ASDF_*", "MISE_*", "RBENV_*"),
    *("*_HOME", "GOPATH", "GOROOT", "GOFLAGS", "NIX_*", "DIRENV_*", "LD_LIBRARY_PATH"),
    # who commits, and how repositories are reached
    *("GIT_AUTHOR_*", "GIT_COMMITTER_*", "GIT_SSH*", "GIT_ASKPASS", "GIT_CONFIG_GLOBAL"),
    *("GIT_CONFIG_NOSYSTEM", "SSH_AUTH_SOCK", "SSH_ASKPASS", "GPG_TTY"),
    # the way to the network
    *("*_PROXY", "*_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    *("CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    # agents: their credentials, where they are sent, and the models and settings they use
    *("*_API_KEY", "*_AUTH_TOKEN", "*_OAUTH_TOKEN", "*_BASE_URL", "*_API_BASE", "*_API_VERSION"),
    *("*_CONFIG_DIR", "*_MODEL"),
)
# Nothing lets these through: the first name our own sweep's prey, the others would lead the
# agent's git or tmux to the place where a person happened to type.
NEVER = (
    *("FLEET_*", "TMUX", "TMUX_*", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"),
    *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"),
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)
_KEEPER_NEVER = ("FLEET_*", "GIT_*", "TMUX", "TMUX_*")


def agent_environment(names: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of our environment that agents get: `ALLOWED`, and what `names` lists."""
    return permitted(os.environ, names)


def permitted(environment: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of `environment` that agents get: `ALLOWED`, and what `names` lists."""
    allowed = (*ALLOWED, *names)
    return {
        name: value
        for name, value in environment.items()
        if _matches(name, allowed) and not _matches(name, NEVER)
    }


def keeper_environment(home: Path) -> dict[str, str]:
    """Return the environment in which a supervisor for `home` is started."""
    ours = {name: value for name, value in os.environ.items() if not _matches(name, _KEEPER_NEVER)}
    return ours | {"FLEET_HOME": str(home)}


def actor() -> str:
    """Return on whose behalf we ask: the task whose agent has started us, else a person."""
    return os.environ.get("FLEET_TASK") or "person"


def inside_a_run(home: Home) -> bool:
    """Whether an agent of this very home has started us: whatever we start ends with its run."""
    mine = os.environ.get("FLEET_RUN", "").partition(":")[0]
    try:
        return bool(mine) and mine in home.identity.read_text(encoding="utf-8")
    except OSError:
        return False


def outer_tmux() -> str | None:
    """Return the $TMUX of the tmux that this process's terminal is in, or None outside tmux."""
    return os.environ.get("TMUX") or None


def without_tmux() -> dict[str, str]:
    """Return our environment for a tmux client, which inside another tmux would refuse to start."""
    return {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}


def ourselves(home: Home) -> tuple[str, ...]:
    """Return how a new window starts this program: outside our tmux, and for the same home."""
    root = f"FLEET_HOME={home.root}"
    return ("env", "-u", "TMUX", "-u", "TMUX_PANE", root, sys.executable, "-P", "-m", "fleet")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return _pattern(patterns).match(name) is not None


@lru_cache(maxsize=16)
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one expression for all of them: a supervisor looks at each name of every spawn."""
    return re.compile("|".join(map(translate, patterns)))
