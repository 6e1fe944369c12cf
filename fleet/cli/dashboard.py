"""Opens the dashboard as a person's own configuration wants it; it is loaded only for that."""

from fleet import paths
from fleet.tui.app import Settings, run


def dashboard() -> int:
    """Show the dashboard until the person leaves it; return the exit code."""
    path, settings = paths.user_config(), Settings()
    if path.exists():
        from fleet.config import read_user_policy  # noqa: PLC0415 (it loads YAML)

        policy = read_user_policy(path)
        settings = Settings(theme=policy.theme, keys=policy.keys, mouse=policy.mouse)
    return run(paths.home(), settings)
