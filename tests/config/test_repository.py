"""`fleet.yaml` is understood as a whole, or refused with file, line and a next step."""

import hashlib
import shutil
import subprocess

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.config import read_repo_policy
from fleet.config.checks import check_from
from fleet.config.repository import REPO_KEYS
from fleet.core.policy import AgentCommand, AgentOptions, Check, RepoPolicy, Rule
from fleet.errors import ConfigError, UsageError

EVERYTHING = """
target: release/1.0
agent: any
agents:
  any: {command: "my-agent --task '{prompt_file}'", resume: [a, ""], converses: yes}
  two: {command: [b], done: exit, attempts: 3, env: {A_B: "1"}, reports: true}
agent_options: {any: {allow: Read, model: large}}
checks:
  - pytest -q
  - {name: Lint, run: "ruff check .", timeout: 90}
copy: [.env, ./a//b/]
link: data
setup: [npm ci]
setup_timeout: 1h
keep: [node_modules]
env: [DATABASE_URL]
ports: 3
land: auto
merge: squash
push: true
remote: up-stream
pr: off
pr_returns: reviews
forge: glab
attempts: 4
retries: 0
timeout: 2h
silence: 90s
budget: 2.5
tokens: 1000
lines: 400
park: 0
level: critical
rules:
  - {name: docs, paths: docs/, land: auto, risk: low, lines: 20, files: 3}
  - {name: core, paths: [src/, "!src/x"], land: review, approvals: 2, reviewers: [Ann, bob],
     strict: true, alone: yes}
tests: [t/]
generated: "*.lock"
proofs: false
batch: 1
window: 3
tell_conflicts: true
evidence: 2d
"""


def read(text: str) -> RepoPolicy:
    return read_repo_policy(text.encode(), source="target")


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return caught.value


def test_every_key_arrives_in_the_policy() -> None:
    policy = read(EVERYTHING)
    assert set(yaml.safe_load(EVERYTHING)) == {key.name for key in REPO_KEYS}
    assert policy.checks == (
        Check("pytest-q", "pytest -q"),
        Check("Lint", "ruff check .", timeout_s=90),
    )
    assert policy.agents == (
        AgentCommand(
            "any", ("my-agent", "--task", "{prompt_file}"), resume=("a", ""), converses=True
        ),
        AgentCommand("two", ("b",), done="exit", attempts=3, env={"A_B": "1"}, reports=True),
    )
    assert policy.agent_options == (AgentOptions("any", allow=("Read",), model="large"),)
    assert (policy.copy, policy.link) == ((".env", "a/b"), ("data",))
    assert (policy.setup, policy.keep, policy.env) == (
        ("npm ci",),
        ("node_modules",),
        ("DATABASE_URL",),
    )
    assert (policy.setup_timeout_s, policy.park_s, policy.ports) == (3600, 0, 3)
    assert (policy.target, policy.agent, policy.land) == ("release/1.0", "any", "auto")
    assert (policy.pr, policy.pr_returns, policy.forge) == ("off", ("reviews",), "glab")
    assert (policy.merge, policy.push, policy.remote) == ("squash", True, "up-stream")
    assert (policy.level, policy.tests, policy.generated) == ("critical", ("t/",), ("*.lock",))
    assert (policy.proofs, policy.batch, policy.window) == (False, 1, 3)
    assert policy.tell_conflicts
    assert policy.rules[-2:] == (
        Rule("docs", ("docs/",), land="auto", risk="low", lines=20, files=3),
        Rule(
            "core",
            ("src/", "!src/x"),
            land="review",
            approvals=2,
            reviewers=("Ann", "bob"),
            strict=True,
            alone=True,
        ),
    )
    assert msgspec.structs.astuple(policy.limits) == (4, 0, 7200, 90, 2.5, 1000, 400)


def test_an_empty_file_means_the_defaults() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    expected = RepoPolicy(digest=digest, source="uncommitted")
    assert read_repo_policy(b"", source="uncommitted") == expected


def test_the_digest_is_of_the_very_bytes() -> None:
    assert read("ports: 1").digest == hashlib.sha256(b"ports: 1").hexdigest()
    assert read("ports: 1 ").digest != read("ports: 1").digest


def test_an_unknown_key_names_file_line_and_the_nearest() -> None:
    error = refused("target: main\n\nchekcs: [x]")
    assert error.message == 'fleet.yaml:3: unknown key "chekcs" (did you mean "checks"?)'
    assert error.hint is not None
    assert "checks" in error.hint
    nested = refused("checks:\n  - name: a\n    rum: x")
    assert nested.message == 'fleet.yaml:3: checks: unknown key "rum" (did you mean "run"?)'
    assert refused("zzz: 1").message == 'fleet.yaml:1: unknown key "zzz"'


def test_a_key_that_stands_there_twice_is_refused() -> None:
    error = refused("target: a\n\ntarget: b")
    assert error.message == 'fleet.yaml:3: the key "target" is already on line 1'


