// Tells fleet what this opencode does, and gives it the answers of whoever answers from outside.
//
// Given for one launch, by the environment; it only adds to what the user has configured. It calls
// fleet-hook with a JSON object, one call after the other, so that fleet hears all in its order:
//
//   chat.message     {session, text}: words that its model is given
//   session.status   {session, status, background, stopped, now}: busy, retry, idle
//   session.error    {session, error}: its turn broke off
//   tool.execute     {tool, input, directory}: a tool begins
//   message.updated  {cost, tokens, context}: what this process has used
//   permission.asked, question.asked, as opencode has them: the hook waits for a verdict, which
//                    says where to post what: {"url": "...", "body": {...}}

import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const OPTIONS = new URL("opencode-fleet.json", import.meta.url)
const HOOK = `${process.env.FLEET_HOME}/bin/fleet-hook`
const LONGEST = 50_000 // characters of a text: a payload beyond 1 MiB would be torn
const LONG_RETRY_MS = 60_000
const WHOLE = ["input", "output", "reasoning"]
const ASKS = new Set(["permission.asked", "question.asked"])
const ENDED = new Set(["idle", "failed"]) // what was told of a turn that is over
const REFUSED = new Set(["reject", "question.rejected"])
const CLOSES = new Set(["permission.replied", "question.replied", "question.rejected"])

const cut = (it) => (typeof it === "string" ? `${it.slice(0, LONGEST)}…` : [])

// Returns text as a file that is open and has no name any more. The hook waits a second for what it
// is to pass on, and we may be busy for longer before a pipe is filled.
const filled = (text) => {
  const name = fileURLToPath(new URL(`payload-${process.pid}-${randomUUID()}`, import.meta.url))
  try {
    writeFileSync(name, text, { mode: 0o600, flag: "wx" })
    return openSync(name, "r")
  } finally {
    rmSync(name, { force: true })
  }
}

// Starts the hook, and returns its process and what it prints.
const start = (name, payload, ...options) => {
  const file = filled(JSON.stringify(payload, (_, it) => (it?.length > LONGEST ? cut(it) : it)))
  const child = spawn(HOOK, [name, ...options], { stdio: [file, "pipe", "ignore"] })
  closeSync(file)
  let said = ""
  const ended = new Promise((resolve) => {
    child.on("error", () => resolve(""))
    child.on("close", () => resolve(said))
  })
  child.stdout.on("data", (data) => (said += data))
  return { child, ended }
}

// A rule for all of a tool stands before the user's own patterns, one with a pattern behind them:
// the last that fits counts. Some tools take no patterns, only a word.
const permit = (config, rules) => {
  const own = typeof config.permission === "string" ? { "*": config.permission } : config.permission
  const all = { ...own }
  for (const [tool, pattern, action] of rules) {
    const word = typeof all[tool] === "string"
    const known = word ? { "*": all[tool] } : { ...all[tool] }
    delete known[pattern]
    if (pattern !== "*") all[tool] = { ...known, [pattern]: action }
    else all[tool] = Object.keys(known).length > 0 ? { "*": action, ...known } : action
  }
  config.permission = all
}

