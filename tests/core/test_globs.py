"""Patterns mean what `.gitignore` means by them, and none takes for ever."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet.core.globs import matches


@pytest.mark.parametrize(
    ("path", "patterns", "meant"),
    [
        ("tests/a/b.py", ["tests/**"], True),
        ("tests", ["tests/**"], False),
        ("a/tests/b.py", ["tests/**"], False),
        ("a/tests/b.py", ["tests/"], True),
        ("tests", ["tests/"], False),
        ("tests/a", ["tests"], True),
        ("conftest.py", ["**/conftest.py"], True),
        ("a/b/conftest.py", ["**/conftest.py"], True),
        ("a/x/y/b", ["a/**/b"], True),
        ("a/b", ["a/**/b"], True),
        ("ab", ["a/**/b"], False),
        ("a/b.py", ["*.py"], True),
        ("a/b.py", ["/*.py"], False),
        ("docs/a.md", ["docs/*.md"], True),
        ("docs/a/b.md", ["docs/*.md"], False),
        ("docs/a/b.md", ["docs/*"], True),
        ("a1", ["a?"], True),
        ("a", ["a?"], False),
        ("a/b", ["a?b"], False),
        ("x1", ["x[0-9]"], True),
        ("x1", ["x[^0-9]"], False),
        ("x1", ["x[!0-9]"], False),
        ("a\nb.py", ["*.py"], True),
        ("A", ["a"], False),
        ("a", ["**"], True),
        ("a", [], False),
        ("a", ["", "/", "//"], False),
        ("docs/a", ["**", "!docs/"], False),
        ("src/a", ["**", "!docs/"], True),
        ("docs/a", ["**", "!docs/", "docs/a"], True),
        ("docs/a", ["!docs/"], False),
    ],
)
def test_a_pattern_means(path: str, patterns: list[str], *, meant: bool) -> None:
    assert matches(path, patterns) is meant


@pytest.mark.parametrize(
    "pattern", ["*a" * 500 + "b", "**/a/" * 500 + "b", "**/*a*/" * 300 + "b", "?*" * 300 + "b"]
)
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    assert not matches("a" * 5000, [pattern])
    assert not matches("/".join("a" * 5000), [pattern])


_NAMES = st.text("ab", min_size=1, max_size=2)
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_PATTERNS = st.builds(
    lambda names, ends: ends[0] + "/".join(names) + ends[1],
    st.lists(st.text("ab*?", min_size=1, max_size=2), min_size=1, max_size=4),
    st.tuples(st.sampled_from(["", "/", "!"]), st.sampled_from(["", "/"])),
)


@settings(max_examples=60, deadline=None)
@given(_PATHS, st.lists(_PATTERNS, min_size=1, max_size=1))
@example("a", ["**/"])
@example("a/b", ["a/**/"])
def test_git_reads_it_so(
    tmp_path_factory: pytest.TempPathFactory, path: str, patterns: list[str]
) -> None:
    where = _repository(tmp_path_factory)
    (where / ".gitignore").write_text("\n".join(patterns))
    said = subprocess.run(["git", "check-ignore", "--no-index", "-q", path], cwd=where, check=False)
    assert matches(path, patterns) == (said.returncode == 0)


def _repository(factory: pytest.TempPathFactory) -> Path:
    where = factory.getbasetemp() / "ignoring"
    if not where.exists():
        subprocess.run(["git", "init", "-q", str(where)], check=True)
    return where
