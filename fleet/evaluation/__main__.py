"""`python -m fleet.evaluation`: a request on stdin, reports on stdout, each more whole.

Whoever started us may end us at any time, and takes the last line that is whole: what is not in it
is named there as unknown.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from fleet.core.assessment import NOT_REACHED, Report, Request
from fleet.errors import FleetError
from fleet.evaluation import claims, complexity, dependencies, duplicates, gates, shape, surface
from fleet.evaluation.kinds import Kinds
from fleet.evaluation.listing import found
from fleet.evaluation.source import Source
from fleet.evaluation.weakened import weakened

_NICE = 10
_MEMORY = 1 << 30  # bytes
_LATE = "not enough time"
Part = tuple[str, Callable[[], dict[str, Any]]]


def main() -> int:
    """Answer one request; 1 where nothing at all could be measured, and stderr says why."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no git behind
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    _be_modest(request.seconds)
    try:
        with Source(Path(request.git_dir), request.base, request.sealed) as source:
            for report in reports(source, request):
                sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
                sys.stdout.buffer.flush()
    except FleetError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _be_modest(seconds: float) -> None:
    """Let everybody else go first, and end on our own where we take too much."""
    os.nice(_NICE)
    limits = {resource.RLIMIT_CPU: int(seconds) + 5, resource.RLIMIT_AS: _MEMORY}
    for what, most in limits.items():
        with suppress(ValueError, OSError):  # stricter already, or not known on this system
            resource.setrlimit(what, (most, most))


def reports(source: Source, request: Request) -> Iterator[Report]:
    """Yield a report after each part: what costs least, and matters most, comes first."""
    begun = time.monotonic()
    parts = list(_parts(source, request, lambda: time.monotonic() - begun > request.seconds))
    unknown = ["some lines: the diff is too long"] if source.cut else []
    report = Report()
    for number, (name, measure) in enumerate(parts):
        try:
            report = replace(report, **measure())
        except complexity.OutOfTimeError:
            unknown.append(f"{name}: {_LATE}")
        except (MemoryError, RecursionError) as error:
            unknown.append(f"{name}: {type(error).__name__}")
        left = [f"{it}: {NOT_REACHED}" for it, _ in parts[number + 1 :]]
        yield replace(report, unknown=(*unknown, *left))


def _parts(source: Source, request: Request, late: Callable[[], bool]) -> Iterator[Part]:
    kinds = Kinds(tests=request.tests, generated=request.generated)
    files = source.files
    yield "size", lambda: shape.sizes(files, kinds)
    yield "gates", lambda: {"gates": found(gates.gates(source, request.judges))}
    yield (
        "paths",
        lambda: {
            "sensitive": found(shape.risky_paths(files)),
            "outside": found(shape.strays(files, request.scope)),
            "unusual": found(shape.unusual(source)),
        },
    )
    yield "tests", lambda: {"weakened": found(weakened(source, kinds))}
    yield "dependencies", lambda: {"dependencies": found(dependencies.dependencies(source))}
    yield "settings", lambda: {"settings": found(surface.settings(source, kinds))}
    yield "names", lambda: {"names": found(surface.names(source, kinds))}
    yield "claims", lambda: {"claims": found(claims.claims(source))}
    yield "complexity", lambda: {"complexity": complexity.complexity(source, kinds, late=late)}
    yield (
        "duplicates",
        lambda: {"duplicates": found(duplicates.duplicates(source, kinds, late=late))},
    )


if __name__ == "__main__":
    sys.exit(main())
