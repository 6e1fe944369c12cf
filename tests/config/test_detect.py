"""`fleet init` says what a repository shows, leaves the rest as comments, and always loads."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.config import read_repo_policy, suggest
from fleet.config.repository import REPO_KEYS
from fleet.core.policy import RepoPolicy

MAKE = ".PHONY: test\ntest: deps\n\tpytest\ncheck: test\nlint:\n\truff .\nlint2 := x\n"
NPM_INIT = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'


def policy(files: Mapping[str, str], tracked: tuple[str, ...] = ()) -> RepoPolicy:
    text = suggest(files, files.__getitem__, tracked=tracked)
    return read_repo_policy(text.encode(), source="uncommitted")


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({}, []),
        ({"Makefile": MAKE}, ["make test", "make lint"]),
        ({"Makefile": "check:\n", "Cargo.toml": ""}, ["make check"]),
        ({"Makefile": "test := x\nbuild:\n", "Cargo.toml": ""}, ["cargo test"]),
        ({"justfile": "test:\n  x\n"}, ["just test"]),
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, ["pytest -q"]),
        ({"pyproject.toml": 'test = ["pytest>=8"]', "uv.lock": ""}, ["uv run pytest -q"]),
        ({"pyproject.toml": 'pytest = "^8"', "poetry.lock": ""}, ["poetry run pytest -q"]),
        ({"pyproject.toml": "[project]"}, []),
        ({"pytest.ini": ""}, ["pytest -q"]),
        (
            {"package.json": '{"scripts": {"test": "jest", "lint": "x"}}'},
            ["npm run test", "npm run lint"],
        ),
        ({"package.json": '{"scripts": {"test": "jest"}}', "yarn.lock": ""}, ["yarn test"]),
        ({"package.json": NPM_INIT}, []),
        ({"package.json": "{"}, []),
        ({"package.json": "[]"}, []),
        ({"package.json": '{"scripts": []}'}, []),
        ({"package.json": "[" * 100_000}, []),
        ({"go.mod": ""}, ["go test ./..."]),
        ({"gradlew": "", "pom.xml": ""}, ["./gradlew test"]),
        ({"sub/Makefile": MAKE}, []),
    ],
)
def test_checks_are_the_repositorys_own(files: dict[str, str], commands: list[str]) -> None:
    assert [check.run for check in policy(files).checks] == commands


def test_without_a_sign_of_tests_the_file_says_so() -> None:
    assert "without checks nothing lands by itself" in suggest([], str)
    assert not policy({}).needs_trust


def test_setup_and_caches_follow_the_lock_files() -> None:
    found = policy({"package.json": "{}", "package-lock.json": "", "uv.lock": "", "Cargo.toml": ""})
    assert found.setup == ("npm ci", "uv sync")
    assert found.keep == ("node_modules", ".venv", "target")
    assert policy({".venv/": ""}).keep == (".venv",)


def test_private_files_are_copied_and_templates_and_tracked_files_are_not() -> None:
    files = {".env": "", ".env.local": "", ".env.example": "", ".env.shared": "", ".env.\x1b[": ""}
    assert policy(files, tracked=(".env.shared",)).copy == (".env", ".env.local")


def test_a_file_that_cannot_be_read_says_nothing() -> None:
    def read(name: str) -> str:
        raise PermissionError(name)

    text = suggest(["Makefile", "package.json", "pyproject.toml"], read)
    assert read_repo_policy(text.encode(), source="target").checks == ()


def test_every_key_is_shown_and_every_comment_may_be_taken_in() -> None:
    text = suggest([], str)
    for key in REPO_KEYS:
        assert re.search(rf"^(# )?{key.name}:", text, re.MULTILINE), key.name
    lines = [line for line in text.splitlines() if re.match(r"# [a-z_]+: ", line)]
    assert len(lines) == len(REPO_KEYS) - 1  # all but `checks`, which has its own lines
    read_repo_policy("\n".join(line[2:] for line in lines).encode(), source="target")


@given(
    st.dictionaries(
        st.sampled_from(["Makefile", "package.json", "pyproject.toml", ".env"]) | st.text(),
        st.text(),
    )
)
def test_whatever_a_repository_holds_the_text_loads(files: dict[str, str]) -> None:
    policy(files)
