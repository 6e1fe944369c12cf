"""Takes the tests out of a file: their names, what they assert, whether they run; by language."""

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

from fleet.evaluation.kinds import language


class Case(Struct, frozen=True):
    """One test. `body` is the same for two tests that do the same, whatever they are called."""

    name: str
    line: int
    asserts: int
    body: str


_BEGINS = {
    "javascript": re.compile(
        r"""^\s*(?:it|test|specify)(?:\.\w+)*\s*\(\s*(['"`])(?P<name>.*?)\1""", re.MULTILINE
    ),
    "go": re.compile(r"^func\s+(?P<name>(?:Test|Benchmark|Fuzz|Example)\w*)\s*\(", re.MULTILINE),
    "rust": re.compile(
        r"#\[(?:\w+::)*test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub\s+)?(?:async\s+)?fn\s+(?P<name>\w+)"
    ),
    "ruby": re.compile(
        r"""^\s*(?:it|specify|test)\s+(['"])(?P<name>.*?)\1|^\s*def\s+(?P<def>test_\w+)""",
        re.MULTILINE,
    ),
    "java": re.compile(r"@(?:Parameterized)?Test\b[^{;]*?\b(?P<name>\w+)\s*\(", re.DOTALL),
    "kotlin": re.compile(r"@Test\b.*?\bfun\s+`?(?P<name>[^`(]+)`?\s*\(", re.DOTALL),
    "csharp": re.compile(r"\[(?:Fact|Theory|Test|TestMethod)\b[^{;]*?\b(?P<name>\w+)\s*\("),
    "php": re.compile(r"function\s+(?P<name>test\w+)\s*\("),
    "python": re.compile(r"^\s*(?:async\s+)?def\s+(?P<name>test\w*)\s*\(", re.MULTILINE),
}
_ASSERTS = re.compile(
    r"\bassert\w*\s*!?\s*[\s(]|\bexpect\s*\(|\.should\b|\bt\.(?:Error|Fatal|Fail)\w*\(|"
    r"\b(?:assert|require)\.\w+\(|\bAssert\.\w+\(|\bpytest\.raises\(|\bassertThat\("
)


def cases(path: str, text: str | None) -> list[Case]:
    """Return the tests of a file, in order; none where its language is not known."""
    tongue = language(path)
    if text is None or tongue is None:
        return []
    if tongue == "python":
        try:
            return list(_python(ast.parse(text), ""))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # of a newer Python, or of none: as well as can be
    begins = _BEGINS.get(tongue)
    return list(_parted(begins, text)) if begins else []


def _parted(begins: re.Pattern[str], text: str) -> Iterator[Case]:
    """Yield what lies between one beginning and the next."""
    marks = list(begins.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        groups = mark.groupdict()
        body = text[mark.end() : end]
        yield Case(
            name=(groups.get("name") or groups.get("def") or "").strip(),
            line=text.count("\n", 0, mark.end()) + 1,
            asserts=len(_ASSERTS.findall(body)),
            body=" ".join(body.split()),
        )


def _python(tree: ast.AST, within: str) -> Iterator[Case]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and _collected(node):
            yield from _python(node, f"{within}{node.name}::")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test"):
                yield _case(node, within)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _python(node, within)


def _collected(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    return node.name.startswith("Test") or any("Test" in base for base in bases)


def _case(node: ast.FunctionDef | ast.AsyncFunctionDef, within: str) -> Case:
    return Case(
        name=within + node.name,
        line=node.lineno,
        asserts=sum(map(_asserts, ast.walk(node))),
        body="".join(ast.dump(it) for it in node.body),
    )


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    return name in {"raises", "warns", "fail", "expect"} or name.lower().startswith("assert")
