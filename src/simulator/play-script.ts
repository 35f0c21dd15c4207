import type { CallContext } from './call-context.ts'
import { errorBodyOf, errorEventOf } from './error-event.ts'
import { type Failure, kindOfStatus } from './failure-kind.ts'
import { playMalformed } from './malformed.ts'
import { renderFailure } from './render-failure.ts'
import { bytesOfBody, type Frame, framesOfStream } from './reply-frames.ts'
import { bytesOf, type ErrorEventStep, type FailureStep, type ReplyStep, type Script, type Step } from './script.ts'
import { pauseOn, type Wire } from './wire.ts'
import { frameEvent, framingEnd, type Reply } from './wire-event.ts'

export interface Playback {
  readonly wire: Wire
  readonly script: Script
  readonly context: CallContext
  readonly reply: Reply
  /** The connection is about to be ended from this side. */
  readonly leave: () => void
  /** TCP reset. */
  readonly reset: () => void
}

/** Where the normal reply stands: a script may send it in several parts. */
interface Progress {
  readonly frames: readonly Frame[]
  readonly body: Uint8Array
  readonly skipsParts: boolean
  sentFrames: number
  sentBytes: number
  finished: boolean
}

/** Steps that Node's own response cannot do. */
export function needsBareSocket(script: Script): boolean {
  return script.some((step) =>
    ['raw', 'malformed', 'truncate', 'halfClose', 'close', 'oneByte'].some((name) => name in step),
  )
}

/** Whether the normal reply is needed: it may change state, as a rotated token does. */
export function needsReply(script: Script): boolean {
  const answers = script.some((step) =>
    ['failure', 'status', 'raw', 'reset', 'hang', 'close', 'halfClose', 'end'].some((name) => name in step),
  )
  return (
    !answers || script.some((step) => ['reply', 'truncate', 'malformed', 'errorEvent'].some((name) => name in step))
  )
}

/** What all `reply` steps of a script order together; only `events` counts for each alone. */
export function replyOrders(script: Script): ReplyStep {
  const orders: ReplyStep = {}
  for (const step of script) if ('reply' in step) Object.assign(orders, step.reply)
  return orders
}

/** Plays the steps; what is still open at the end is ended well, and a script that said nothing gets the normal reply. */
export async function playScript(playback: Playback): Promise<void> {
  const { wire, script, reply } = playback
  const orders = replyOrders(script)
  const progress: Progress = {
    frames: reply.kind === 'stream' ? framesOfStream(reply, orders) : [],
    body: reply.kind === 'json' ? bytesOfBody(reply.body, orders) : new Uint8Array(),
    skipsParts: reply.kind === 'json' && script.some((step) => 'errorEvent' in step),
    sentFrames: 0,
    sentBytes: 0,
    finished: false,
  }
  for (const step of script) {
    if (wire.socket.destroyed) return
    await playStep(step, playback, progress)
  }
  if (progress.finished || wire.socket.destroyed || wire.socket.writableEnded) return
  if (wire.headSent()) wire.finish()
  else await sendReply({}, playback, progress)
}

async function playStep(step: Step, playback: Playback, progress: Progress): Promise<void> {
  const { wire } = playback
  if ('early' in step) return
  if ('sleep' in step) return pauseOn(wire.socket, step.sleep)
  if ('hang' in step) return pauseOn(wire.socket, Number.POSITIVE_INFINITY)
  if ('status' in step) return wire.head(step.status, step.headers ?? {})
  if ('write' in step) return wire.write(bytesOf(step.write))
  if ('raw' in step) return wire.raw(bytesOf(step.raw))
  if ('oneByte' in step) return wire.splitBytes()
  if ('reply' in step) return sendReply(step.reply, playback, progress)
  if ('failure' in step) return sendFailure(step.failure, playback, progress)
  if ('errorEvent' in step) return sendErrorEvent(step.errorEvent, playback, progress)
  progress.finished = true
  if ('end' in step) return wire.finish()
  playback.leave()
  await playEnding(step, playback, progress)
}

/** Steps after which the connection is of no more use. */
async function playEnding(step: Step, playback: Playback, progress: Progress): Promise<void> {
  const { socket } = playback.wire
  if ('reset' in step) playback.reset()
  if ('halfClose' in step) socket.end()
  if ('close' in step) socket.destroySoon()
  if ('closeIdle' in step) await closeIdle(step.closeIdle, playback)
  if ('truncate' in step) await sendTruncated(step.truncate, playback, progress)
  if ('malformed' in step) await playMalformed(step.malformed, playback.wire, wholeBody(playback, progress))
}

