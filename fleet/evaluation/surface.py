"""Finds what a change adds to what people can set, and to what other code can call."""

import ast
import re
from collections.abc import Iterable, Iterator

from fleet.core.assessment import Finding
from fleet.evaluation.globs import matcher
from fleet.evaluation.kinds import GATES, Kinds, language
from fleet.evaluation.source import File, Source

_VARIABLES = re.compile(
    r"\benviron(?:\.get|\.setdefault)?\s*[\[(]\s*['\"](\w+)|\bgetenv\(\s*['\"](\w+)"
    r"|\bprocess\.env(?:\.(\w+)|\[['\"](\w+))|\benv::var(?:_os)?\(\s*\"(\w+)"
    r"|\bos\.(?:Getenv|LookupEnv)\(\s*\"(\w+)|\bENV(?:\[|\.fetch\()\s*['\"](\w+)"
    r"|\bSystem\.getenv\(\s*\"(\w+)|\bGetEnvironmentVariable\(\s*\"(\w+)|\$\{(\w+):[-=?]"
)
_OPTIONS = re.compile(
    r"(?:\badd_argument|\boption|\bOption|\badd_option|\.flag|\brequiredOption)\w*\(\s*"
    r"(?:['\"]-\w['\"]\s*,\s*)?['\"](?:-\w,\s*)?(--[\w-]+)"
    r"|\bflag\.\w+\(\s*(?:&\w+,\s*)?\"([\w-]+)\"|\blong\s*=\s*\"([\w-]+)\""
)
_CONFIGS = matcher(
    ("*.yaml", "*.yml", "*.toml", "*.ini", "*.cfg", "*.conf", ".env*", "*.properties")
)
_MANIFESTS = matcher(
    ("pyproject.toml", "Cargo.toml", "setup.cfg", "pubspec.yaml", "environment.y*ml")
)
_GATES = matcher(GATES)
_KEY = re.compile(r"^\s*(?:-\s+)?[\"']?([A-Za-z_][\w.-]*)[\"']?\s*[:=](?:\s|$)")

_PUBLIC = {
    "javascript": re.compile(
        r"^\s*export\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
        r"(?:function\*?|class|const|let|var|interface|type|enum|namespace)\s+(\w+)", re.MULTILINE),
    "go": re.compile(
        r"^(?:func\s+(?:\([^)]*\)\s*)?|type\s+|var\s+|const\s+)([A-Z]\w*)", re.MULTILINE),
    "rust": re.compile(
        r"^\s*pub\s+(?:(?:async|unsafe|const|extern\s+\"C\")\s+)*"
        r"(?:fn|struct|enum|trait|mod|type|const|static|union|use)\s+(\w+)", re.MULTILINE),
    "java": re.compile(
        r"^\s*public\s+(?:[\w<>\[\],.?]+\s+)*?(\w+)\s*(?:\(|\{|=|extends\b|implements\b)",
        re.MULTILINE),
    "python": re.compile(r"^(?:async\s+def|def|class)\s+([A-Za-z]\w*)", re.MULTILINE),
    "ruby": re.compile(r"^\s*(?:def|class|module)\s+((?:self\.)?\w+[?!]?)", re.MULTILINE),
}  # fmt: skip
_PUBLIC["csharp"] = _PUBLIC["java"]
Name = tuple[str, int]


def settings(source: Source, kinds: Kinds) -> Iterator[Finding]:
    """Yield new environment variables, options of commands, and keys of configuration files."""
    for file in source.files:
        if not kinds.is_own(file.path):
            continue
        if language(file.path) is not None:
            yield from _new(source, file, _VARIABLES, "variable")
            yield from _new(source, file, _OPTIONS, "option")
        elif _is_config(file.path):
            yield from _new(source, file, _KEY, "key")


def _is_config(path: str) -> bool:
    return bool(_CONFIGS.match(path)) and not (_MANIFESTS.match(path) or _GATES.match(path))


def _new(source: Source, file: File, pattern: re.Pattern[str], kind: str) -> Iterator[Finding]:
    """Yield what new lines name and the old file did not."""
    named = [
        (name, line)
        for line, text in file.new.items()
        for match in pattern.finditer(text)
        if (name := next(filter(None, match.groups()), None))
    ]
    if not named:
        return
    known = {
        name
        for match in pattern.finditer(source.old(file) or "")
        for name in match.groups()
        if name
    }
    if kind == "key":
        known = {
            found[1] for line in (source.old(file) or "").split("\n") if (found := _KEY.match(line))
        }
    for name, line in named:
        if name not in known:
            known.add(name)
            yield Finding(kind, name, file.path, line)


def names(source: Source, kinds: Kinds) -> Iterator[Finding]:
    """Yield public names that are there now and were nowhere in the files that differ."""
    own = [it for it in source.files if kinds.is_own(it.path) or kinds.is_own(it.old_path)]
    known = {name for it in own for name, _ in public(it.old_path, source.old(it))}
    for file in own:
        if kinds.is_own(file.path):
            for name, line in public(file.path, source.new(file)):
                if name not in known:
                    yield Finding("name", name, file.path, line)


def public(path: str, text: str | None) -> list[Name]:
    """Return what other code could use of a file, as far as its language lets us tell."""
    tongue = language(path)
    if text is None or tongue is None:
        return []
    if tongue == "python":
        try:
            return list(_python(ast.parse(text).body, ""))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    pattern = _PUBLIC.get(tongue)
    found = pattern.finditer(text) if pattern else ()
    return [(it[1], text.count("\n", 0, it.start(1)) + 1) for it in found]


def _python(body: Iterable[ast.stmt], within: str) -> Iterator[Name]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            yield within + node.name, node.lineno
            if isinstance(node, ast.ClassDef):
                yield from _python(node.body, f"{within}{node.name}.")
        elif not within:
            yield from ((name, node.lineno) for name in _assigned(node) if not name.startswith("_"))


def _assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    yield from (target.id for target in targets if isinstance(target, ast.Name))
