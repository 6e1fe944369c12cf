"""What is around a person who gives a task: the repository, and what its agents get from there."""

from pathlib import Path

from fleet import paths
from fleet.client.environment import agent_environment


def repository_around(directory: Path) -> Path | None:
    """Return the root of the checkout around a directory, or None outside one."""
    above = (directory, *directory.parents)
    return next((it for it in above if (it / ".git").exists()), None)


def environment_for(root: Path | None) -> dict[str, str]:
    """Return what agents in a checkout get of our environment, with what `env:` names.

    Raises:
        ConfigError: a file that may name some is not understood.
    """
    user, local = paths.user_config(), None if root is None else root / "fleet.yaml"
    names: tuple[str, ...] = ()
    if user.exists():
        from fleet.config import read_user_policy  # noqa: PLC0415 (it loads YAML)

        names += read_user_policy(user).env
    if local is not None and local.exists():
        names += _named_by(local)
    return agent_environment(names)


def _named_by(file: Path) -> tuple[str, ...]:
    from fleet.config import read_repo_policy  # noqa: PLC0415 (it loads YAML)

    return read_repo_policy(file.read_bytes(), name=str(file), source="uncommitted").env
