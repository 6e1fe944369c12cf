"""The ways in which fleet says no: each has a reason, a next step and an exit code."""

from collections.abc import Sequence


class FleetError(Exception):
    """Something a person can act on; `fleet.cli.main` alone prints it.

    `message` is one lower-case sentence without a full stop that names the thing; `hint`, where
    there is one, is the next command to type or step to take.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RefusedError(FleetError):
    """The request is understood, and the state of things forbids it."""


class UsageError(FleetError):
    """The request itself makes no sense."""

    exit_code = 2


class NoSupervisorError(FleetError):
    """No supervisor runs, and this command never starts one."""

    exit_code = 3


class TimedOutError(FleetError):
    """What was waited for did not happen in the time given."""

    exit_code = 124


class ConfigError(FleetError):
    """A configuration file says something we do not understand.

    `key` is where, one name within the other, if only who uses the value can tell: file and line
    are still to be found then.
    """

    def __init__(self, message: str, *, hint: str | None = None, key: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.key = tuple(key)


class HomeError(FleetError):
    """The fleet home cannot be used: unwritable, another machine's, or a newer version's."""


class ToolError(FleetError):
    """An outside program is missing, or answered something we cannot act on.

    `argv`, `code` and `stderr` tell what was run and what it said; `code` is None where the
    program could not be started at all.
    """

    def __init__(
        self,
        message: str,
        *,
        argv: Sequence[str] = (),
        code: int | None = None,
        stderr: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.argv = tuple(argv)
        self.code = code
        self.stderr = stderr
