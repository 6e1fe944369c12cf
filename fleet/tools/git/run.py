"""Runs git: the only place that starts it, with an environment that cannot mislead it."""

import importlib
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO, cast

from fleet.errors import ToolError

OLDEST = (2, 38)  # the first whose `merge-tree --write-tree` merges without a work tree

_INSTALL = "install git 2.38 or newer"
_GRACE_S = 5.0  # for git to remove its lock files once it is told to end

# git obeys these before its arguments: inherited from the hook, the alias or the pane that
# started us they would send our commands to another repository, index or configuration.
_MISLEADING = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX"),
    *("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_SHALLOW_FILE"),
    *("GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_QUARANTINE_PATH"),
    *("GIT_REPLACE_REF_BASE", "GIT_NO_REPLACE_OBJECTS", "GIT_GRAFT_FILE", "GIT_ATTR_SOURCE"),
    *("GIT_DEFAULT_HASH", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"),
    *("GIT_NOGLOB_PATHSPECS", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_REFLOG_ACTION"),
    *("GIT_TRACE", "GIT_REF_PARANOIA", "GIT_INTERNAL_SUPER_PREFIX"),
)
_ALWAYS = {
    "GIT_OPTIONAL_LOCKS": "0",  # a status of ours must never take the index lock of an agent's git
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": ":",
    "LC_ALL": "C",
}
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "core.fsmonitor=false",
    "safe.bareRepository=all",
)

# With these, a merge has the same result whoever runs it: no user or system configuration or
# attributes, and each setting that changes a merge set here, over the repository's own.
_HERMETIC = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
}
_HERMETIC_SETTINGS = (
    *("core.attributesFile=/dev/null", "core.autocrlf=false", "core.quotePath=true"),
    *("merge.renames=true", "merge.renameLimit=7000", "merge.directoryRenames=conflict"),
    *("merge.renormalize=false", "merge.conflictStyle=merge", "merge.default=text"),
    *("diff.renames=true", "diff.renameLimit=1000", "diff.algorithm=myers"),
    *("diff.noprefix=false", "diff.mnemonicPrefix=false", "diff.external=", "commit.gpgSign=false"),
)

