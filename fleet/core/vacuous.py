"""Tells a check that looked at nothing: its test runner found no test, or skipped every one.

Such a check exits with 0 and is no evidence. A red check that should be green costs a person
more than one that is missed, so every line must be known for what a runner says that ran nothing.
"""

import re

LONGEST = 64_000  # characters: whoever says more than this has done something

_ENTERS = re.compile(r"^cd [^&;|\n]+ && ")
_SEVERAL = re.compile(r"[&;|\n]")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_N = r"\d+"
_S = r"[\d.]+ ?(?:ms|s)?"

# Each tells for itself that no test ran.
_NOTHING_RAN = (
    # pytest
    rf"=* ?no tests ran in {_S}.*",
    rf"=* ?{_N} (?:skipped|deselected)(?:, {_N} (?:skipped|deselected))* in {_S}.*",
    r"collected 0 items",
    # unittest
    rf"Ran 0 tests in {_S}",
    r"NO TESTS RAN.*",
    # go test
    r"\?\s+\S+\s+\[no test files\]",
    rf"ok\s+\S+\s+(?:{_S}|\(cached\))\s+(?:coverage: .*)?\[no tests to run\]",
    r"testing: warning: no tests to run",
    # cargo test, libtest
    rf"test result: ok\. 0 passed; 0 failed; {_N} ignored; 0 measured; {_N} filtered out.*",
    # jest, vitest
    r"No tests? (?:files )?found, exiting with code 0",
    rf"Tests:\s+({_N}) (?:skipped|todo), \1 total",
    rf"Tests\s+{_N} skipped \({_N}\)",
    # node --test
    r"[#\u2139] pass 0",
    r"1\.\.0(?: # .*)?",
    # mocha, rspec, minitest, ctest, phpunit, swift test, deno
    rf"0 passing \({_S}\)",
    r"No examples found\.",
    r"0 examples, 0 failures",
    r"0 runs, 0 assertions, 0 failures, 0 errors, 0 skips",
    r"No tests were found!!!",
    r"No tests executed!",
    r"Executed 0 tests, with 0 failures.*",
    rf"ok \| 0 passed(?: \| {_N} ignored)? \| 0 failed.*",
)

# What stands around that, in every run of these tools, and says nothing of what was looked at.
_AROUND = (
    # rulers and progress
    r"[-=_*]+",
    r"(?:(?:\S+\.py )?s+\s+\[\s*\d+%\]|s+)",
    # the shell, make, npm, yarn: what is run, where that is one command
    r"(?:[+$>] )?(?:\S+/)?(?:npx )?(?:pytest|jest|vitest|mocha|rspec|ctest|phpunit)(?: [^&;|]*)?",
    r"(?:[+$>] )?(?:\S+/)?python[\d.]* -m (?:pytest|unittest)(?: [^&;|]*)?",
    r"(?:[+$>] )?(?:go|cargo|npm|yarn|pnpm|swift|deno|node) (?:run )?(?:--)?test(?: [^&;|]*)?",
    r"> \S+@\S+ \S+(?: /\S*)?",
    r"make(?:\[\d+\])?: (?:Entering|Leaving) directory .*",
    r"yarn run v.*",
    rf"Done in {_S}\.?",
    # pytest
    r"=+ test session starts =+",
    r"platform \S+ -- Python .*",
    r"(?:cachedir|rootdir|configfile|testpaths|plugins|asyncio): .*",
    r"hypothesis profile '.*",
    rf"(?:collecting \.\.\. )?collected {_N} items?(?: / .*)?",
    r"\S+ SKIPPED(?: .*)?",
    r"=+ short test summary info =+",
    r"SKIPPED \[\d+\] .*",
    # unittest
    r"OK",
    r".+ \.\.\. skipped .*",
    # go test
    r"PASS",
    r"go: downloading .*",
    r"\S+\s+coverage: 0\.0% of statements",
    r"coverage: \[no statements\]",
    # cargo test
    r"(?:Updating|Locking|Adding|Downloading|Downloaded|Blocking|Compiling) .*",
    r"Finished `?\w+`? (?:profile )?\[.*",
    r"Running .* \(\S*deps\S*\)",
    r"Doc-tests \S+",
    rf"running {_N} tests?",
    r"test .* \.\.\. ignored.*",
    # jest, vitest
    r"RUN\s+v\d.*",
    r"(?:include|exclude|filter|watch exclude):.*",
    rf"Test Suites:\s+{_N} skipped, 0 of {_N} total",
    rf"Test Files\s+{_N} skipped \({_N}\)",
    r"Snapshots:\s+0 total",
    r"Time:\s+.*",
    r"(?:Start at|Duration)\s+.*",
    r"Ran all test suites.*",
    r"[○↓﹣] .*",
    # node --test
    r"TAP version \d+",
    r"# Subtest: .*",
    r"ok \d+ - .* # SKIP.*",
    r"---|\.\.\.|(?:duration_ms|type): .*",
    r"1\.\.\d+",
    r"[#\u2139] (?:tests|suites|skipped|todo|duration_ms) [\d.]+",
    r"[#\u2139] (?:fail|cancelled) 0",
    # rspec, minitest, ctest, phpunit
    r"Finished in [\d.]+ ?(?:seconds|s)\b.*",
    r"Run options: .*",
    r"# Running:",
    r"Test project .*",
    r"PHPUnit .*",
    r"(?:Runtime|Configuration|Random Seed):\s.*",
)

_ZERO = re.compile("|".join(f"(?:{one})" for one in _NOTHING_RAN))
_KNOWN = re.compile("|".join(f"(?:{one})" for one in (*_NOTHING_RAN, *_AROUND)))
# unittest says on two lines that as many tests were skipped as there are.
_ALL_SKIPPED = re.compile(rf"^Ran ({_N}) tests? in {_S}\s+OK \(skipped=\1\)$", re.MULTILINE)


def ran_nothing(command: str, output: str) -> bool:
    """Whether all that `command` printed is that not one test ran.

    A single line that is not known to say so, or nothing at all printed, makes it false; so does
    a command of several parts, of which another may have checked something in silence.
    """
    if len(output) > LONGEST or _SEVERAL.search(_ENTERS.sub("", command.strip())):
        return False
    plain = _COLOUR.sub("", output).replace("\r", "\n")
    plain = _ALL_SKIPPED.sub("Ran 0 tests in 0s", plain)
    lines = [line for raw in plain.split("\n") if (line := raw.strip())]
    return any(map(_ZERO.fullmatch, lines)) and all(map(_KNOWN.fullmatch, lines))
