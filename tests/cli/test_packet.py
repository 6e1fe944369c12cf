"""`fleet review`: Markdown in which nothing that others wrote has an effect."""

import pytest

from fleet.core.packet_markdown import as_markdown, escaped
from fleet.core.packet_text import Part, Row


@pytest.mark.parametrize(
    "text",
    ["```sh", "~~~", "<script>x</script>", "[a](http://b)", "![a](b)", "@someone", "# head",
     "*a* _b_", "- x", "a | b", "https://example.org", "&lt;", "#12", "$x$"],
)  # fmt: skip
def test_markdown_shows_what_was_written(text: str) -> None:
    shown = escaped(text)

    assert not set("`~<>[]!@*_|") & set(shown)
    assert "://" not in shown
    assert not shown.startswith(("#", "-"))


def test_each_section_is_a_list_under_its_name() -> None:
    sections = (
        Part("risk", (Row("low"), Row(""), Row("+1  a"))),
        Part("next", (Row("fleet diff a"),)),
    )

    assert as_markdown(sections) == "## risk\n\n- low\n- &#43;1  a\n\n## next\n\n- fleet diff a"