def test_the_name_of_the_file_is_the_callers() -> None:
    with pytest.raises(ConfigError, match=r"^main:fleet\.yaml:1: "):
        read_repo_policy(b"a: 1", name="main:fleet.yaml", source="target")


EMPTY_COMMANDS = ['""', '"  "', '"\\t\\n"', '"# pytest"', '"\\n # a\\n\\n#b"']


@pytest.mark.parametrize("command", EMPTY_COMMANDS)
@pytest.mark.parametrize(
    "text",
    ["checks: [{}]", "checks: {}", "checks: [{{name: a, run: {}}}]", "setup: [{}]", "setup: {}"],
)
def test_a_command_that_cannot_fail_is_refused(text: str, command: str) -> None:
    assert "the command is empty" in refused(text.format(command)).message


@pytest.mark.parametrize("command", ['""', "[]", '[""]', '" "'])
@pytest.mark.parametrize("key", ["command", "resume"])
def test_an_agent_without_a_program_is_refused(key: str, command: str) -> None:
    text = f"agents: {{a: {{command: b, {key}: {command}}}}}".replace(
        "command: b, command", "command"
    )
    assert "the command is empty" in refused(text).message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", "expected keys and values, found a list"),
        ("checks:", "checks: expected a list of checks, found nothing"),
        ("checks: {run: a}", "checks: expected a list of checks, found keys and values"),
        ("checks: [{name: a}]", 'checks: the key "run" is missing'),
        ("checks: [true]", "checks: expected a command, found true or false"),
        ("checks: [[a]]", "checks: expected a command, found a list"),
        ("checks: [{name: ../a, run: b}]", "is not a name of letters, digits, dots and dashes"),
        ("checks: [{name: .a, run: b}]", "is not a name of letters"),
        ("checks: [{name: a, run: b}, {name: A, run: c}]", 'on line 1 is called "a" already'),
        ("checks: [{run: a, timeout: 0}]", "checks.timeout: expected a duration above zero"),
        ("timeout: soon", 'timeout: "soon" is not a duration'),
        ("timeout: 1:30", 'timeout: "1:30" is not a duration'),
        ("timeout: []", "timeout: expected a duration such as 90s, 10m or 1h30m, found a list"),
        ("timeout: true", "timeout: expected a duration"),
        ("ports: 2000", "ports: expected a whole number from 0 to 1000, found 2000"),
        ("ports: 010", "found 010"),
        ("ports: 1.5", "found 1.5"),
        ("ports: -1", "found -1"),
        ("ports: '3'", "found text"),
        (f"ports: {'9' * 5000}", "ports: expected a whole number"),
        ("budget: 0", "budget: expected a number of US dollars above zero, found 0"),
        ("budget: .inf", "found .inf"),
        ("budget: [1]", "found a list"),
        ("push: 1", "push: expected true or false, found a number"),
        ("pr: on", "pr: expected off or open or merge, found true or false"),
        ("pr: opened", 'pr: expected off or open or merge, found "opened"'),
        ("pr_returns: [all]", 'pr_returns: expected checks or reviews, found "all"'),
        ("forge: bitbucket", 'forge: expected gh or glab, found "bitbucket"'),
        ("{push: true, pr: open}", "pr: changes are either pushed or put into pull requests"),
        ("land: now", 'land: expected auto or review, found "now"'),
        ("merge: ff", 'merge: expected merge or squash or rebase, found "ff"'),
        ("target: 1.0", "target: expected the name of a branch, found a number"),
        ("target: ''", "target: expected the name of a branch, found empty text"),
        ('target: "a\\nb"', "target: expected the name of a branch on one line"),
        ("env: [A-B]", '"A-B" is not the name of an environment variable'),
        ("env: {A: b}", "env: expected a list of names of environment variables, found keys"),
        ("agents: [a]", "agents: expected keys and values, found a list"),
        ("agent_options: {a: {allowed: [b]}}", 'unknown key "allowed" (did you mean "allow"?)'),
        ("agent_options: {A b: {allow: [b]}}", "an agent's name has small letters"),
        ("agent_options: {a: {permission: 1}}", "expected a text, found a number"),
        ("agent_options: {a: {allow: ['']}}", "expected a text, found empty text"),
        ("agents: {A b: {command: c}}", "agents.A b: an agent's name has small letters"),
        ("agents: {a: b}", "agents.a: expected keys and values, found text"),
        ('agents: {a: {command: "b \'c"}}', "cannot be split: no closing quotation"),
        ("agents: {a: {command: 1}}", "agents.a.command: expected a command, found a number"),
        ("agents: {a: {command: b, env: {1a: c}}}", "not the name of an environment variable"),
        ("agents: {a: {command: b, env: {A: 1}}}", "agents.a.env.A: expected text, found a number"),
        ("agents: {a: {command: 'b {promt}'}}", 'did you mean "{prompt}"?'),
        ("agents: {a: {command: [b, '{promtfile}']}}", 'did you mean "{prompt_file}"?'),
        ("<<: {ports: 1}", 'unknown key "<<"'),
    ],
)
def test_what_is_not_understood_is_refused(text: str, expected: str) -> None:
    message = refused(text).message
    assert message.startswith("fleet.yaml:1: ")
    assert expected in message


