"""Reads configuration files into policies: what is not understood is refused, never guessed."""

from fleet.config.checks import check_from
from fleet.config.detect import suggest
from fleet.config.durations import moment, seconds, show
from fleet.config.repository import read_repo_policy
from fleet.config.user import read_user_policy

__all__ = [
    "check_from",
    "moment",
    "read_repo_policy",
    "read_user_policy",
    "seconds",
    "show",
    "suggest",
]
