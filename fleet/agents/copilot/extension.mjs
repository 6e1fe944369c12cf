// fleet's bridge: tells fleet what this session does, and gives it a person's answers to what it
// asks. Of dialogs that wait at the same time the pane shows the oldest, and so only that is asked.
import { spawn } from "node:child_process";
import { existsSync, unlinkSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { joinSession } from "@github/copilot-sdk/extension";

const HOOK = `${process.env.FLEET_HOME}/bin/fleet-hook`;
const UP = new URL("../../bridge-up", import.meta.url); // while it is there, the hooks keep quiet
const BEFORE = new URL("../../bridge-was-up", import.meta.url); // in this run
const LONGEST = 16_000; // characters of one text: what is beyond is not shown anywhere
// By so much its screen may be behind: with a dialog, and with an input line that takes Enter.
const SETTLE_MS = 400;
const METER = `${process.env.SESSION_ID}.${process.pid}`;

const open = []; // what is asked, oldest first
const used = { tokens: 0, context: null };
let named = false;
let failed = false;
let told = Promise.resolve();

const brief = (name, value) =>
  typeof value === "string" && value.length > LONGEST ? value.slice(0, LONGEST) : value;

function hook(words, data) {
  const child = spawn(HOOK, words, { stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {}); // its fleet is gone, and the session goes on
  child.stdin.on("error", () => {});
  child.stdin.end(JSON.stringify(data, brief));
  return child;
}

// One after the other: fleet orders what it hears by the time at which each report was begun.
function tell(type, data) {
  told = told.then(() => new Promise((done) => hook([type], data).on("close", done).on("error", done)));
}

function ask() {
  const dialog = open[0];
  if (!dialog || dialog.child) return;
  if (!dialog.give) return tell(dialog.type, dialog.data);
  let answer = "";
  dialog.child = hook([dialog.type, "--ask"], dialog.data);
  dialog.child.stdout.on("data", (part) => (answer += part));
  dialog.child.on("close", () => {
    if (answer.trim() && open.includes(dialog)) {
      Promise.resolve(dialog.give(JSON.parse(answer))).catch(() => {}); // it was answered in the pane
    }
  });
}

function askSoon() {
  told = told.then(() => delay(SETTLE_MS)).then(ask);
}

function asked(type, data, give) {
  open.push({ type, data, give });
  askSoon();
}

function answered(requestId) {
  const place = open.findIndex((dialog) => dialog.data.requestId === requestId);
  if (place < 0) return;
  open.splice(place, 1)[0].child?.kill();
  if (open.length) askSoon();
  else tell("answered", {});
}

const session = await joinSession({ onPermissionRequest: () => ({ kind: "no-result" }) });
const { permissions, ui } = session.rpc;

const GIVE = {
  "permission.requested": (requestId, result) =>
    permissions.handlePendingPermissionRequest({ requestId, result }),
  "elicitation.requested": (requestId, result) =>
    ui.handlePendingElicitation({ requestId, result }),
  "user_input.requested": (requestId, response) =>
    ui.handlePendingUserInput({ requestId, response }),
  "exit_plan_mode.requested": (requestId, response) =>
    ui.handlePendingExitPlanMode({ requestId, response }),
  "auto_mode_switch.requested": null,
  "session_limits_exhausted.requested": null,
};

function begun(type, data) {
  failed = false;
  if (!open.length) tell(type, data);
}

function idles(data) {
  if (failed) return;
  if (data.aborted) told = told.then(() => delay(SETTLE_MS));
  tell("session.idle", data);
}

// A conversation without a prompt is none to be taken up again, but it may follow on another.
function name() {
  if (!named) tell("session", { sessionId: session.sessionId });
  named = true;
}

function hears({ content }) {
  name();
  failed = false;
  tell("user.message", { content });
}

const MAIN = {
  "user.message": hears,
  "assistant.turn_start": (data) => begun("assistant.turn_start", data),
  "tool.execution_start": (data) => tell("tool.execution_start", data),
  "assistant.turn_retry": (data) => tell("assistant.turn_retry", data),
  "session.compaction_start": () => tell("session.compaction_start", {}),
  // Where it was interrupted, or where nothing runs beside it, `session.idle` follows at once.
  "assistant.idle": (data) => failed || data.aborted || tell("assistant.idle", data),
  "session.idle": idles,
  "session.usage_info": ({ currentTokens, tokenLimit }) => {
    used.context = tokenLimit ? currentTokens / tokenLimit : null;
  },
  "session.error": (data) => {
    failed = true;
    tell("session.error", data);
  },
};

session.on(({ type, data, agentId }) => {
  if (type in GIVE && !data.resolvedByHook) {
    asked(type, data, GIVE[type] && ((answer) => GIVE[type](data.requestId, answer)));
  } else if (type.endsWith(".completed") && data?.requestId) {
    answered(data.requestId);
  } else if (type === "assistant.usage") {
    used.tokens += (data.inputTokens ?? 0) + (data.outputTokens ?? 0);
    tell("assistant.usage", { ...used, meter: METER });
  } else if (!agentId) {
    MAIN[type]?.(data);
  }
});

writeFileSync(UP, "");
if (existsSync(BEFORE)) name();
writeFileSync(BEFORE, "");
process.on("SIGTERM", () => process.exit());
process.on("exit", () => {
  for (const dialog of open) dialog.child?.kill();
  try {
    unlinkSync(UP);
  } catch {
    // its run is over
  }
});
