"""Ten jobs for ten agents on Django's own source, and that source: what each one must come to."""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SDIST = "django-5.2.8.tar.gz"
SHA256 = "23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f"
NEEDS = ("asgiref==3.8.1", "sqlparse==0.5.3")  # what Django's own tests import
SUITES = "utils_tests httpwrappers signing forms_tests urlpatterns humanize_tests"
DATES = "django/utils/dates.py"
CSS = "django/contrib/admin/static/admin/css"


@dataclass(frozen=True)
class Job:
    """What one agent is asked to do; once it has landed, `text` stands in `file`."""

    name: str
    command: str
    file: str
    text: str
    fate: Literal["lands", "breaks", "overlaps"] = "lands"


def rename(old: str, new: str) -> str:
    """A renaming of one word wherever it stands, committed by the agent itself."""
    files = rf"git grep -lw {old} -- '*.py' 'docs/*.txt'"
    return f"{files} | xargs sed -i 's/\\b{old}\\b/{new}/g' && git commit -qam 'rename {old}'"


def python(program: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"


def title(words: str) -> str:
    return f"""sed -i '1s/.*/"{words}"/' {DATES}"""


ADDED_TEST = """\
from django.test import SimpleTestCase
from django.utils.text import slugify


class SlugifyAgainTests(SimpleTestCase):
    def test_a_slug_is_its_own_slug(self):
        for text in ("Two Words", "a--b", " x "):
            self.assertEqual(slugify(slugify(text)), slugify(text))
"""
TIDY = f"""\
import pathlib, re
for path in pathlib.Path("{CSS}").rglob("*.css"):
    lines = path.read_text().splitlines()
    tidy = [re.sub("^(    )+", lambda m: "  " * (len(m[0]) // 4), line).rstrip() for line in lines]
    path.write_text("\\n".join(tidy) + "\\n")
"""
GENERATE = """\
import pathlib
for locale in sorted(pathlib.Path("django/conf/locale").glob("*/LC_MESSAGES/django.po")):
    language = locale.parts[3]
    count = locale.read_text(encoding="utf-8").count("msgid ")
    target = pathlib.Path("docs/generated/locales", language + ".txt")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{language}: {count} messages\\n")
"""
MOVE = (
    "git mv docs/misc/design-philosophies.txt docs/misc/philosophies.txt && "
    "git grep -l misc/design-philosophies -- docs | xargs -r sed -i 's,misc/design-p,misc/p,g' && "
    "sed -i 's/^   design-philosophies/   philosophies/' docs/misc/index.txt"
)
BROKEN = "FAIL: test_slugify"
SLUG = r"""sed -i 's/"\[-\\s\]+", "-"/"[-\\s]+", "_"/' django/utils/text.py"""
HOSTS = "git grep -l www.example.com -- docs | xargs sed -i 's/www.example.com/www.example.org/g'"
NEW_TEST = "tests/utils_tests/test_slugs.py"
HTML, ENCODING = "django/utils/html.py", "django/utils/encoding.py"
JOBS = (
    Job("rename-mark-safe", rename("mark_safe", "trusted_html"), HTML, "trusted_html("),
    Job("rename-force-bytes", rename("force_bytes", "as_bytes"), ENCODING, "def as_bytes("),
    Job("tidy-css", python(TIDY), f"{CSS}/base.css", "\n  --primary"),
    Job("generate", python(GENERATE), "docs/generated/locales/de.txt", "de: "),
    Job("add-a-test", f"printf %s {shlex.quote(ADDED_TEST)} >{NEW_TEST}", NEW_TEST, "SlugifyAgain"),
    Job("edit-docs", HOSTS, "docs/ref/request-response.txt", "www.example.org"),
    Job("move-a-page", MOVE, "docs/misc/philosophies.txt", "Design philosophies"),
    Job("break-slugs", SLUG, "django/utils/text.py", r'"[-\s]+", "_"', "breaks"),
    Job("title-one", title("Names of days and months"), DATES, "Names of days", "overlaps"),
    Job("title-two", title("Dates in words"), DATES, "Dates in words", "overlaps"),
)


class UnreachableError(Exception):
    """The package registry does not answer."""


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(base) / "fleet-tests"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def pip(*words: str) -> None:
    """Run pip, and tell a registry that does not answer from one that says no."""
    ran = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False
    )
    if ran.returncode == 0:
        return
    if "connection broken" in ran.stderr or "Failed to establish" in ran.stderr:
        raise UnreachableError(ran.stderr.strip().splitlines()[-1])
    sys.exit(f"real-input: pip {' '.join(words)}\n{ran.stderr}")


def fetch() -> tuple[Path, Path]:
    """Return the source archive, surely the one meant, and a directory with what it imports."""
    archive, needs = cache() / SDIST, cache() / "-".join(NEEDS).replace("==", "-")
    if not archive.exists():
        name, version = SDIST.removesuffix(".tar.gz").split("-")
        options = ("-q", "--no-deps", "--no-binary", name, "-d", str(cache()))
        pip("download", *options, f"{name}=={version}")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        archive.unlink()
        sys.exit(f"real-input: {archive} was not what it should be; run again to fetch it anew")
    if not needs.exists():
        half = Path(tempfile.mkdtemp(dir=cache()))
        pip("install", "-q", "--target", str(half), *NEEDS)
        half.rename(needs)
    return archive, needs


def gate(needs: Path) -> str:
    """The check: a meaningful part of Django's own tests."""
    imports = f"PYTHONPATH={shlex.quote(str(needs))}:."
    return f"{imports} {shlex.quote(sys.executable)} tests/runtests.py --parallel=1 -v0 {SUITES}"
