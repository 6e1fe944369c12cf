"""What adapters say beside their methods: whose account it is, and what it tells of its use."""

import pytest

from fleet.agents import registry, traits
from fleet.agents.claude.adapter import ClaudeAdapter
from fleet.agents.command import CommandAdapter
from fleet.agents.shell import ShellAdapter
from fleet.core.facts import COST, TOKENS
from fleet.core.policy import AgentCommand

SECRET = "sk-ant-api03-secret"


def account(salt: str = "h0", **environment: str) -> str:
    return traits.account(ClaudeAdapter(), environment, salt=salt)


def test_an_account_is_known_by_what_its_environment_says_of_it() -> None:
    assert account() == account(PATH="/bin") == account(ANTHROPIC_API_KEY="") == "claude"
    assert account(ANTHROPIC_API_KEY=SECRET) == account(ANTHROPIC_API_KEY=SECRET, PATH="/bin")
    others = {
        account(),
        account(ANTHROPIC_API_KEY=SECRET),
        account(ANTHROPIC_API_KEY="another"),
        account(ANTHROPIC_AUTH_TOKEN=SECRET),
        account(ANTHROPIC_API_KEY=SECRET, ANTHROPIC_BASE_URL="http://127.0.0.1:8787"),
        account(CLAUDE_CONFIG_DIR="/home/me/work"),
    }
    assert len(others) == 6


def test_nothing_of_a_credential_is_in_its_name() -> None:
    name = account(ANTHROPIC_API_KEY=SECRET)

    assert "secret" not in name
    assert name != account(salt="another home", ANTHROPIC_API_KEY=SECRET)
    assert account(salt="x" * 100, ANTHROPIC_API_KEY="\udcff").startswith("claude ")


def test_commands_of_a_shell_share_nothing_and_other_agents_their_name() -> None:
    command = CommandAdapter(AgentCommand("mine", ("mine", "{prompt}")))

    assert traits.account(ShellAdapter(), {}, salt="h0") == ""
    assert traits.account(command, {}, salt="h0") == "mine"


@pytest.mark.parametrize(("adapter", "told"), [(ClaudeAdapter(), {"cost"}), (ShellAdapter(), None)])
def test_what_it_tells_of_its_use(
    adapter: ClaudeAdapter | ShellAdapter, told: set[str] | None
) -> None:
    assert adapter.usage == told


@pytest.mark.parametrize("name", registry.adapters(()).names())
def test_every_installed_adapter_says_it_in_these_words(name: str) -> None:
    adapter = registry.adapters(()).get(name)

    assert traits.account(adapter, {}, salt="h0") in {name, ""}
    assert (adapter.usage or frozenset()) <= {COST, TOKENS}
