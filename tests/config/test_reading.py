"""Hostile or broken YAML is refused in one sentence with file and line, by both of its loaders."""

import pytest
import yaml

from fleet.config import reading
from fleet.errors import ConfigError

LOADERS = [yaml.CSafeLoader, yaml.SafeLoader]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__, autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LOADER", request.param)


def refusal(text: bytes | str) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigError) as caught:
        reading.load(data, name="fleet.yaml")
    return caught.value.message


@pytest.mark.parametrize("text", [b"", b"\n", b"# only a comment\n", b"\xef\xbb\xbf"])
def test_a_file_may_say_nothing(text: bytes) -> None:
    assert reading.load(text, name="fleet.yaml") is None


def test_values_know_where_they_stand() -> None:
    value = reading.load(b"\xef\xbb\xbfa: 1\r\n\r\nb:\r\n  - c\r\n", name="x")
    assert value is not None
    entries = value.entries()
    assert entries["b"].line == 4
    assert [item.text("text") for item in entries["b"].items("a list")] == ["c"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [", 2), ("a: 1\n\n  b: 1", 3), ("é: 1\nb: \x07", 2), ("\ta: 1", 1)],
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int) -> None:
    message = refusal(text)
    assert message.startswith(f"fleet.yaml:{line}: this is not YAML: ")


def test_an_escape_beyond_unicode_is_refused() -> None:
    assert "this is not YAML" in refusal('a: "\\UFFFFFFFF"')


def test_what_is_not_utf8_is_refused_with_its_line() -> None:
    assert refusal(b"a: 1\nb: \xff") == "fleet.yaml:2: this is not UTF-8"


def test_a_large_file_is_refused() -> None:
    assert refusal(b"#" * (reading.MAX_BYTES + 1)) == "fleet.yaml is larger than 1 MiB"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_any_loader_recurses(opening: str) -> None:
    assert "nested more than 20 deep" in refusal(opening * 50_000)


@pytest.mark.parametrize(
    "text", ["a: &x [1]\nb: 2", "b: 2\na: &x\n- *x", "a: &a [l]\nb: &b [*a, *a]\nc: [*b, *b]"]
)
def test_anchors_are_refused_so_that_nothing_expands(text: str) -> None:
    assert "anchors and aliases are not used here" in refusal(text)


@pytest.mark.parametrize(
    "text", ["a: !!python/object:os.system x", "a: !x {b: 1}", "!!set {a}", "a: !!binary eA=="]
)
def test_tags_are_refused(text: str) -> None:
    assert refusal(text) == "fleet.yaml:1: tags (words after !) are not used here"


def test_a_second_document_is_refused() -> None:
    assert "fleet.yaml:2: " in refusal("a: 1\n---\nb: 1")


def test_messages_are_fit_for_a_terminal() -> None:
    value = reading.load(b'"\\e[31mred\\u202e": 1', name="x")
    assert value is not None
    with pytest.raises(ConfigError) as caught:
        value.entries(known=["a"])
    assert caught.value.message == 'x:1: unknown key "\\x1b[31mred\\u202e"'
    assert reading.printable("x" * 1000) == "x" * 60


def test_invisible_characters_are_refused() -> None:
    value = reading.load(b'a: "ma\\u202eke"', name="x")
    assert value is not None
    with pytest.raises(ConfigError, match=r"invisible character U\+202E"):
        value.entries()["a"].text("text")


def test_a_list_is_no_key() -> None:
    value = reading.load(b"? [a]\n: b\n", name="x")
    assert value is not None
    with pytest.raises(ConfigError, match="x:1: expected a key, found a list"):
        value.entries()
