import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from fleet.agents.registry import GROUP, Registry, adapters
from fleet.agents.shell import ShellAdapter
from fleet.core.policy import AgentCommand
from fleet.errors import ConfigError, RefusedError

ROBOT = AgentCommand("robot", ("robot", "{prompt}"))


def plugin(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


SHELL = plugin("shell", "fleet.agents.shell:ShellAdapter")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a plugin called `odd` is written."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    return tmp_path / "odd.py"


def refused(registry: Registry, name: str) -> RefusedError:
    with pytest.raises(RefusedError) as refusal:
        registry.get(name)
    return refusal.value


def test_plugins_are_looked_for_again_when_a_package_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "late" not in adapters([]).names()

    package = tmp_path / "late-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: late\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[{GROUP}]\nlate = late:Late\n")
    assert "late" in adapters([]).names()


def test_the_reference_agent_is_installed() -> None:
    registry = adapters([])

    assert "shell" in registry.names()
    assert isinstance(registry.get("shell"), ShellAdapter)


def test_installed_and_configured_agents_stand_side_by_side() -> None:
    registry = adapters([ROBOT], installed=[SHELL])

    assert registry.names() == ("robot", "shell")
    assert registry.get("robot").name == "robot"


def test_an_agent_is_made_once() -> None:
    registry = adapters([ROBOT], installed=[SHELL])

    assert registry.get("shell") is registry.get("shell")
    assert registry.get("robot") is registry.get("robot")


def test_an_unknown_agent_is_refused_with_the_nearest() -> None:
    refusal = refused(adapters([ROBOT], installed=[SHELL]), "robbot")

    assert refusal.message == 'no agent is called "robbot" (did you mean "robot"?)'
    assert refusal.hint == "known here: robot, shell"


def test_an_unknown_agent_cannot_write_on_the_terminal() -> None:
    refusal = refused(adapters([], installed=[SHELL]), "\x1b[2J")

    assert refusal.message == 'no agent is called "\\x1b[2J"'


@pytest.mark.parametrize(
    ("commands", "why"),
    [
        ([AgentCommand("shell", ("sh",))], '"shell" is an installed agent'),
        ([ROBOT, AgentCommand("robot", ("other",))], '"robot" is configured twice'),
    ],
)
def test_a_name_belongs_to_one_agent(commands: list[AgentCommand], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        adapters(commands, installed=[SHELL])


def test_two_configurations_may_agree() -> None:
    assert adapters([ROBOT, ROBOT], installed=[]).names() == ("robot",)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("class Other: pass", "AttributeError"),
        ("def Odd(:", "SyntaxError"),
        ("class Odd:\n    def __init__(self):\n        raise KeyError('x')", "KeyError"),
        ("class Odd:\n    name = 'odd'", "no adapter"),
        ("from fleet.agents.shell import ShellAdapter as Odd", "no adapter"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named(module: Path, source: str, why: str) -> None:
    module.write_text(source)
    registry = adapters([], installed=[SHELL, plugin("odd", "odd:Odd")])
    refusal = refused(registry, "odd")

    assert refusal.message.startswith('the agent "odd" cannot be used: odd:Odd says: ')
    assert why in refusal.message
    assert "odd" in str(refusal.hint)
    assert registry.get("shell").name == "shell"  # the others are as good as before


def test_a_plugin_of_a_third_party_is_an_agent(module: Path) -> None:
    module.write_text(
        "from fleet.agents.shell import ShellAdapter\nclass Odd(ShellAdapter):\n    name = 'odd'\n"
    )

    assert adapters([], installed=[plugin("odd", "odd:Odd")]).get("odd").name == "odd"


def test_a_name_installed_twice_is_refused() -> None:
    same = plugin("shell", "fleet.agents.shell:ShellAdapter")
    other = plugin("shell", "odd:Odd")

    assert adapters([], installed=[SHELL, same]).get("shell").name == "shell"
    refusal = refused(adapters([], installed=[SHELL, other]), "shell")
    assert "fleet.agents.shell:ShellAdapter and odd:Odd" in refusal.message


def test_names_are_known_before_anything_is_imported() -> None:
    program = (
        "import sys\nfrom fleet.agents.registry import adapters\n"
        "assert 'shell' in adapters([]).names()\nprint('fleet.agents.shell' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert ran.stdout == "False\n"
