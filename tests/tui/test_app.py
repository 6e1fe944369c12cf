"""The dashboard as a person uses it: keys become requests, refusals become notices."""

from fake_link import Running

from fleet.tui.widgets import Lines


async def test_it_lists_the_tasks(running: Running) -> None:
    async with running() as (app, pilot):
        await pilot.press("j", "j")
        text = "\n".join(
            "".join(span.text for span in line)
            for line in app.screen.query_one("#list", Lines).lines
        )
    print(text)
    assert "▌ export-json" in text