def test_what_is_pushed_is_not_put_into_pull_requests_as_well() -> None:
    error = refused("push: true\nremote: up\npr: merge\n")

    assert error.message.startswith("fleet.yaml:3: pr: ")
    assert error.hint == "take out push: true, or pr"
    assert read("push: false\npr: open").pr == "open"


def test_a_text_that_yaml_takes_for_something_else_needs_quotes() -> None:
    assert refused("checks: [true]").hint == 'put it in quotes: "true"'
    assert refused("checks: [[a]]").hint is None


def test_braces_that_are_no_placeholder_are_left_alone() -> None:
    text = "agents: {a: {command: [awk, '{print}', '{\"a\": 1}']}}"
    assert read(text).agents[0].command == ("awk", "{print}", '{"a": 1}')


@pytest.mark.parametrize("key", ["copy", "link", "keep"])
@pytest.mark.parametrize("path", ["/etc", "../a", "a/../../b", "~/x", ".", "./", ".git/hooks"])
def test_a_path_that_leaves_the_repository_is_refused(key: str, path: str) -> None:
    assert refused(f"{key}: ['{path}']").message.startswith(f"fleet.yaml:1: {key}: ")


@pytest.mark.parametrize("remote", ["-x", "ext::sh -c id", "../other", "https://x/y", "a..b"])
def test_a_remote_is_a_name_and_never_a_url(remote: str) -> None:
    assert "is not the name of a git remote" in refused(f"remote: '{remote}'").message


BRANCHES = [
    *("main", "a/b", "v1.0", "ä", "a@b", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a["),
    *("a\\\\b", "/a", "a/", "a//b", "a.", "a.lock", "a.lock/b", ".a", "a/.b", "a@{b", "@", "HEAD"),
]


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_target_is_what_git_takes_for_a_branch(branch: str) -> None:
    assert shutil.which("git")
    verdict = subprocess.run(
        ["git", "check-ref-format", "--branch", branch], check=False, capture_output=True
    )
    text = f"target: '{branch}'"
    if verdict.returncode == 0 and branch != "@":
        assert read(text).target == branch
    else:
        assert "is not the name of a branch" in refused(text).message


def test_names_are_made_from_commands_and_never_alike() -> None:
    text = "checks: [pytest -q, 'pytest --q', {name: Pytest-Q, run: a}, './é', '%s']" % ("x" * 99)
    names = [check.name for check in read(text).checks]
    assert names == ["pytest-q-2", "pytest-q-3", "Pytest-Q", "check", "x" * 40]


def test_a_check_of_a_task_is_named_like_one_of_the_file() -> None:
    assert check_from(" make  test ") == Check("make-test", "make  test")
    assert check_from("make test", taken=["Make-Test"]).name == "make-test-2"


@pytest.mark.parametrize("command", ["", " \n", "# make test"])
def test_a_check_of_a_task_may_not_be_empty(command: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        check_from(command)


def refusal_of(data: bytes) -> str | None:
    """Return why `data` is refused, or None; any error but ours fails the test."""
    try:
        read_repo_policy(data, source="target")
    except ConfigError as error:
        message = error.message
    else:
        return None
    assert message.isprintable()
    return message


KEYS = st.sampled_from([key.name for key in REPO_KEYS]) | st.text(max_size=8)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.dates(),
    st.binary(max_size=4),
    st.sampled_from(["2h", "auto", ".env", "main", "make test", "{promt}"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "run", "timeout", "command", "env", "any"])
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_mapping_loads_or_is_refused(document: dict[str, object]) -> None:
    message = refusal_of(yaml.safe_dump(document, allow_unicode=True).encode())
    assert message is None or message.startswith("fleet.yaml:")


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}&*!#'\"\\\n \t?|>%", max_size=40))
def test_any_bytes_load_or_are_refused(data: bytes | str) -> None:
    refusal_of(data if isinstance(data, bytes) else data.encode())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rules: [{name: a}]", 'rules: the key "paths" is missing'),
        ("rules: [{paths: a}]", 'rules: the key "name" is missing'),
        ("rules: [{name: a, paths: []}]", "rules: the rule has no paths"),
        (
            "rules:\n  - {name: a, paths: b}\n  - {name: A, paths: c}",
            'rules: the rule on line 2 is called "a" already',
        ),
        (
            "rules: [{name: a, paths: b, risk: none}]",
            'expected low or medium or high, found "none"',
        ),
        ("rules: [{name: a, paths: b, reviewers: ['-x']}]", "is not the name of a person"),
        ("tests: '!'", '"!" means no file'),
        ("generated: ['a', '/']", '"/" means no file'),
        ("tests: 'a\\b'", "means no file"),
    ],
)
def test_a_rule_or_pattern_that_would_do_nothing_is_refused(text: str, why: str) -> None:
    assert why in refused(text).message
