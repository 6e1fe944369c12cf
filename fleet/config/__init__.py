"""Reads configuration files into policies: what is not understood is refused, never guessed."""

from fleet.config.checks import check_from
from fleet.config.detect import suggest
from fleet.config.repository import read_repo_policy
from fleet.config.user import read_user_policy

__all__ = [
    "check_from",
    "read_repo_policy",
    "read_user_policy",
    "suggest",
]
