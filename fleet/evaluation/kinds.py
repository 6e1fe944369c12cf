"""What a file is, by its path alone: a test, generated, a gate, a language."""

import re
from pathlib import PurePosixPath

from fleet.core.policy import PROSE
from fleet.evaluation.globs import matcher

TESTS = (
    *("test", "tests", "testing", "spec", "specs", "__tests__", "e2e", "testdata", "fixtures"),
    *("test_*.py", "*_test.py", "conftest.py", "*_test.go", "*_test.rs", "tests.rs"),
    *("*.test.js", "*.test.jsx", "*.test.ts", "*.test.tsx", "*.test.mjs", "*.test.cjs"),
    *("*.spec.js", "*.spec.jsx", "*.spec.ts", "*.spec.tsx", "*_spec.rb", "*_test.rb"),
    *("*Test.java", "*Tests.java", "*Test.kt", "*Tests.cs", "*Test.php", "*_test.exs"),
    *("*_test.cc", "*_test.cpp", "*_test.c", "*Tests.swift"),
)
SNAPSHOTS = (
    *("__snapshots__", "snapshots", "golden", "goldens"),
    *("*.snap", "*.ambr", "*.golden", "*.approved.*", "*.snapshot"),
)
LOCKS = (
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb"),
    *("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "Cargo.lock", "go.sum"),
    *("Gemfile.lock", "composer.lock", "mix.lock", "flake.lock", "Podfile.lock", "bun.lock"),
)
GENERATED = (
    *LOCKS,
    *SNAPSHOTS,
    *("*.pb.go", "*_pb2.py", "*_pb2_grpc.py", "*_pb2.pyi", "*.pb.cc", "*.pb.h", "*.g.dart"),
    *("*.min.js", "*.min.css", "*.map", "*.generated.*", "*_generated.*", "*.gen.go"),
    *("node_modules", "vendor", "third_party"),
)
GATES = (
    *("fleet.yaml", ".github", ".gitlab-ci.yml", ".gitlab", ".circleci", ".ci", ".travis.yml"),
    *("Jenkinsfile", "azure-pipelines.yml", ".buildkite", ".drone.yml", "bitbucket-pipelines.yml"),
    *(".husky", ".githooks", ".pre-commit-config.yaml", "lefthook.yml", ".gitattributes"),
    *("Makefile", "makefile", "GNUmakefile", "*.mk", "justfile", "Justfile", "Taskfile.yml"),
    *("tox.ini", "noxfile.py", "pytest.ini", "conftest.py", ".coveragerc", "setup.cfg"),
    *("mypy.ini", "ruff.toml", ".ruff.toml", ".flake8", ".pylintrc", ".golangci.yml"),
    *("jest.config.*", "vitest.config.*", "karma.conf.js", "playwright.config.*", ".mocharc.*"),
    *(".eslintrc*", "eslint.config.*", "tsconfig*.json", "biome.json", ".nycrc", "codecov.yml"),
    *("build.rs", "build.gradle", "build.gradle.kts", "Rakefile", "CMakeLists.txt", "Dockerfile"),
    *("clippy.toml", "deny.toml", "rust-toolchain*", "phpunit.xml*", ".rspec"),
    *LOCKS,
)
_SENSITIVE = frozenset(
    (
        *("migration", "migrations", "migrate", "alembic", "auth", "authn", "authz"),
        *("authentication", "authorization", "login", "oauth", "oidc", "saml", "sso", "session"),
        *("sessions", "password", "passwords", "passwd", "credential", "credentials", "permission"),
        *("permissions", "acl", "rbac", "crypto", "cryptography", "encrypt", "encryption"),
        *("decrypt", "cipher", "signing", "tls", "ssl", "jwt", "csrf", "secret", "secrets"),
        *("payment", "payments", "billing", "invoice", "invoices", "checkout", "stripe", "paypal"),
    )
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

LANGUAGES = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".vue"), "javascript"),
    **dict.fromkeys((".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".m", ".mm"), "c"),
    ".go": "go",
    ".rs": "rust",
    ".rb": "ruby",
    ".java": "java",
    ".kt": "kotlin",
    ".cs": "csharp",
    ".php": "php",
    ".swift": "swift",
    ".scala": "scala",
    ".lua": "lua",
    **dict.fromkeys((".sh", ".bash"), "shell"),
}


class Kinds:
    """Tells what a path is, with a project's own patterns beside those that hold everywhere."""

    def __init__(self, *, tests: tuple[str, ...] = (), generated: tuple[str, ...] = ()) -> None:
        self._tests = matcher((*TESTS, *tests))
        self._generated = matcher((*GENERATED, *generated))

    def is_test(self, path: str) -> bool:
        return bool(self._tests.match(path))

    def is_generated(self, path: str) -> bool:
        return bool(self._generated.match(path))

    def is_own(self, path: str) -> bool:
        """Whether its lines count: somebody wrote them, and they are not there to check others."""
        return not (self.is_test(path) or self.is_generated(path))


def language(path: str) -> str | None:
    """Return the language a file is written in; None where its name does not tell."""
    return LANGUAGES.get(PurePosixPath(path).suffix.lower())


def sensitive(path: str) -> str | None:
    """Return the word of a path that tells of logins, secrets, money or stored data."""
    if PurePosixPath(path).suffix.lower() in PROSE:
        return None
    return next((it for it in map(str.lower, _WORD.findall(path)) if it in _SENSITIVE), None)
