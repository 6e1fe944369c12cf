"""What every installed adapter must do, whoever made it."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.agents import registry
from fleet.agents.adapter import AgentAdapter, Launch, Request, SaysDone, Signal
from fleet.agents.traits import default_done
from fleet.core.policy import AgentCommand

ANY = AgentCommand("any", ("any", "--model", "{model}", "{prompt}"), resume=("any", "{prompt}"))
REGISTRY = registry.adapters([ANY])
HOSTILE = "-rf '; touch /tmp/x; $(id) `id` {worktree} {} ${HOME} \x1b[31m\n%s \\ ä 🔑"
RequestFor = Callable[..., Request]
Signals = msgspec.json.Decoder(tuple[Signal, ...])


@pytest.fixture(params=REGISTRY.names())
def adapter(request: pytest.FixtureRequest) -> AgentAdapter:
    return REGISTRY.get(request.param)


def test_it_is_an_adapter(adapter: AgentAdapter) -> None:
    assert isinstance(adapter, AgentAdapter)
    assert adapter.attempts >= 1
    assert default_done(adapter, has_checks=False) in {"exit", "manual", "turn"}
    assert {"GIT_DIR", "GIT_INDEX_FILE", "CLAUDECODE"} <= set(adapter.scrub)


@pytest.mark.parametrize("screen", ["", "> ", HOSTILE, "\x1b[2m─" * 200, "\n" * 500])
def test_no_screen_upsets_who_reads_its_input_line(adapter: AgentAdapter, screen: str) -> None:
    assert isinstance(adapter.input_line(screen), str | None)


def test_what_clears_its_input_line_breaks_nothing_off(adapter: AgentAdapter) -> None:
    assert not {0x03, 0x04, 0x0D, 0x1B, 0x1C} & {*adapter.clear_line}
    assert adapter.enter_after_s >= 0


@pytest.mark.parametrize("prompt", ["true", HOSTILE, "x" * 1_000_000, "ä" * 100_000])
def test_a_launch_can_be_performed(
    adapter: AgentAdapter, request_for: RequestFor, prompt: str
) -> None:
    launch = adapter.launch(request_for(prompt))
    words = [*launch.argv, *(f"{name}={value}" for name, value in launch.env.items())]

    assert launch.argv[0]
    assert max(len(word.encode()) for word in words) < 131_072
    assert any(text.endswith(prompt) for text in (*launch.argv, *launch.files.values()))
    assert not any(name.startswith(("/", ".")) for name in launch.files)
    assert not {*launch.env} & {*launch.unset}
    assert not any(name.startswith("FLEET_") for name in launch.env)


def test_equal_requests_give_equal_launches(adapter: AgentAdapter, request_for: RequestFor) -> None:
    assert adapter.launch(request_for(HOSTILE)) == adapter.launch(request_for(HOSTILE))


def test_a_launch_and_its_request_are_values(request_for: RequestFor) -> None:
    launch = Launch(("x",))
    with pytest.raises(AttributeError):
        launch.argv = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        request_for().task = ""  # type: ignore[misc]


def test_its_program_is_where_the_launch_says(
    adapter: AgentAdapter, request_for: RequestFor
) -> None:
    assert adapter.program() in {None, *adapter.launch(request_for()).argv}


def test_what_it_starts_may_report_by_the_generic_hooks(adapter: AgentAdapter) -> None:
    assert adapter.read_hook("done", b"") == (SaysDone(),)


@pytest.mark.parametrize("name", REGISTRY.names())
@settings(deadline=None, max_examples=50)
@given(
    hook=st.sampled_from(["working", "heard", "waiting", "idle", "usage", "conversation", "done"])
    | st.text(),
    payload=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["need", "kind", "until", "cost_usd", "tokens", "id", "background", "text"]
            )
            | st.text(),
            inner,
        ),
    ).map(msgspec.json.encode),
)
def test_no_payload_upsets_it(name: str, hook: str, payload: bytes) -> None:
    signals = REGISTRY.get(name).read_hook(hook, payload)

    assert Signals.decode(msgspec.json.encode(signals)) == signals
    assert all(ord(sign) >= 32 for signal in signals for sign in str(signal))
