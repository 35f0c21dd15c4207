import type { Logger } from 'pino'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { GatewayCommand, SnapshotNotice, StreamEvent } from '#table/messages.ts'
import type { ClientWorld, ControllerSession } from './controller-transport.ts'
import { Countdown, repeat } from './timers.ts'

/** Pings come every 15 s: after three that are missing nobody is there. */
const SILENCE_MS = 45_000
/** The version is asked for this often, whatever the stream says or does not say. */
const SAFETY_NET_MS = 60_000
const LONG_POLL_MS = 55_000

export interface ControllerListener {
  /** The controller answers. */
  connected(): void
  notice(notice: SnapshotNotice): void
  command(command: GatewayCommand): void
}

export interface FollowContext {
  readonly world: ClientWorld
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** The version that serves. */
  readonly version: () => string | undefined
  readonly signal: AbortSignal
}

/** `Drained`: it goes, and said so. `Lost`: the stream ended, or fell silent. */
export type Parting =
  | { readonly kind: 'Drained'; readonly reconnectWithinMs: number }
  | { readonly kind: 'Lost' }
  /** No stream came through, but the controller answers otherwise. */
  | { readonly kind: 'Polled' }

/** Listens to one controller for as long as it lasts. @throws KP-SYS-53x, KP-AUTH-010 when there is no answer, or a refusal */
export async function followController(
  session: ControllerSession,
  listener: ControllerListener,
  context: FollowContext,
): Promise<Parting> {
  const { world, signal } = context
  const attempt = new AbortController()
  const abort = (): void => attempt.abort()
  signal.addEventListener('abort', abort, { once: true })
  const silence = new Countdown(world, SILENCE_MS, abort)
  const stopSafetyNet = startSafetyNet(session, listener, { ...context, signal: attempt.signal })
  const heard = new HeardStream(listener, { silence, leave: abort })
  try {
    await session.stream(heard, attempt.signal)
  } catch (error) {
    if (heard.isAlive || !isUnanswered(error)) throw error
  } finally {
    silence.stop()
    stopSafetyNet()
    signal.removeEventListener('abort', abort)
    attempt.abort()
  }
  if (heard.isAlive || signal.aborted) return heard.parting
  // Something in between holds streams back; plain answers may come through.
  const notice = await session.current(context.version(), LONG_POLL_MS, signal)
  listener.connected()
  if (notice !== undefined) listener.notice(notice)
  return { kind: 'Polled' }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof KorProxyError && error.code === 'KP-SYS-532'
}

class HeardStream {
  readonly #listener: ControllerListener
  readonly #controls: { readonly silence: Countdown; readonly leave: () => void }
  #parting: Parting = { kind: 'Lost' }
  #alive = false

  constructor(listener: ControllerListener, controls: { readonly silence: Countdown; readonly leave: () => void }) {
    this.#listener = listener
    this.#controls = controls
  }

  get isAlive(): boolean {
    return this.#alive
  }

  get parting(): Parting {
    return this.#parting
  }

  alive(): void {
    this.#controls.silence.restart()
    if (!this.#alive) this.#listener.connected()
    this.#alive = true
  }

  event({ event, data }: StreamEvent): void {
    switch (event) {
      case 'snapshot':
        this.#listener.notice(data)
        return
      case 'command':
        this.#listener.command(data)
        return
      case 'drain':
        this.#parting = { kind: 'Drained', reconnectWithinMs: data.reconnectWithinMs }
        this.#controls.leave()
        return
    }
  }
}

function startSafetyNet(
  session: ControllerSession,
  listener: ControllerListener,
  { world, log, version, signal }: FollowContext,
): () => void {
  return repeat(
    world,
    () => SAFETY_NET_MS * (0.9 + 0.2 * world.random()),
    async () => {
      try {
        const notice = await session.current(version(), 0, signal)
        if (notice !== undefined) listener.notice(notice)
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'the controller does not say which table is current')
      }
    },
  )
}
