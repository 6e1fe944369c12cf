"""Which files decide what a check says: whoever may change them unseen can have everything pass."""

import re
from functools import lru_cache
from posixpath import normpath

from fleet.core.globs import matches
from fleet.core.policy import Check

POLICY = "fleet.yaml"
_ALWAYS = (
    f"/{POLICY}",
    # CI
    ".github/",
    ".gitlab-ci.yml",
    ".gitlab/ci/",
    ".circleci/",
    ".buildkite/",
    ".woodpecker*",
    ".drone.yml",
    ".travis.yml",
    "Jenkinsfile",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    # what git and its hooks do to files on their way
    ".gitattributes",
    ".lfsconfig",
    ".githooks/",
    ".husky/",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    # what test runners load by itself
    "conftest.py",
    "sitecustomize.py",
)
# The files in which a program that a check begins with finds what it is to do.
_PYTEST = ("pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini")
_NODE = ("package.json",)
_OF_PROGRAM = {
    "make": ("GNUmakefile", "makefile", "Makefile", "*.mk"),
    "gmake": ("GNUmakefile", "makefile", "Makefile", "*.mk"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    "rake": ("Rakefile",),
    **dict.fromkeys(("npm", "npx", "pnpm", "yarn", "bun"), _NODE),
    "jest": ("package.json", "jest.config.*"),
    "vitest": ("package.json", "vitest.config.*", "vite.config.*"),
    "pytest": _PYTEST,
    "tox": ("tox.ini", "pyproject.toml", "setup.cfg"),
    "nox": ("noxfile.py",),
    "mypy": ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"),
    "ruff": ("ruff.toml", ".ruff.toml", "pyproject.toml"),
    "pre-commit": (".pre-commit-config.yaml",),
    "cargo": ("Cargo.toml", "build.rs", ".cargo/"),
    "gradle": ("*.gradle", "*.gradle.kts"),
    "gradlew": ("gradlew", "*.gradle", "*.gradle.kts"),
    "mvn": ("pom.xml",),
    "mvnw": ("mvnw", "pom.xml"),
    "mix": ("mix.exs",),
    "rspec": (".rspec", "spec_helper.rb"),
    "tsc": ("tsconfig*.json",),
}
# Programs that look at files and run none of them: what they are given is what is judged.
_LOOK_ONLY = frozenset(
    {"test", "[", "[[", "grep", "egrep", "fgrep", "rg", "cat", "head", "tail", "wc", "ls", "stat"}
    | {"diff", "cmp", "find", "echo", "printf", "true", "false", "mkdir", "touch", "cd", "rm"}
)
_BETWEEN_COMMANDS = re.compile(r"[;&|\n(){}]+")
_BETWEEN_WORDS = re.compile(r"[\s;&|()<>{}'\"`$=:,]+")


@lru_cache(maxsize=1024)
def definitions(
    files: tuple[str, ...], checks: tuple[Check, ...], own: tuple[Check, ...] = ()
) -> tuple[str, ...]:
    """Return those of `files` that decide what `checks`, or any others, say.

    What a command runs can be told where it names the file, or begins with a program that has a
    file of its own for that. What that file runs in turn cannot be told. A task's `own` checks
    mostly name what is to be made, so that only their programs count.
    """
    words = {word for check in checks for word in _words(check.run)}
    programs = words.union(*(_words(check.run) for check in own))
    patterns = tuple(
        pattern
        for program in programs
        for pattern in _OF_PROGRAM.get(program.rpartition("/")[2], ())
    )
    return tuple(file for file in files if _decides(file, patterns, words))


def _words(command: str) -> set[str]:
    """Return the words of what a command runs; of those that only look at files, no more."""
    found: set[str] = set()
    for simple in _BETWEEN_COMMANDS.split(command):
        words = [word for word in _BETWEEN_WORDS.split(simple) if word not in {"", "!"}]
        if words and words[0].rpartition("/")[2] not in _LOOK_ONLY:
            found.update(normpath(word).removeprefix("/") for word in words)
    return found


def _decides(file: str, patterns: tuple[str, ...], words: set[str]) -> bool:
    if matches(file, _ALWAYS) or matches(file, patterns):
        return True
    # Commands change directories: what is named there may lie below any of them.
    parts = file.split("/")
    tails = ("/".join(parts[at:]) for at in range(len(parts)))
    return any(tail in words and (tail == file or _is_file(tail)) for tail in tails)


def _is_file(word: str) -> bool:
    """Whether a word in a command is more likely to be a file than anything else."""
    return "/" in word or "." in word