_HINTS = (
    (r"'([^']+\.lock)': File exists", "if no git runs in that repository, remove {}"),
    (r"No space left on device", "free some disk space, then try again"),
    (r"Disk quota exceeded", "free some disk space, then try again"),
    (r"cannot change to '([^']+)'", "the directory {} is gone"),
    (r"dubious ownership", "type: git config --global --add safe.directory DIRECTORY"),
    (r"[Aa]uthor identity unknown|empty ident name", "set user.name and user.email in git"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one git process said: its exit code, its output as it is, and its complaints."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """The output without its last line end; bytes that are not UTF-8 survive encoding back."""
        return os.fsdecode(self.out).removesuffix("\n")

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n") if self.out else []

    @property
    def fields(self) -> list[str]:
        """The parts of an output made with `-z`."""
        return os.fsdecode(self.out).removesuffix("\0").split("\0") if self.out else []


def git(
    cwd: Path,
    *args: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    expect: tuple[int, ...] = (0,),
    hermetic: bool = False,
    timeout_s: float | None = 600,
) -> Answer:
    """Run `git ARGS` in `cwd` and return its answer.

    No hook runs, nothing is asked on the terminal, and no lock is taken that could be left out.
    `hermetic` ignores the configuration and attributes of user and system, for merging.

    Raises:
        ToolError: there is no git or no such directory, the exit code is not one of `expect`, or
            `timeout_s` seconds passed; git was then told to end, and removed its lock files.
    """
    with _source(stdin) as source:
        child = _start(cwd, args, env=env, hermetic=hermetic, source=source)
    try:
        out, err = _listen(child, timeout_s)
    except TimeoutError:
        raise ToolError(
            f"git {_command(args)} in {cwd} took more than {timeout_s} seconds", argv=("git", *args)
        ) from None
    finally:
        _end(child)
    answer = Answer(child.returncode, out, os.fsdecode(err))
    if answer.code not in expect:
        raise failure(cwd, args, answer)
    return answer


def spawn(
    cwd: Path, *args: str, env: Mapping[str, str] | None = None, hermetic: bool = False
) -> subprocess.Popen[bytes]:
    """Start `git ARGS` in `cwd` with input, output and complaints on pipes; else as `git` does.

    The caller owns the process: it must end it, wait for it and close its pipes.
    """
    return _start(cwd, args, env=env, hermetic=hermetic, source=subprocess.PIPE)


@cache
def version() -> tuple[int, ...]:
    """Return git's version.

    Raises:
        ToolError: there is no git, or one that is older than `OLDEST`.
    """
    found = git(Path("/"), "--version").text
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", found)
    numbers = tuple(int(part or 0) for part in match.groups()) if match else (0,)
    if numbers < OLDEST:
        raise ToolError(f"{found} is too old", hint=_INSTALL)
    return numbers


def failure(cwd: Path, args: Sequence[str], answer: Answer) -> ToolError:
    """Return the error that tells what git said, for an exit code that was not expected."""
    said = next((line for line in answer.err.splitlines() if line.strip()), "no reason given")
    return ToolError(
        f"git {_command(args)} in {cwd} failed with exit code {answer.code}: {said}",
        argv=("git", *args),
        code=answer.code,
        stderr=answer.err,
        hint=_hint(answer.err),
    )


def _hint(err: str) -> str | None:
    for pattern, hint in _HINTS:
        if match := re.search(pattern, err):
            return hint.format(*match.groups())
    return None


def _command(args: Sequence[str]) -> str:
    """Return the name of the git command in `args`, which may begin with `-c NAME=VALUE`."""
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return " ".join(args)


def _cleaning(env: Mapping[str, str]) -> list[str]:
    """Return the prefix that hides misleading variables: GitPython can add some, not remove any."""
    stray = [name for name in _MISLEADING if name in os.environ and name not in env]
    return ["env", *(f"--unset={name}" for name in stray)] if stray else []


def _start(
    cwd: Path,
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None,
    hermetic: bool,
    source: IO[bytes] | int | None,
) -> subprocess.Popen[bytes]:
    # GitPython runs a command in our own directory, silently, where the one named is missing,
    # and expands `$` in names: so git itself changes the directory. Measured on 2 cores: 1.6 ms
    # a call, of which 0.2 ms are ours and GitPython's.
    settings = (*_SETTINGS, *_HERMETIC_SETTINGS) if hermetic else _SETTINGS
    options = [part for setting in settings for part in ("-c", setting)]
    library = _library()
    try:
        handle = library.Git().execute(
            [*_cleaning(env or {}), "git", "-C", str(cwd), *options, *args],
            as_process=True,
            istream=source,
            env={**_ALWAYS, **(_HERMETIC if hermetic else {}), **(env or {})},
            shell=False,
            process_group=0,
        )
    except library.GitCommandNotFound as error:
        raise ToolError("git is not installed", argv=("git", *args), hint=_INSTALL) from error
    child, handle.proc = handle.proc, None  # or its finalizer would end the process
    return cast("subprocess.Popen[bytes]", child)


@contextmanager
def _source(stdin: bytes | None) -> Iterator[IO[bytes] | None]:
    """Offer `stdin` as a file: unlike a pipe it need not be fed while the answer is read."""
    if stdin is None:
        yield None
        return
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        yield file


def _listen(child: subprocess.Popen[bytes], timeout_s: float | None) -> tuple[bytes, bytes]:
    """Return all that `child` writes, once it ended; TimeoutError after `timeout_s` seconds.

    Popen.communicate with a timeout looks for the end of the child only every 0.5 ms or more,
    which makes each call a third slower.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    pipes = [cast("IO[bytes]", child.stdout).fileno(), cast("IO[bytes]", child.stderr).fileno()]
    heard: dict[int, list[bytes]] = {pipe: [] for pipe in pipes}
    poll = select.poll()
    for pipe in pipes:
        poll.register(pipe, select.POLLIN)
    silent = 0
    while silent < len(pipes):
        left = None if deadline is None else max(deadline - time.monotonic(), 0) * 1000
        ready = poll.poll(left)
        if not ready:
            raise TimeoutError
        for pipe, _ in ready:
            data = os.read(pipe, 1 << 16)
            heard[pipe].append(data)
            if not data:
                poll.unregister(pipe)
                silent += 1
    child.wait()
    out, err = (b"".join(heard[pipe]) for pipe in pipes)
    return out, err


def _end(child: subprocess.Popen[bytes]) -> None:
    """Leave no process behind: ask git to end, so that it removes its locks; else kill it.

    A filter or an alias that git runs is of the same process group, and ends with it.
    """
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()


@cache
def _library() -> ModuleType:
    """Return GitPython; importing it takes 80 ms, runs git, and fails where there is none."""
    try:
        return importlib.import_module("git")
    except ImportError as error:
        raise ToolError("git is not installed", hint=_INSTALL) from error
