"""The plugin itself, run by this machine's node in an opencode that only plays its part."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleet.agents.adapter import Request
from fleet.agents.opencode.adapter import OpencodeAdapter
from fleet.paths import HOOK

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no node to run the plugin in")
# Plays opencode: each step is an event, a prompt, or an answer to what was asked last.
PLAYER = """\
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { Fleet } from "./opencode-fleet.mjs"

const said = []
const client = {
  config: { providers: async () => ({ data: { providers: [
    { id: "fake", models: { small: { limit: { context: 1000 } } } } ] } }) },
  session: {
    get: async ({ path }) => ({ data: { parentID: path.id === "sub" ? "ses" : undefined } }),
    update: async (it) => { said.push(["update", it]); return {} },
    abort: async (it) => { said.push(["abort", it]); return {} },
    promptAsync: async (it) => { said.push(["prompt", it]); return {} },
  },
  _client: { post: async ({ url, body }) => {
    said.push([url, body])
    return { error: url === "/refused" ? "no" : undefined }
  } },
}
const steps = JSON.parse(readFileSync("steps.json", "utf8"))
const hooks = await Fleet({ client, directory: "/w" })
const config = { permission: JSON.parse(process.argv[2]) }
await hooks.config(config)
const asks = `${process.env.FLEET_HOME}/asks`
const spool = `${process.env.FLEET_HOME}/spool`
const until = async (what) => { while (!what()) await new Promise((go) => setTimeout(go, 5)) }
// A pipe takes an answer once its hook has left its report.
const pipes = () => readdirSync(asks)
const waiting = () => pipes().filter((name) => readdirSync(spool).includes(name))
for (const [kind, it] of steps) {
  if (kind === "prompt") {
    const message = { model: {} }
    const parts = [{ type: "text", text: it.text }, { type: "text", text: "x", synthetic: true }]
    await hooks["chat.message"]({ sessionID: it.session }, { message, parts })
    said.push(["model", message.model])
  } else if (kind === "tool") await hooks["tool.execute.before"](it, it)
  else if (kind === "answer") {
    await until(() => waiting().length > 0)
    const [text, posted] = [JSON.stringify(it), said.length]
    writeFileSync(`${asks}/${waiting()[0]}`, `${text.length}\\n${text}`)
    await until(() => said.length > posted)
  } else if (kind === "stall") {
    await new Promise((go) => setImmediate(go))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, it)
  } else if (kind === "asked") await until(() => waiting().length >= it)
  else await hooks.event({ event: { type: kind, properties: it } })
}
const env = {}
await hooks["shell.env"]({}, { env })
await hooks.dispose()
await until(() => pipes().length === 0)
console.log(JSON.stringify({ said, permission: config.permission, env }))
"""
BUSY = ("session.status", {"sessionID": "ses", "status": {"type": "busy"}})
IDLE = ("session.status", {"sessionID": "ses", "status": {"type": "idle"}})
PROMPT = ("prompt", {"session": "ses", "text": "hello"})
ASKED = ("permission.asked", {"id": "per_1", "permission": "bash"})
ALLOW = {"url": "/permission/per_1/reply", "body": {"reply": "once"}}
REPLIED = ("permission.replied", {"requestID": "per_1", "reply": "once"})
Step = tuple[str, Any]


class Player:
    """A plugin's run directory and fleet home."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        for name in ("spool", "asks", "bin"):
            (self.home / name).mkdir(parents=True)
        shutil.copy(HOOK, self.home / "bin" / "fleet-hook")
        self.seen: Any = None

    def play(self, *steps: Step, own: object = None, **rest: Any) -> list[tuple[str, Any]]:
        """Return what fleet was told, in its order."""
        known = {"worktree": "/w", "run_dir": str(self.root), "home": str(self.home)}
        request = Request(task="hello", prompt="x", notes="/h/notes.md", **(known | rest))
        launch = OpencodeAdapter().launch(request)
        for name, text in launch.files.items():
            # Outside of a package, node takes only this name for a module.
            path = self.root / name
            (path.with_suffix(".mjs") if path.suffix == ".js" else path).write_text(text)
        (self.root / "player.mjs").write_text(PLAYER)
        content = {"theme": "x", "plugin": [f"file://{self.root}/opencode-fleet.mjs", "other"]}
        env = {
            "PATH": os.environ["PATH"],
            "FLEET_HOME": str(self.home),
            "FLEET_RUN": "h:hello:1:n",
            "OPENCODE_CONFIG_CONTENT": json.dumps(content),
        }
        (self.root / "steps.json").write_text(json.dumps(steps))
        ran = subprocess.run(
            [str(NODE), "player.mjs", json.dumps(own)],
            cwd=self.root,
            capture_output=True,
            text=True,
            env=env,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        self.seen = json.loads(ran.stdout)
        reports = (file.read_text().split("\n", 3) for file in sorted(self._reports()))
        return [(name, json.loads(payload)) for _, name, _, payload in reports]

    def words(self, *steps: Step, **rest: Any) -> list[str]:
        """Return what fleet was told, each in a word."""
        return [_word(name, told) for name, told in self.play(*steps, **rest)]

    def _reports(self) -> list[Path]:
        return [file for file in (self.home / "spool").iterdir() if file.name[0] != "."]


def _word(name: str, told: Any) -> str:
    match name:
        case "session.status":
            more = (word for word in ("background", "stopped") if told[word])
            return " ".join((str(told["status"]["type"]), *more))
        case "session.error":
            return f"failed {told['error']['name']}"
        case _:
            return name.partition(".")[0]


@pytest.fixture
def player(tmp_path: Path) -> Player:
    return Player(tmp_path)


def error(name: str, **data: object) -> Step:
    return ("session.error", {"sessionID": "ses", "error": {"name": name, "data": data}})


def retry(in_ms: int) -> Step:
    at = 4_000_000_000_000 if in_ms else 0
    status = {"type": "retry", "attempt": 1, "message": "slow", "next": at}
    return ("session.status", {"sessionID": "ses", "status": status})


def message(name: str, session: str = "ses", *, read: int = 100, at: int = 2**52) -> Step:
    tokens = {"input": 10, "output": 5, "reasoning": 0, "cache": {"read": read, "write": 0}}
    info = {"id": name, "role": "assistant", "sessionID": session, "cost": 0.5, "tokens": tokens}
    named = {"providerID": "fake", "modelID": "small", "time": {"created": at}}
    return ("message.updated", {"info": info | named})


def test_a_turn_is_told_once(player: Player) -> None:
    assert player.words(PROMPT, BUSY, BUSY, IDLE, IDLE) == ["chat", "idle"]
    assert player.seen["said"][0][0] == "update"


def test_a_prompt_is_what_the_user_said(player: Player) -> None:
    ((_, told),) = player.play(PROMPT)

    assert told == {"session": "ses", "text": "hello"}


def test_a_session_is_named_after_its_task_once(player: Player) -> None:
    player.play(PROMPT, PROMPT)

    named = [it for it in player.seen["said"] if it[0] == "update"]
    assert named == [["update", {"path": {"id": "ses"}, "body": {"title": "fleet: hello"}}]]


def test_effort_is_a_variant_of_its_model(player: Player) -> None:
    player.play(PROMPT, effort="high")

    assert player.seen["said"][-1] == ["model", {"variant": "high"}]


def test_what_a_subagent_is_told_and_does_is_no_turn(player: Player) -> None:
    sub = {"sessionID": "sub", "status": {"type": "busy"}}
    rest = {"sessionID": "sub", "status": {"type": "idle"}}
    task = ("prompt", {"session": "sub", "text": "look"})

    told = player.words(PROMPT, task, ("session.status", sub), BUSY, IDLE, ("session.status", rest))
    assert told == ["chat", "idle background", "idle"]


def test_an_error_ends_its_turn_once(player: Player) -> None:
    broke = error("APIError", message="no", statusCode=403)

    assert player.words(PROMPT, BUSY, broke, IDLE, IDLE) == ["chat", "failed APIError"]


def test_an_error_without_a_turn_is_told(player: Player) -> None:
    assert player.words(PROMPT, IDLE, error("APIError")) == ["chat", "idle", "failed APIError"]


def test_an_error_after_which_it_goes_on_is_none(player: Player) -> None:
    broke = error("ContextOverflowError", message="long")

    assert player.words(PROMPT, BUSY, broke, BUSY, IDLE) == ["chat", "idle"]


def test_an_interrupted_turn_was_stopped(player: Player) -> None:
    told = player.words(PROMPT, BUSY, error("MessageAbortedError"), IDLE, PROMPT, BUSY, IDLE)

    assert told == ["chat", "idle stopped", "chat", "idle"]


@pytest.mark.parametrize(("after", "ends"), [((), "idle stopped"), ((BUSY,), "idle")])
def test_a_refusal_stops_a_turn_that_does_not_go_on(
    after: tuple[Step, ...], ends: str, player: Player
) -> None:
    refused = ("permission.replied", {"sessionID": "ses", "requestID": "per_1", "reply": "reject"})

    told = player.words(PROMPT, ASKED, ("asked", 1), refused, *after, IDLE)
    assert told[-1] == ends


def test_a_retry_that_is_far_off_is_ended(player: Player) -> None:
    told = player.play(PROMPT, BUSY, retry(1), error("MessageAbortedError"), IDLE)

    assert told[1][1]["error"] == {
        "name": "Retry",
        "data": {"message": "slow", "next": 4_000_000_000_000},
    }
    assert len(told) == 2
    assert player.seen["said"][-1] == ["abort", {"path": {"id": "ses"}}]


def test_a_retry_that_is_near_is_work(player: Player) -> None:
    assert player.words(PROMPT, BUSY, retry(0), BUSY, retry(0), IDLE) == [
        *("chat", "retry", "busy", "retry", "idle")
    ]


def test_an_answer_from_outside_is_posted(player: Player) -> None:
    told = player.words(PROMPT, ASKED, ("answer", ALLOW), REPLIED, IDLE)

    assert told == ["chat", "permission", "busy", "idle"]
    assert player.seen["said"][-1] == ["/permission/per_1/reply", {"reply": "once"}]


def test_an_answer_in_the_pane_ends_the_hook(player: Player) -> None:
    told = player.words(PROMPT, ASKED, ("asked", 1), REPLIED, IDLE)

    assert told == ["chat", "permission", "busy", "idle"]
    assert not any(it[0].startswith("/") for it in player.seen["said"])


def test_a_dialog_that_closes_after_its_turn_begins_nothing(player: Player) -> None:
    told = player.words(PROMPT, ASKED, ("asked", 1), IDLE, REPLIED)

    assert told == ["chat", "permission", "idle"]


def test_what_was_answered_in_vain_is_asked_again(player: Player) -> None:
    refused = {"url": "/refused", "body": {}}

    told = player.words(PROMPT, ASKED, ("answer", refused), ("asked", 1))
    assert told == ["chat", "permission", "permission"]


def test_while_another_question_is_open_it_does_not_work(player: Player) -> None:
    other = ("question.asked", {"id": "que_1", "questions": []})

    told = player.words(PROMPT, ASKED, other, ("asked", 2), REPLIED)
    assert sorted(told) == ["chat", "permission", "question"]


def test_what_nobody_denies_is_allowed_at_once(player: Player) -> None:
    assert player.words(PROMPT, ASKED, permission="auto") == ["chat"]
    assert player.seen["said"][-1] == ["/permission/per_1/reply", {"reply": "once"}]


def test_usage_is_the_sum_of_this_process(player: Player) -> None:
    told = player.play(PROMPT, message("a"), message("a"), message("b", "sub"), message("c", at=0))

    assert [one for _, one in told[1:]] == [
        {"cost": 0.5, "tokens": 115, "context": 0.115},
        {"cost": 1.0, "tokens": 230},
    ]


def test_what_is_told_is_whole_however_long_opencode_is_busy_then(player: Player) -> None:
    """The hook waits one second for it, and it is more than fits into a pipe."""
    args = {name: name * 50_000 for name in "abcdefghijklmno"}
    ((_, told),) = player.play(("tool", {"tool": "write", "args": args}), ("stall", 1500))

    assert told["input"] == args
    assert not list(player.root.glob("payload-*"))


def test_a_long_text_is_cut_before_it_is_torn(player: Player) -> None:
    tool = ("tool", {"tool": "write", "args": {"content": "x" * 2_000_000}})

    ((_, told),) = player.play(tool)
    assert told["input"]["content"].endswith("x…")


def test_a_conversation_is_given_its_next_prompt(player: Player) -> None:
    player.play(BUSY, conversation="ses", messages=("Mind\nthe tests.",), model="a/b")

    parts = [{"type": "text", "text": "Mind\nthe tests."}]
    body = {"model": {"providerID": "a", "modelID": "b"}, "parts": parts}
    assert player.seen["said"] == [["prompt", {"path": {"id": "ses"}, "body": body}]]


def test_an_opencode_within_it_has_no_plugin_of_ours(player: Player) -> None:
    player.play()

    content = json.loads(player.seen["env"]["OPENCODE_CONFIG_CONTENT"])
    assert content == {"theme": "x", "plugin": ["other"]}


@pytest.mark.parametrize(
    ("own", "bash"),
    [
        (None, {"git *": "allow"}),
        ("ask", {"git *": "allow"}),
        ({"bash": "deny"}, {"*": "deny", "git *": "allow"}),
        ({"bash": {"git *": "deny", "*": "ask"}}, {"*": "ask", "git *": "allow"}),
    ],
)
def test_what_is_allowed_comes_after_the_users_own(
    own: object, bash: object, player: Player
) -> None:
    player.play(own=own, allow=("bash(git *)",))

    assert player.seen["permission"]["bash"] == bash


def test_a_mode_leaves_the_users_patterns(player: Player) -> None:
    own = {"bash": {"*": "allow", "rm *": "deny"}, "webfetch": "deny"}
    player.play(own=own, permission="ask")

    rules = player.seen["permission"]
    assert list(rules["bash"].items()) == [("*", "ask"), ("rm *", "deny")]
    assert rules["webfetch"] == "ask"
    assert list(rules["edit"].items()) == [("*", "ask"), ("../h/notes.md", "allow")]
