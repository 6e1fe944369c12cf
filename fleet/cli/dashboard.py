"""Opens the dashboard as a person's own configuration wants it; it is loaded only for that."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet import paths
from fleet.errors import ConfigError
from fleet.tui.app import Settings, run


def dashboard() -> int:
    """Show the dashboard until the person leaves it; return the exit code."""
    with placing(paths.user_config()):
        return run(paths.home(), settings())


@contextmanager
def placing(file: Path) -> Iterator[None]:
    """Say in which line of `file` it stands, where the dashboard does not understand a value."""
    try:
        yield
    except ConfigError as error:
        if not error.key:
            raise
        from fleet.config.placing import placed  # noqa: PLC0415 (it loads YAML)

        raise placed(error, file.read_bytes(), name=str(file)) from error


def settings() -> Settings:
    """Return what a person's own configuration says of the dashboard."""
    path = paths.user_config()
    if not path.exists():
        return Settings()
    from fleet.config import read_user_policy  # noqa: PLC0415 (it loads YAML)

    policy = read_user_policy(path)
    return Settings(theme=policy.theme, keys=policy.keys, mouse=policy.mouse)
