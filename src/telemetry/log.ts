import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino'
import { logError } from './log-error.ts'

export type LogLevel = Extract<Level, 'debug' | 'info' | 'warn' | 'error'>

export interface LoggerOptions {
  /** Of components that have no level of their own. */
  readonly level: LogLevel
  /** Standard output by default. */
  readonly destination?: DestinationStream
}

/** JSON lines, one logger a component, whose levels can be changed while the process runs. */
export interface ComponentLoggers {
  /** The same logger for the same name. */
  component(name: string): Logger
  /** Counts at once, also for loggers that were handed out before, and for a component that comes later. */
  setLevel(component: string, level: LogLevel): void
  /** Level by component. */
  levels(): Readonly<Record<string, string>>
}

/**
 * Names under which prompts, headers or credentials could slip into a line. What is logged names its fields one by one; this list is
 * for the line that does not.
 */
const NEVER_LOGGED = [
  'headers',
  'body',
  'prompt',
  'messages',
  'input',
  'content',
  'authorization',
  'apiKey',
  'accessToken',
  'refreshToken',
  'clientSecret',
  'credential',
  'secret',
  'password',
  'token',
  'managementToken',
  'account.headers',
  'account.credential',
  'request.headers',
  'request.body',
  'reply.headers',
  'reply.body',
]

export function createLogger({ level, destination }: LoggerOptions): ComponentLoggers {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: logError, error: logError, req: withheld, res: withheld, request: withheld, reply: withheld },
    redact: { paths: NEVER_LOGGED, censor: '[redacted]' },
  }
  const root = destination === undefined ? pino(options) : pino(options, destination)
  const loggers = new Map<string, Logger>()
  const component = (name: string): Logger => {
    const known = loggers.get(name)
    if (known !== undefined) return known
    const created = root.child({ component: name })
    loggers.set(name, created)
    return created
  }
  return {
    component,
    setLevel: (name, newLevel) => {
      component(name).level = newLevel
    },
    levels: () => Object.fromEntries([...loggers].map(([name, logger]) => [name, logger.level])),
  }
}

/** Node's request and response objects hold headers and sockets. */
function withheld(): string {
  return '[redacted]'
}
