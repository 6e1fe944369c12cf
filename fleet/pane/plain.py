"""What `json`, `ctypes`, `contextlib` and `os` offer, without the 15 ms that importing them takes.

Each of them rests on a part that is compiled in, and only those parts are used here.
"""

import _ctypes
import _json
import posix
import sys

TYPE_CHECKING = False  # importing it takes 4 ms
if TYPE_CHECKING:
    from typing import Any


class _MayFail:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError)


may_fail = _MayFail()  # passes over an OSError


class _Plainly:
    """Tells the scanner of `json` to make what `json.loads` makes."""

    strict, object_hook, object_pairs_hook = True, None, None
    parse_float, parse_int, parse_constant = float, int, float


_scan = _json.make_scanner(_Plainly)  # type: ignore[arg-type] # any object with these will do


def decode(text: str) -> "dict[str, Any]":
    """Return the object that `text` is in JSON.

    Raises:
        ValueError: it is something else.
    """
    try:
        found, end = _scan(text, 0)
    except (StopIteration, SystemError):  # the latter where `json`, which has the error, is missing
        raise ValueError("it is no JSON") from None
    if text[end:].strip() or not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def encode(what: dict[str, object]) -> str:
    """Return `what`, which holds texts, numbers and None, as an object in JSON."""
    return "{" + ", ".join(f'"{name}": {_value(it)}' for name, it in what.items()) + "}"


def _value(it: object) -> str:
    if it is None:
        return "null"
    return _json.encode_basestring_ascii(it) if isinstance(it, str) else repr(it)


def exists(path: str | bytes) -> bool:
    with may_fail:
        return bool(posix.stat(path))
    return False


def prctl(option: int, value: int) -> None:
    """Call what has no other name in Python; nothing where the system does not have it."""
    if sys.platform == "linux":
        itself = _ctypes.dlopen(None, 0)  # type: ignore[arg-type] # None: the program itself
        address = _ctypes.dlsym(itself, "prctl")
        _ctypes.call_function(address, (option, value, 0, 0, 0))


def run_program(argv: list[bytes], env: dict[bytes, bytes]) -> None:
    """Become the program `argv`, which is looked for in the PATH of `env`; OSError says why not."""
    if b"/" in argv[0]:
        posix.execve(argv[0], argv, env)
    from os import execvpe  # noqa: PLC0415 (it takes 1 ms, and is seldom needed)

    execvpe(argv[0], argv, env)  # noqa: S606 (that is its purpose)
