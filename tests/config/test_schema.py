"""What is generated is fresh, and the examples in configs/ are understood."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fleet.config import read_repo_policy, read_user_policy, schema
from fleet.config.keys import default
from fleet.config.levels import LEVELS
from fleet.config.repository import REPO_KEYS
from fleet.config.user import USER_KEYS
from fleet.core.policy import Check, FleetPolicy, RepoPolicy

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_checked_in_schema_is_fresh() -> None:
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fleet.config.schema"],
        check=True,
        capture_output=True,
        cwd=CONFIGS.parent,
    )
    fresh = "type: python -m fleet.config.schema > configs/fleet.schema.json"
    assert printed.stdout == (CONFIGS / "fleet.schema.json").read_bytes(), fresh


def test_the_schema_allows_the_known_keys_only() -> None:
    described = schema.schema()
    assert described["additionalProperties"] is False
    properties = described["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == [key.name for key in REPO_KEYS]
    assert properties["park"]["default"] == "10m"
    assert "default" not in properties["timeout"]
    json.dumps(described, allow_nan=False)


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.name)
def test_every_example_loads(file: Path) -> None:
    if file.name == "user-config.yaml":
        assert read_user_policy(file).slots == FleetPolicy().slots
        return
    policy = read_repo_policy(file.read_bytes(), name=file.name, source="target")
    assert policy.needs_trust


def test_the_examples_mean_what_their_names_say() -> None:
    def policy(name: str) -> RepoPolicy:
        return read_repo_policy((CONFIGS / f"{name}.yaml").read_bytes(), source="target")

    assert policy("standard").land == policy("critical").land == "review"
    assert policy("prototype").land == "auto"
    assert Check("tests", "make test", timeout_s=1200) in policy("standard").checks
    assert {agent.name for agent in policy("agents").agents} == {"any", "talker", "loop"}


@pytest.mark.parametrize("level", LEVELS)
def test_an_example_spells_out_its_level(level: str) -> None:
    text = (CONFIGS / f"{level}.yaml").read_text()
    alone = read_repo_policy(f"level: {level}".encode(), source="target")
    spelled = read_repo_policy(text.replace(f"level: {level}\n", "").encode(), source="target")
    said = yaml.safe_load(LEVELS[level])
    for key in (key for key in REPO_KEYS if key.name in said and key.name != "rules"):
        assert default(key, spelled) == default(key, alone), key.name
    assert set(alone.rules) <= set(spelled.rules)
    assert alone.level == level


def test_what_a_file_says_comes_on_top_of_its_level() -> None:
    text = b"""
level: critical
merge: squash
lines: 50
rules:
  - {name: all, paths: "**", risk: low}
  - {name: more, paths: x}
"""
    policy = read_repo_policy(text, source="target")
    assert (policy.merge, policy.batch, policy.limits.lines) == ("squash", 1, 50)
    assert policy.limits.retries == 1  # the level's own
    assert [rule.name for rule in policy.rules] == ["sensitive", "all", "more"]
    assert not policy.rules[1].strict  # it takes the place of the level's rule of that name


def test_the_users_example_shows_every_key() -> None:
    text = (CONFIGS / "user-config.yaml").read_text()
    assert all(f"\n{key.name}:" in text for key in USER_KEYS)


def test_the_reference_has_a_row_for_every_key() -> None:
    text = schema.reference()
    for key in (*REPO_KEYS, *USER_KEYS):
        assert f"\n| `{key.name}` | " in text
    assert "| `park` | a duration | `10m` |" in text
    assert "| `timeout` | a duration | no limit |" in text
    assert all(line.count("|") == 5 for line in text.splitlines() if line.startswith("|"))


def test_a_key_says_what_holds_without_it() -> None:
    both = [(REPO_KEYS, RepoPolicy()), (USER_KEYS, FleetPolicy())]
    for keys, policy in both:
        for key in keys:
            assert (default(key, policy) is None) == bool(key.absent), key.name
