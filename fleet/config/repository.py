"""`fleet.yaml`: what a repository says, read strictly into a RepoPolicy."""

import hashlib
from typing import Literal, get_args

import msgspec

from fleet.config.agents import AGENT_OPTIONS, AGENTS
from fleet.config.checks import CHECKS
from fleet.config.keys import Key, read_table
from fleet.config.kinds import (
    AGENT,
    BRANCH,
    COMMANDS,
    FLAG,
    GLOBS,
    PATHS,
    REMOTE,
    VARIABLES,
    amount,
    choice,
    duration,
    list_of,
    whole,
)
from fleet.config.levels import LEVELS
from fleet.config.reading import load
from fleet.config.rules import RULES
from fleet.core.policy import Land, Level, MergeMethod, RepoPolicy
from fleet.core.pulls import ForgeName, PullMode, Returns

REPO_KEYS = (
    Key(
        "target",
        BRANCH,
        "the branch on which changes land",
        absent="the branch checked out in your main working tree",
    ),
    Key("agent", AGENT, "the agent that works where a task names none"),
    Key("agents", AGENTS, "agents of this repository's own: any command"),
    Key("agent_options", AGENT_OPTIONS, "how an agent is started where a task says no more"),
    Key("checks", CHECKS, "commands that must pass on the merged tree of every change"),
    Key("copy", PATHS, "files to copy from your checkout into each workspace"),
    Key("link", PATHS, "files to link from your checkout into each workspace"),
    Key("setup", COMMANDS, "commands that make a workspace ready to work in"),
    Key("setup_timeout", duration(), "after this time set-up has failed", "setup_timeout_s"),
    Key("keep", PATHS, "ignored paths that outlive a task: caches and build directories"),
    Key("env", VARIABLES, "variables of your shell that agents and checks get as well"),
    Key("ports", whole(0, 1000), "how many free ports each workspace gets, from $FLEET_PORT on"),
    Key("land", choice(*get_args(Land)), "who decides that a change lands: its checks or a person"),
    Key("merge", choice(*get_args(MergeMethod)), "how a change lands"),
    Key("push", FLAG, "whether the remote's branch is moved first, then your own"),
    Key("remote", REMOTE, "the remote for `push` and `pr`"),
    Key(
        "pr",
        choice(*get_args(PullMode)),
        "whether changes land by a pull request: fleet opens it, and with `merge` has it merged",
    ),
    Key(
        "pr_returns",
        list_of(choice(*get_args(Returns)), "a list of `checks` and `reviews`"),
        "what of a pull request goes back to its agent by itself",
    ),
    Key(
        "forge",
        choice(*get_args(ForgeName)),
        "the program that speaks to where the remote is",
        absent="by the address of the remote",
    ),
    Key(
        "attempts",
        whole(1, 1000),
        "fresh attempts until the checks pass",
        "limits.attempts",
        absent="the agent's own default",
    ),
    Key(
        "retries",
        whole(0, 100),
        "how often red checks go back to the same agent before a fresh attempt",
        "limits.retries",
    ),
    Key("timeout", duration(), "wall time of a task", "limits.timeout_s", absent="no limit"),
    Key(
        "silence",
        duration(),
        "an agent that prints nothing for so long is stalled",
        "limits.silence_s",
        absent="no limit",
    ),
    Key("budget", amount("US dollars"), "cost of a task", "limits.budget_usd", absent="no limit"),
    Key("tokens", whole(1, 10**12), "tokens of a task", "limits.tokens", absent="no limit"),
    Key(
        "lines",
        whole(1, 10**7),
        "changed lines beyond which a change needs a person",
        "limits.lines",
        absent="no limit",
    ),
    Key(
        "park",
        duration(zero=True),
        "how long an agent keeps its slot while its change waits for review",
        "park_s",
    ),
    Key(
        "level",
        choice(*get_args(Level)),
        "whose values hold where this file says nothing else; rules come beside its own",
        absent="none",
    ),
    Key("rules", RULES, "what changes of some files ask for beyond the rest"),
    Key("tests", GLOBS, "which files are tests"),
    Key("generated", GLOBS, "which files nobody writes by hand: they count for no size"),
    Key("proofs", FLAG, "whether old tests are run on new code, and new tests on old code"),
    Key("batch", whole(1, 100), "as many changes are checked together at most; 1: never together"),
    Key(
        "window",
        whole(1, 100),
        "as many changes are checked ahead of their turn at most",
        absent="as many as go well",
    ),
    Key(
        "evidence",
        duration(),
        "how long what checks said is proof: later they run anew, and approvals on it are void",
        "evidence_s",
    ),
    Key(
        "tell_conflicts",
        FLAG,
        "whether agents are told, when a turn ends, of others whose work conflicts with theirs",
    ),
)


def read_repo_policy(
    text: bytes, *, name: str = "fleet.yaml", source: Literal["target", "uncommitted"]
) -> RepoPolicy:
    """Return what the file's bytes say, with defaults for the rest and the bytes' digest.

    Raises:
        ConfigError: anything in it is not understood; the message begins with `name` and the line.
    """
    said = _said(text, name)
    if (level := said.get("level")) is not None:
        said = _on_top(said, _said(LEVELS[str(level)], f"level {level}"))
    digest = hashlib.sha256(text).hexdigest()
    return msgspec.convert({**said, "digest": digest, "source": source}, type=RepoPolicy)


def _said(text: bytes, name: str) -> dict[str, object]:
    value = load(text, name=name)
    if value is None:
        return {}
    said = read_table(value, REPO_KEYS)
    if said.get("push") and said.get("pr", "off") != "off":
        both = value.entries()["pr"]
        raise both.error(
            "changes are either pushed or put into pull requests",
            hint="take out push: true, or pr",
        )
    return said


def _on_top(own: dict[str, object], level: dict[str, object]) -> dict[str, object]:
    """Return what a file says on top of its level; its rules come beside those of other names."""
    both = level | own
    for key, theirs in level.items():
        mine = own.get(key)
        if isinstance(theirs, dict) and isinstance(mine, dict):
            both[key] = theirs | mine
        elif key == "rules" and isinstance(theirs, list) and isinstance(mine, list):
            taken = {rule["name"] for rule in mine}
            both[key] = [*(rule for rule in theirs if rule["name"] not in taken), *mine]
    return both
