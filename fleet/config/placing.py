"""Where in a file a key stands, for what only those who use its value can judge."""

from fleet.config.reading import Value, load
from fleet.errors import ConfigError


def placed(error: ConfigError, text: bytes, *, name: str) -> ConfigError:
    """Return `error` with file and line of the key that it is about; as it is where none is."""
    value = load(text, name=name)
    for part in error.key:
        found = None if value is None else _entry(value, part)
        if found is None:
            return error
        value = found
    if value is None or not error.key:
        return error
    message = f"{value.file}:{value.line}: {error.message}"
    return ConfigError(message, hint=error.hint, key=error.key)


def _entry(value: Value, name: str) -> Value | None:
    return value.entries().get(name) if value.found == "keys and values" else None
