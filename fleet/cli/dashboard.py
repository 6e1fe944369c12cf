"""Opens the dashboard as a person's own configuration wants it; it is loaded only for that."""

from fleet import paths
from fleet.tui.app import Settings, run


def dashboard() -> int:
    """Show the dashboard until the person leaves it; return the exit code."""
    return run(paths.home(), settings())


def settings() -> Settings:
    """Return what a person's own configuration says of the dashboard."""
    path = paths.user_config()
    if not path.exists():
        return Settings()
    from fleet.config import read_user_policy  # noqa: PLC0415 (it loads YAML)

    policy = read_user_policy(path)
    return Settings(theme=policy.theme, keys=policy.keys, mouse=policy.mouse)
