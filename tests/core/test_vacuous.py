"""A check that ran no test is told by its own words; nothing else is ever taken for one."""

import pytest

from fleet.core.vacuous import LONGEST, ran_nothing

PYTEST_NONE = """\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-9.2.0, pluggy-1.7.0
rootdir: /home/x/project
plugins: xdist-3.8.0, timeout-2.4.0, hypothesis-6.170.17
asyncio: mode=Mode.STRICT, debug=False, asyncio_default_test_loop_scope=function
collected 0 items

============================ no tests ran in 0.12s =============================
"""
PYTEST_SKIPPED = """\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-9.2.0, pluggy-1.7.0
rootdir: /home/x/project
collected 2 items

tests/test_skip.py ss                                                    [100%]

============================== 2 skipped in 0.18s ==============================
"""
PYTEST_VERBOSE = """\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-9.2.0, pluggy-1.7.0 -- /home/x/.venv/bin/python
cachedir: .pytest_cache
hypothesis profile 'default'
rootdir: /home/x/project
collecting ... collected 2 items

test_skip.py::test_a SKIPPED (unconditional skip)                        [ 50%]
test_skip.py::test_b SKIPPED (unconditional skip)                        [100%]

=========================== short test summary info ============================
SKIPPED [1] test_skip.py:2: unconditional skip
SKIPPED [1] test_skip.py:4: unconditional skip
============================== 2 skipped in 0.13s ==============================
"""
PYTEST_PASSED = """\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-9.2.0, pluggy-1.7.0
rootdir: /home/x/project
collected 2 items

tests/test_skip.py s.                                                    [100%]

========================= 1 passed, 1 skipped in 0.18s =========================
"""
RULE = "-" * 70
UNITTEST_NONE = f"\n{RULE}\nRan 0 tests in 0.000s\n\nOK\n"
UNITTEST_SKIPPED = f"ss\n{RULE}\nRan 2 tests in 0.000s\n\nOK (skipped=2)\n"
UNITTEST_VERBOSE = f"""\
test_a (test_u.A.test_a) ... skipped 'x'
test_b (test_u.A.test_b) ... skipped 'x'

{RULE}
Ran 2 tests in 0.000s

OK (skipped=2)
"""
UNITTEST_SOME = f"s.\n{RULE}\nRan 2 tests in 0.000s\n\nOK (skipped=1)\n"
UNITTEST_PASSED = f"..\n{RULE}\nRan 2 tests in 0.000s\n\nOK\n"
GO_NONE = """\
go: downloading github.com/google/uuid v1.6.0
?   \texample.com/hello\t[no test files]
?   \texample.com/hello/cmd/server\t[no test files]
"""
GO_NO_MATCH = (
    "testing: warning: no tests to run\nPASS\nok  \texample.com/hello\t0.002s [no tests to run]\n"
)
GO_COVERED = (
    "?   \texample.com/a\t[no test files]\n\texample.com/b\t\tcoverage: 0.0% of statements\n"
)
GO_PASSED = "?   \texample.com/hello\t[no test files]\nok  \texample.com/hello/core\t(cached)\n"
CARGO_HEAD = """\
   Compiling zero v0.1.0 (/home/x/zero)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.71s
     Running unittests src/lib.rs (target/debug/deps/zero-87a4778c84f14a25)
"""
CARGO_ZERO = """
running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

"""
CARGO_IGNORED = """
running 1 test
test a ... ignored

test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

"""
CARGO_ONE = """
running 1 test
test tests::it_works ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

"""
DOC = "   Doc-tests zero\n"
JEST_NONE = "No tests found, exiting with code 0\n"
NPM_JEST = f"\n> shop@1.0.0 test\n> jest --passWithNoTests\n\n{JEST_NONE}"
YARN_JEST = f"yarn run v1.22.19\n$ jest --passWithNoTests\n{JEST_NONE}Done in 0.52s.\n"
NPM_LINT_JEST = f"\n> shop@1.0.0 test\n> eslint . && jest --passWithNoTests\n\n{JEST_NONE}"
JEST_SKIPPED = """\
Test Suites: 1 skipped, 0 of 1 total
Tests:       2 skipped, 2 total
Snapshots:   0 total
Time:        0.341 s
Ran all test suites.
"""
JEST_PASSED = """\
PASS src/sum.test.js
Tests:       1 skipped, 1 passed, 2 total
Snapshots:   0 total
Time:        0.341 s
Ran all test suites.
"""
VITEST_NONE = """\

 \x1b[1m\x1b[46m RUN \x1b[49m\x1b[22m \x1b[36mv1.6.0 \x1b[39m\x1b[90m/home/x/shop\x1b[39m

include: **/*.{test,spec}.?(c|m)[jt]s?(x)
exclude:  **/node_modules/**, **/dist/**
watch exclude:  **/node_modules/**, **/dist/**

No test files found, exiting with code 0
"""
NODE_COUNTS = """\
# suites 0
# pass {passed}
# fail 0
# cancelled 0
# skipped {skipped}
# todo 0
# duration_ms 111.553502
"""
NODE_NONE = f"TAP version 13\n1..0\n# tests 0\n{NODE_COUNTS.format(passed=0, skipped=0)}"
NODE_SPEC = NODE_NONE.partition("1..0\n")[2].replace("#", "\u2139")
NODE_SKIPPED = (
    "TAP version 13\n# Subtest: a\nok 1 - a # SKIP\n  ---\n  duration_ms: 0.943835\n  ...\n"
    f"1..1\n# tests 1\n{NODE_COUNTS.format(passed=0, skipped=1)}"
)
NODE_PASSED = (
    "TAP version 13\n# Subtest: a\nok 1 - a\n  ---\n  duration_ms: 0.943835\n  ...\n"
    f"1..1\n# tests 1\n{NODE_COUNTS.format(passed=1, skipped=0)}"
)
CTEST_NONE = "Test project /home/x/build\nNo tests were found!!!\n"
RSPEC_NONE = """\
No examples found.

Finished in 0.00031 seconds (files took 0.07 seconds to load)
0 examples, 0 failures
"""


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(PYTEST_NONE, id="pytest"),
        pytest.param("\nno tests ran in 0.14s\n", id="pytest -q"),
        pytest.param(PYTEST_SKIPPED, id="pytest, all skipped"),
        pytest.param("ss            [100%]\n2 skipped in 0.13s\n", id="pytest -q, all skipped"),
        pytest.param(PYTEST_VERBOSE, id="pytest -v, all skipped"),
        pytest.param(UNITTEST_NONE, id="unittest"),
        pytest.param(f"python3 -m unittest discover\n{UNITTEST_NONE}", id="unittest, by make"),
        pytest.param(UNITTEST_SKIPPED, id="unittest, all skipped"),
        pytest.param(UNITTEST_VERBOSE, id="unittest -v, all skipped"),
        pytest.param(GO_NONE, id="go, no files"),
        pytest.param(GO_NO_MATCH, id="go, no test of that name"),
        pytest.param(GO_COVERED, id="go -cover"),
        pytest.param(CARGO_HEAD + CARGO_ZERO + DOC + CARGO_ZERO, id="cargo"),
        pytest.param(CARGO_HEAD + CARGO_IGNORED + DOC + CARGO_ZERO, id="cargo, all ignored"),
        pytest.param(NPM_JEST, id="npm, jest"),
        pytest.param(YARN_JEST, id="yarn, jest"),
        pytest.param(JEST_SKIPPED, id="jest, all skipped"),
        pytest.param(VITEST_NONE, id="vitest, in colours"),
        pytest.param(NODE_NONE, id="node, TAP"),
        pytest.param(NODE_SPEC, id="node"),
        pytest.param(NODE_SKIPPED, id="node, all skipped"),
        pytest.param("\n\n  0 passing (1ms)\n\n", id="mocha"),
        pytest.param(CTEST_NONE, id="ctest"),
        pytest.param(RSPEC_NONE, id="rspec"),
    ],
)
def test_what_runners_say_that_ran_no_test(output: str) -> None:
    assert ran_nothing("make test", output)
    assert ran_nothing("make test", output.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("", id="nothing at all"),
        pytest.param("All checks passed!\n", id="a linter"),
        pytest.param("success\n", id="one word that ends in s"),
        pytest.param(PYTEST_PASSED, id="pytest"),
        pytest.param("s.            [100%]\n1 passed, 1 skipped in 0.13s\n", id="pytest -q"),
        pytest.param(UNITTEST_PASSED, id="unittest"),
        pytest.param(UNITTEST_SOME, id="unittest, some skipped"),
        pytest.param(GO_PASSED, id="go"),
        pytest.param(CARGO_HEAD + CARGO_ONE + DOC + CARGO_ZERO, id="cargo"),
        pytest.param(JEST_PASSED, id="jest"),
        pytest.param(NODE_PASSED, id="node"),
        pytest.param(f"All checks passed!\n{UNITTEST_NONE}", id="a linter before it"),
        pytest.param(f"{UNITTEST_NONE}\nSuccess: no issues found\n", id="a type checker after it"),
        pytest.param(NPM_LINT_JEST, id="a silent linter before it"),
        pytest.param(UNITTEST_NONE + " " * LONGEST, id="a long story"),
    ],
)
def test_whatever_else_was_said_is_evidence(output: str) -> None:
    assert not ran_nothing("make test", output)


@pytest.mark.parametrize(
    ("command", "empty"),
    [
        ("python -m unittest", True),
        ("cd app && python -m unittest", True),
        ("ruff check -q . && python -m unittest", False),
        ("ruff check -q .\npython -m unittest\n", False),
        ("mypy --no-error-summary; python -m unittest", False),
    ],
)
def test_a_command_of_several_parts_may_have_checked_something_else(
    command: str, *, empty: bool
) -> None:
    assert ran_nothing(command, UNITTEST_NONE) is empty
