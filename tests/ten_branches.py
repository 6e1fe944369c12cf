"""Ten branches of one small project: two change one line, and two only fail together.

Eight may land. Git merges the branch that renames a function with the one that calls it by its old
name, and each passes the tests without the other.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from branches import commit

CHECK = f"{sys.executable} -m unittest -q"
TEXTUAL = ("formal", "brief")  # both write the line that greets
LINE = "shop/greeting.py"  # where it is
SEMANTIC = ("rename", "invoice")  # one renames a function, the other calls it anew
_TEST = """\
import unittest

from shop.{module} import {name}


class Test{title}(unittest.TestCase):
    def test_it(self):
        self.assertEqual({name}({given}), {wanted})
"""
_PRICES = "def {0}(prices):\n    return sum(prices)\n"


# A suite that takes the quarter of a second below which nobody would queue for a check.
_SUITE = """\
import hashlib
import unittest


class TestSeals(unittest.TestCase):
    def test_a_seal_is_the_same_each_time(self):
        seals = {hashlib.pbkdf2_hmac("sha256", b"shop", b"salt", 200_000) for _ in range(2)}
        self.assertEqual(len(seals), 1)
"""


def _feature(module: str, name: str, body: str, given: str, wanted: str) -> dict[str, str]:
    """A module with one function, and its test."""
    test = _TEST.format(
        module=module, name=name, title=name.title().replace("_", ""), given=given, wanted=wanted
    )
    return {f"shop/{module}.py": body, f"tests/test_{module}.py": test}


def _prices(name: str) -> dict[str, str]:
    return _feature("prices", name, _PRICES.format(name), "[1, 2]", "3")


def _greeting(words: str) -> dict[str, str]:
    body = f"def greet(name):\n    return f'{words} {{name}}'\n"
    return _feature("greeting", "greet", body, "'Ann'", f"'{words} Ann'")


def _adds(name: str, number: int) -> dict[str, str]:
    return _feature(name, name, f"def {name}(x):\n    return x + {number}\n", "1", f"{1 + number}")


BEGIN: dict[str, str] = {
    "readme.txt": "A shop.\n",
    ".gitignore": "__pycache__/\n",
    "shop/__init__.py": "",
    "tests/__init__.py": "",
    "tests/test_seals.py": _SUITE,
    **_prices("total"),
    **_greeting("Hello"),
}
_INVOICE = (
    "from shop.prices import total\n\n\ndef invoice(prices):\n    return f'{total(prices)} EUR'\n"
)
BRANCHES: Mapping[str, Mapping[str, str]] = {
    "discount": _adds("discount", 1),
    "rename": _prices("sum_up"),
    "tax": _adds("tax", 2),
    "formal": _greeting("Good day"),
    "cart": _adds("cart", 3),
    "invoice": _feature("invoice", "invoice", _INVOICE, "[2, 3]", "'5 EUR'"),
    "stock": _adds("stock", 4),
    "brief": _greeting("Hi"),
    "search": _adds("search", 5),
    "returns": _adds("returns", 6),
}


def begin(repo: Path, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write what main begins with."""
    for path, text in ({**BEGIN, **more}).items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text)


def make(repo: Path) -> None:
    """Make each of the ten branches, from main as it is."""
    for name, files in BRANCHES.items():
        commit(repo, name, files, start="main", message=f"Add {name}")