export const Fleet = async ({ client, directory }) => {
  const options = JSON.parse(readFileSync(OPTIONS, "utf8"))
  const began = Date.now()
  const parents = new Map() // of each session that is known; undefined for one of the user's
  const asked = new Map() // the hooks that wait, by what they ask
  const busy = new Set() // the sessions of subagents at work
  const used = new Map() // by message: what it cost
  let windows // the largest context of each model
  let current = options.session // the user's session
  let state = "" // what was told of it last
  let error // by which its turn breaks off, if it does: it may also go on with less context
  let stopped = false // by a person, who interrupts it or refuses what it asks
  let heard = Promise.resolve()
  let told = Promise.resolve()
  if (current) parents.set(current, undefined)

  const tell = (name, payload) => {
    told = told.then(() => start(name, payload).ended).catch(() => {})
  }

  const parent = async (session) => {
    if (!parents.has(session)) {
      const found = await client.session.get({ path: { id: session } }).catch(() => undefined)
      parents.set(session, found?.data?.parentID)
    }
    return parents.get(session)
  }

  const status = (now) => {
    state = now.type
    const more = { background: busy.size > 0, stopped, now: Date.now() }
    tell("session.status", { session: current, status: now, ...more })
  }

  const fail = (reason) => {
    state = "failed"
    error = undefined
    const { message, statusCode, next } = reason.data ?? {}
    const data = { message: message ?? JSON.stringify(reason), statusCode, next }
    tell("session.error", { session: current, error: { name: reason.name, data } })
  }

  const follow = async (session, now) => {
    if (await parent(session)) {
      now.type === "idle" ? busy.delete(session) : busy.add(session)
      if (state === "idle" && busy.size === 0) status({ type: "idle" })
    } else if (session === current) turn(now)
  }

  const turn = (now) => {
    if (now.type === "retry" && now.next > Date.now() + LONG_RETRY_MS) {
      // It would be deaf until then; so it can be told to try again, and fleet does at that time.
      fail({ name: "Retry", data: now })
      client.session.abort({ path: { id: current } }).catch(() => {})
    } else if (now.type === "retry") status(now)
    else if (now.type === "busy" && state !== "busy") status(now)
    else if (now.type === "idle" && error) fail(error)
    else if (now.type === "idle" && !ENDED.has(state)) status(now)
    if (now.type === "busy") [error, stopped] = [undefined, false]
  }

  const broke = (session, reason) => {
    if (session !== current) return
    if (reason?.name === "MessageAbortedError") stopped = true
    else if (ENDED.has(state)) fail(reason) // before it had begun
    else error = reason
  }

  const ask = (name, request) => {
    const once = () => {
      const { child, ended } = start(name, { ...request, directory }, "--ask")
      asked.set(request.id, child)
      ended.then((said) => said && reply(name, request, said)).catch(() => {})
    }
    told = told.then(once).catch(() => {})
  }

  const reply = async (name, request, said) => {
    if (!asked.has(request.id)) return // somebody was first
    const { error: refused } = await post(JSON.parse(said))
    if (refused && asked.has(request.id)) ask(name, request) // the dialog is still open
  }

  const post = ({ url, body }) =>
    client._client.post({ url, body, headers: { "Content-Type": "application/json" } })

  const allow = async (request) => {
    const said = { url: `/permission/${request.id}/reply`, body: { reply: "once" } }
    const { error: refused } = await post(said)
    if (refused) ask("permission.asked", request)
  }

  const close = async ({ sessionID, requestID: id }, refused) => {
    await told // its hook is started by then
    if (refused && sessionID === current) stopped = true // unless it goes on with the reason
    asked.get(id)?.kill()
    asked.delete(id)
    if (asked.size === 0 && !ENDED.has(state)) status({ type: "busy" })
  }

  const share = async (info, context) => {
    if (!windows) {
      const found = await client.config.providers().catch(() => undefined)
      const providers = found?.data?.providers ?? []
      windows = new Map(
        providers.flatMap((provider) =>
          Object.entries(provider.models).map(([id, it]) => [`${provider.id}/${id}`, it.limit?.context]),
        ),
      )
    }
    const limit = windows.get(`${info.providerID}/${info.modelID}`)
    return limit ? context / limit : undefined
  }

  const meter = async (info) => {
    if (info.role !== "assistant" || info.time.created < began) return
    const { tokens } = info
    const cache = tokens.cache.read + tokens.cache.write
    const sum = WHOLE.reduce((total, kind) => total + tokens[kind], cache)
    const before = used.get(info.id)
    if (sum === 0 || (before?.tokens === sum && before?.cost === info.cost)) return
    used.set(info.id, { cost: info.cost, tokens: sum })
    const all = [...used.values()]
    const mine = info.sessionID === current && !info.summary
    tell("message.updated", {
      cost: all.reduce((total, one) => total + one.cost, 0),
      tokens: all.reduce((total, one) => total + one.tokens, 0),
      context: mine ? await share(info, sum) : undefined,
    })
  }

  const hear = async ({ type, properties }) => {
    if (type === "session.created") parents.set(properties.info.id, properties.info.parentID)
    else if (type === "session.status") await follow(properties.sessionID, properties.status)
    else if (type === "session.error") broke(properties.sessionID, properties.error)
    else if (type === "message.updated") await meter(properties.info)
    else if (type === "permission.asked" && options.auto) await allow(properties)
    else if (ASKS.has(type)) ask(type, properties)
    else if (CLOSES.has(type)) await close(properties, REFUSED.has(properties.reply ?? type))
  }

  const resume = async () => {
    const text = readFileSync(options.prompt, "utf8")
    const { agent, model } = options
    const body = { agent, model, parts: [{ type: "text", text }] }
    const { error: refused } = await client.session.promptAsync({ path: { id: current }, body })
    if (refused) fail(refused)
  }

  // An opencode that this one starts is none of fleet's.
  const withoutPlugin = () => {
    const config = JSON.parse(process.env.OPENCODE_CONFIG_CONTENT)
    const plugin = config.plugin.filter((it) => it !== import.meta.url)
    return JSON.stringify({ ...config, plugin })
  }

  // With a session to go on with, opencode takes no prompt from its command line.
  if (options.prompt) resume().catch((reason) => fail({ data: { message: String(reason) } }))

  return {
    config: async (config) => permit(config, options.rules),
    event: async ({ event }) => {
      heard = heard.then(() => hear(event)).catch(() => {})
      await heard
    },
    "chat.message": async ({ sessionID }, { message, parts }) => {
      if (await parent(sessionID)) return // a subagent's task
      if (sessionID !== current && options.title) {
        const body = { title: options.title }
        await client.session.update({ path: { id: sessionID }, body }).catch(() => {})
      }
      current = sessionID
      if (options.effort && !message.model.variant) message.model.variant = options.effort
      const own = parts.filter((it) => it.type === "text" && !it.synthetic)
      state = "busy"
      tell("chat.message", { session: sessionID, text: own.map((it) => it.text).join("\n") })
    },
    "tool.execute.before": async ({ tool }, { args }) => {
      tell("tool.execute", { tool, input: args, directory })
    },
    "shell.env": async (_, { env }) => {
      env.OPENCODE_CONFIG_CONTENT = withoutPlugin()
    },
    "experimental.session.compacting": async () => {
      tell("tool.execute", { tool: "compacting its context" })
    },
    dispose: async () => asked.forEach((child) => child.kill()),
  }
}
