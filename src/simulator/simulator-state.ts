import type { Socket } from 'node:net'
import type { RequestLog } from './request-log.ts'
import type { ScriptBook } from './script-book.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

/** What the requests of one simulator share. */
export interface SimulatorState {
  readonly log: RequestLog
  readonly scripts: ScriptBook
  readonly tokens: TokenEndpoint
  readonly clock: () => number
  /** Pace where nothing else is asked for. */
  readonly chunks: number | undefined
  readonly gapMs: number | undefined
  mintId(prefix: string): string
  reset(): void
  isClosing(): boolean
  /** The TCP socket below a connection. */
  transportOf(socket: Socket): Socket
}