async function closeIdle(ms: number, { wire }: Playback): Promise<void> {
  wire.finish()
  await pauseOn(wire.socket, ms)
  wire.socket.end()
}

function wholeBody({ reply }: Playback, progress: Progress): Uint8Array {
  return reply.kind === 'json' ? progress.body : Buffer.concat(progress.frames.map((frame) => frame.bytes))
}

async function sendTruncated(count: number, playback: Playback, progress: Progress): Promise<void> {
  const { wire, reply } = playback
  const body = wholeBody(playback, progress)
  wire.head(reply.status, { ...reply.headers, 'content-length': String(body.length) })
  await wire.write(body.subarray(0, count))
  wire.socket.destroySoon()
}

async function sendReply(step: ReplyStep, playback: Playback, progress: Progress): Promise<void> {
  if (playback.reply.kind === 'stream') return sendFrames(step, playback, progress)
  if (!progress.skipsParts) await sendBody(step, playback, progress)
}

async function sendFrames(step: ReplyStep, { wire, reply, context }: Playback, progress: Progress): Promise<void> {
  if (!wire.headSent()) wire.head(reply.status, reply.headers)
  const end = endOfPart(step, progress)
  const gapMs = step.gapMs ?? context.tuning.gapMs ?? 0
  while (progress.sentFrames < end && !wire.socket.destroyed) {
    const frame = progress.frames[progress.sentFrames]
    if (gapMs > 0 && progress.sentFrames > 0) await pauseOn(wire.socket, gapMs)
    progress.sentFrames += 1
    if (frame !== undefined) await wire.write(frame.bytes)
  }
  if (step.events === undefined && !wire.socket.destroyed) {
    progress.finished = true
    wire.finish()
  }
}

/** Index after the last frame of this part. */
function endOfPart(step: ReplyStep, { frames, sentFrames }: Progress): number {
  if (step.events === undefined) return frames.length
  const firstContent = frames.findIndex((frame, place) => place >= sentFrames && frame.content)
  if (step.events === 0) return step.start === true && firstContent !== -1 ? firstContent : sentFrames
  let contents = 0
  for (const [place, frame] of frames.entries()) {
    if (place < sentFrames || !frame.content) continue
    contents += 1
    if (contents === step.events) return place + 1
  }
  return frames.length
}

/** A part of a body that is not streamed is its first half. */
async function sendBody(step: ReplyStep, { wire, reply }: Playback, progress: Progress): Promise<void> {
  const { body } = progress
  if (!wire.headSent()) wire.head(reply.status, { ...reply.headers, 'content-length': String(body.length) })
  if (step.events === undefined) {
    progress.finished = true
    await wire.write(body.subarray(progress.sentBytes))
    return wire.finish()
  }
  const end = step.events === 0 ? progress.sentBytes : Math.floor(body.length / 2)
  if (end > progress.sentBytes) await wire.write(body.subarray(progress.sentBytes, end))
  progress.sentBytes = Math.max(end, progress.sentBytes)
}

async function sendFailure(step: FailureStep, { wire, context }: Playback, progress: Progress): Promise<void> {
  const { status, headers, body } = renderFailure(failureOf(step), context)
  await sendWhole(wire, { status, headers, body })
  progress.finished = true
}

export async function sendWhole(
  wire: Wire,
  {
    status,
    headers,
    body,
  }: { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown },
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  wire.head(status, {
    'content-type': 'application/json; charset=utf-8',
    ...headers,
    'content-length': String(bytes.length),
  })
  await wire.write(bytes)
  wire.finish()
}

async function sendErrorEvent(
  step: ErrorEventStep,
  { wire, reply, context }: Playback,
  progress: Progress,
): Promise<void> {
  progress.finished = true
  const failure = { ...failureOf(step), form: step.form }
  if (reply.kind === 'json') return sendWhole(wire, errorBodyOf(failure, context))
  if (!wire.headSent()) wire.head(reply.status, reply.headers)
  const event = errorEventOf(failure, context, progress.sentFrames)
  const text = frameEvent(event, reply.framing, progress.sentFrames) + framingEnd(reply.framing)
  await wire.write(new TextEncoder().encode(text))
  wire.finish()
}

function failureOf({ kind, status, message, code, retryAfterS }: FailureStep): Failure {
  return {
    kind: kind ?? (status === undefined ? 'server_error' : kindOfStatus(status)),
    status,
    message,
    code,
    retryAfterS,
  }
}
