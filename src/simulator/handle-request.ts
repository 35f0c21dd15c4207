import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerControl } from './control.ts'
import { needsBareSocket, playScript, sendWhole } from './play-script.ts'
import { type PreparedCall, prepareCall, type RequestHead, refuseEarly } from './prepare-call.ts'
import type { RecordedRequest } from './request-log.ts'
import type { SimulatorState } from './simulator-state.ts'
import { responseWire, socketWire, type Wire } from './wire.ts'

/** One request from head to end. Throws only for what is wrong with a script. */
export async function handleRequest(
  state: SimulatorState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { socket } = request
  const url = new URL(request.url ?? '/', 'http://simulator')
  const method = request.method ?? 'GET'
  if (url.pathname.startsWith('/__mock/')) {
    const body = await readBody(request)
    const answer = answerControl(state, method, url, body ?? new Uint8Array())
    return sendWhole(responseWire(response, socket), { ...answer, headers: {} })
  }
  const head: RequestHead = { method, url, headers: joinHeaders(request) }
  const entry = state.log.open({
    receivedAtMs: state.clock(),
    method,
    path: request.url ?? '/',
    headers: head.headers,
    rawHeaders: request.rawHeaders,
  })
  const conversation = { state, entry, response, leave: watchClose(state, entry, response) }
  const early = refuseEarly(state, head, entry)
  if (early !== undefined) return play(early, conversation)
  const body = await readBody(request)
  if (body === undefined) return
  entry.body = body
  await play(prepareCall(state, head, entry), conversation)
}

interface Conversation {
  readonly state: SimulatorState
  readonly entry: RecordedRequest
  readonly response: ServerResponse
  /** Announces that this side ends the connection. */
  readonly leave: () => void
}

async function play(call: PreparedCall, { state, entry, response, leave }: Conversation): Promise<void> {
  const { socket } = response
  if (socket === null) return
  const bare = call.kind === 'play' && needsBareSocket(call.script)
  const wire = recordStatus(bare ? socketWire(socket) : responseWire(response, socket), entry)
  if (call.kind === 'text') {
    wire.head(call.status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': String(call.text.length) })
    await wire.write(new TextEncoder().encode(call.text))
    return wire.finish()
  }
  const reset = () => state.transportOf(socket).resetAndDestroy()
  await playScript({ wire, leave, reset, script: call.script, context: call.context, reply: call.reply })
  if (bare) leave()
}

function recordStatus(wire: Wire, entry: RecordedRequest): Wire {
  return {
    ...wire,
    head(status, headers) {
      entry.status = status
      wire.head(status, headers)
    },
  }
}

/** Tells a client that went away from a connection ended here. Gives back the function that announces the latter. */
function watchClose(state: SimulatorState, entry: RecordedRequest, response: ServerResponse): () => void {
  let left = false
  response.once('close', () => {
    entry.closedByClient = !(left || response.writableFinished || state.isClosing())
    entry.closedAtMs = state.clock()
    state.log.settle(entry)
  })
  return () => {
    left = true
  }
}

/** `undefined` when the client went away before its body was complete; the log says so. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk)
  } catch (error) {
    if (request.complete) throw error
    return undefined
  }
  return Buffer.concat(chunks)
}

function joinHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  )
}
