"""Size, gates, sensitive paths, and what is no ordinary change of a text file."""

from pathlib import Path

import measured
import pytest
from measured import Changed

from fleet.evaluation import shape
from fleet.evaluation.gates import gates
from fleet.evaluation.kinds import Kinds
from fleet.evaluation.source import Source

LINES = "".join(f"line {number}\n" for number in range(10))


def test_tests_and_generated_files_are_counted_apart(changed: Changed) -> None:
    source = changed(
        {"src/a.py": "1\n"},
        {"src/a.py": "2\n3\n", "tests/test_a.py": "1\n", "uv.lock": LINES, "docs/a.md": "1\n"},
    )

    assert shape.sizes(source.files, Kinds()) == {
        "lines": 4, "files": 2, "test_lines": 1, "generated_lines": 10,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, b"\0\1\2", "binary"),
        (LINES, LINES.replace("\n", "\r\n"), "line ends"),
        (None, "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "lfs"),
    ],
)
def test_unusual_contents(
    changed: Changed, before: str | None, after: str | bytes, kind: str
) -> None:
    source = changed({"a.txt": before} if before else {}, {"a.txt": after})

    assert [it.kind for it in shape.unusual(source)] == [kind]


def test_some_new_line_ends_are_an_ordinary_change(changed: Changed) -> None:
    source = changed({"a.txt": LINES}, {"a.txt": LINES.replace("3\n", "3\r\n")})

    assert list(shape.unusual(source)) == []


def test_links_modes_and_submodules(tmp_path: Path) -> None:
    base = measured.commit(tmp_path, {"a.sh": "echo\n", "b": "b\n"})
    (tmp_path / "a.sh").chmod(0o755)
    (tmp_path / "link").symlink_to("/etc/passwd")
    measured.git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{base},sub")
    (tmp_path / "sub").mkdir()
    sealed = measured.commit(tmp_path, {})

    with Source(tmp_path / ".git", base, sealed) as source:
        assert [it.kind for it in shape.unusual(source)] == ["mode", "link", "submodule"]


def test_attributes_together_with_code(changed: Changed) -> None:
    both = changed({}, {".gitattributes": "* -text\n", "a.py": "x = 1\n"})

    assert [it.kind for it in shape.unusual(both)] == ["attributes"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("db/migrations/0001.py", True), ("src/userAuth.ts", True), ("pkg/crypto/aes.go", True),
        ("app/PaymentService.java", True), ("src/author.py", False), ("docs/auth.md", False),
    ],
)  # fmt: skip
def test_sensitive_paths(changed: Changed, path: str, told: object) -> None:
    source = changed({}, {path: "x\n"})

    assert [it.path for it in shape.risky_paths(source.files)] == ([path] if told else [])


def test_what_lies_outside_of_the_scope(changed: Changed) -> None:
    source = changed({}, {"src/parser/a.py": "", "src/b.py": "", "tests/t.py": ""})

    strays = shape.strays(source.files, ("src/parser/", "tests/**"))

    assert [it.path for it in strays] == ["src/b.py"]
    assert list(shape.strays(source.files, ())) == []


PYPROJECT = '[project]\nname = "a"\n\n[tool.ruff]\nselect = ["ALL"]\n'
PACKAGE = '{"version": "1", "scripts": {"test": "jest"}}'


@pytest.mark.parametrize(
    ("path", "before", "after", "judges", "told"),
    [
        ("fleet.yaml", "a", "b", (), True),
        (".github/workflows/ci.yml", "a", "b", (), True),
        ("sub/conftest.py", "a", "b", (), True),
        ("Cargo.lock", "a", "b", (), True),
        ("src/a.py", "a", "b", ("make test",), False),
        ("scripts/check", "a", "b", ("./scripts/check --fast",), True),
        ("tests/test_a.py", "a", "b", ("pytest tests/test_a.py",), False),
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace("ALL", "E"), (), True),
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace('"a"', '"b"'), (), False),
        ("package.json", PACKAGE, PACKAGE.replace("jest", "true"), (), True),
        ("package.json", PACKAGE, PACKAGE.replace('"1"', '"2"'), (), False),
        ("package.json", PACKAGE, "{", (), True),
    ],
)
def test_what_decides_what_may_land(
    changed: Changed, path: str, before: str, after: str, *, judges: tuple[str, ...], told: object
) -> None:
    source = changed({path: before}, {path: after})

    assert [it.path for it in gates(source, judges)] == ([path] if told else [])
