"""What a change adds for others to install, to set and to call, and what is said of it."""

import pytest
from measured import Changed

from fleet.evaluation.claims import claims
from fleet.evaluation.dependencies import dependencies
from fleet.evaluation.kinds import Kinds
from fleet.evaluation.surface import names, settings


@pytest.mark.parametrize(
    ("path", "before", "after", "new"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["a>=1"]\n',
         '[project]\ndependencies = ["a>=2", "B.c>1; x"]\n', ["b-c"]),
        ("pyproject.toml", "", '[dependency-groups]\ntest = ["pytest", {include-group = "x"}]\n',
         ["pytest"]),
        ("pyproject.toml", "", '[tool.poetry.dependencies]\npython = "3"\nrich = "1"\n', ["rich"]),
        ("requirements-dev.txt", "a==1\n", "# why\na==2\nb[x]>1\n-r other.txt\n", ["b"]),
        ("package.json", '{"dependencies": {"a": "1"}}',
         '{"dependencies": {"a": "2"}, "devDependencies": {"@x/b": "1"}}', ["@x/b"]),
        ("Cargo.toml", "[dependencies]\na = '1'\n",
         "[dependencies]\na = '1'\nserde = '1'\n[target.x.dependencies]\nlibc = '1'\n",
         ["serde", "libc"]),
        ("go.mod", "module x\n", "module x\nrequire (\n\tgithub.com/a/b v1.0.0\n)\n",
         ["github.com/a/b"]),
        ("Gemfile", 'gem "a"\n', 'gem "a"\ngem "b", "~> 1"\n', ["b"]),
        ("pyproject.toml", "", "= broken", []),
    ],
)  # fmt: skip
def test_new_dependencies(
    changed: Changed, path: str, before: str, after: str, new: list[str]
) -> None:
    found = list(dependencies(changed({path: before}, {path: after})))

    assert [it.text for it in found] == new


def test_a_lockfile_without_its_manifest(changed: Changed) -> None:
    assert [it.kind for it in dependencies(changed({}, {"uv.lock": "a"}))] == ["lockfile"]


@pytest.mark.parametrize(
    ("path", "before", "after", "new"),
    [
        ("a.py", "", 'x = os.environ["ONE"]\ny = os.getenv("TWO", "")\n', ["ONE", "TWO"]),
        ("a.py", 'os.environ["ONE"]\n', 'f()\nos.environ["ONE"]\n', []),
        ("a.ts", "", "const a = process.env.KEY;\n", ["KEY"]),
        ("a.py", "", 'parser.add_argument("-f", "--force")\n', ["--force"]),
        ("a.py", "", '@click.option("--depth", type=int)\n', ["--depth"]),
        ("config/app.yaml", "a: 1\n", "a: 1\nb:\n  c: 2\n", ["b", "c"]),
        ("tests/a.py", "", 'os.environ["ONE"]\n', []),
    ],
)
def test_new_settings(changed: Changed, path: str, before: str, after: str, new: list[str]) -> None:
    found = settings(changed({path: before}, {path: after}), Kinds())

    assert [it.text for it in found] == new


@pytest.mark.parametrize(
    ("path", "after", "new"),
    [
        ("a.py", "X = 1\n_y = 2\ndef f(): ...\nclass C:\n  def m(self): ...\n  def _n(self): ...\n",
         ["X", "f", "C", "C.m"]),
        ("a.ts", "export function f() {}\nfunction g() {}\nexport const h = 1;\n", ["f", "h"]),
        ("a.go", "func F() {}\nfunc g() {}\nfunc (t *T) M() {}\ntype S struct{}\n",
         ["F", "M", "S"]),
        ("a.rs", "pub fn f() {}\nfn g() {}\npub(crate) fn h() {}\npub struct S;\n", ["f", "S"]),
        ("tests/a.py", "def f(): ...\n", []),
        ("a.py", "def f(:\n", ["f"]),
    ],
)  # fmt: skip
def test_new_public_names(changed: Changed, path: str, after: str, new: list[str]) -> None:
    assert [it.text for it in names(changed({}, {path: after}), Kinds())] == new


def test_what_only_moved_is_not_new(changed: Changed) -> None:
    source = changed({"a.py": "def f(): ...\n", "b.py": "x = 1\n"},
                     {"a.py": "", "b.py": "x = 1\ndef f(): ...\n"})  # fmt: skip

    assert list(names(source, Kinds())) == []


@pytest.mark.parametrize(
    ("said", "unborne"),
    [
        ("Teach `parse_row` to reject bad headers in src/a.py", []),
        ("Add retries to net/client.py and `backoff`", ["net/client.py", "backoff"]),
        ("Rename load_table to parse_row", ["load_table"]),
        ("Call closeAll() in the end", ["closeAll"]),
        (
            "See https://example.org/a/b.py, by x@example.org\n\nSigned-off-by: Some one_else <x>",
            [],
        ),
        ("Fix the parser and/or the reader, 3/4 done", []),
    ],
)
def test_what_is_said_has_to_be_in_the_change(
    changed: Changed, said: str, unborne: list[str]
) -> None:
    source = changed({}, {"src/a.py": "def parse_row():\n    return 1\n"}, said)

    assert [it.text for it in claims(source)] == unborne
