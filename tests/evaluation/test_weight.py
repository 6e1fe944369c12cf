"""Complexity that is added, and code that was copied."""

import pytest
from measured import Changed

from fleet.evaluation.complexity import OutOfTimeError, complexity
from fleet.evaluation.duplicates import duplicates
from fleet.evaluation.kinds import Kinds

PLAIN = "def f(a):\n    return a\n"
BRANCHED = (
    "def f(a):\n    if a:\n        return 1\n    for b in a:\n        print(b)\n    return a\n"
)
KINDS = Kinds()


def never() -> bool:
    return False


def test_only_increases_are_added_up(changed: Changed) -> None:
    other = BRANCHED.replace("def f", "def g")
    source = changed({"a.py": PLAIN + other}, {"a.py": BRANCHED + PLAIN.replace("def f", "def g")})

    found = complexity(source, KINDS, late=never)

    assert (found.before, found.after, found.added) == (4, 4, 2)
    assert found.worst is not None
    assert (found.worst.text, found.worst.where) == ("f 3, it was 1", "a.py:1")


def test_a_function_that_moves_adds_nothing(changed: Changed) -> None:
    source = changed({"a.py": BRANCHED, "b.py": PLAIN.replace("f", "g")},
                     {"a.py": "", "b.py": BRANCHED})  # fmt: skip

    assert complexity(source, KINDS, late=never).added == 0


def test_tests_add_no_complexity(changed: Changed) -> None:
    assert complexity(changed({}, {"tests/a.py": BRANCHED}), KINDS, late=never).after == 0


def test_what_comes_too_late_is_not_measured(changed: Changed) -> None:
    source = changed({"b.py": BRANCHED}, {"a.py": BRANCHED * 9})

    with pytest.raises(OutOfTimeError):
        complexity(source, KINDS, late=lambda: True)
    with pytest.raises(OutOfTimeError):
        list(duplicates(source, KINDS, late=lambda: True))


ORIGINAL = """\
def total_price(items, taxes):
    # what each one costs
    total = Decimal(0)
    for item in items:
        price = item.price * item.count
        if item.discount is not None:
            price -= price * item.discount
        total += price * taxes[item.category]
    if total < MINIMUM:
        raise TooLittle(total)
    return total.quantize(CENTS)
"""


SHORT = "".join(ORIGINAL.splitlines(keepends=True)[:6])


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(ORIGINAL.replace("total_price", "sum_up"), id="under another name"),
        pytest.param(ORIGINAL.replace("    ", "\t"), id="with other blanks"),
        pytest.param(
            ORIGINAL.replace("items", "orders").replace("taxes", "rates").replace("# what", "# w"),
            id="with some other names",
        ),
    ],
)
def test_copied_code(changed: Changed, copy: str) -> None:
    source = changed(
        {"src/shop.py": "x = 1\n\n\n" + ORIGINAL}, {"src/web.py": "y = 2\n\n\n" + copy}
    )

    (found,) = duplicates(source, KINDS, late=never)

    assert found.path == "src/web.py"
    assert "lines like src/shop.py:" in found.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            {"a.py": ORIGINAL}, {"a.py": None, "b.py": "x = 1\n" * 9 + ORIGINAL}, id="moved"
        ),
        pytest.param({"a.py": ORIGINAL}, {"a.js": ORIGINAL}, id="in another language"),
        pytest.param({"a.py": ORIGINAL}, {"tests/a.py": ORIGINAL}, id="in a test"),
        pytest.param(
            {"a.py": ORIGINAL},
            {"b.py": SHORT},
            id="short",
        ),
        pytest.param(
            {"a.py": ORIGINAL}, {"b.py": "a = {\n" + '    "k": 1,\n' * 40 + "}\n"}, id="table"
        ),
        pytest.param({"a.py": "import a\n" * 30}, {"b.py": "import a\n" * 30}, id="imports"),
    ],
)
def test_no_copies(changed: Changed, before: dict[str, str], after: dict[str, str | None]) -> None:
    assert list(duplicates(changed(before, after), KINDS, late=never)) == []
