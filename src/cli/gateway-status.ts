import { Option } from 'commander'
import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { CliCommand } from './cli-command.ts'
import { managementTokenPath, readToken } from './management-token.ts'
import { readAddress } from './read-flag.ts'
import { stateDirectoryOption } from './state-directory.ts'

export interface ServerFlags {
  readonly server: string
  readonly token?: string
  readonly stateDir: string
}

const TIMEOUT_MS = 10_000

const healthSchema = z.object({
  state: z.string(),
  untilMs: z.number().optional(),
  cause: z.string().optional(),
  lastError: z
    .object({ kind: z.string(), model: z.string(), code: z.string().optional(), atMs: z.number() })
    .optional(),
})

const statusSchema = z.object({
  version: z.string().optional(),
  inFlight: z.number(),
  draining: z.boolean(),
  problems: z.array(z.object({ code: z.string(), text: z.string() })),
  accounts: z.array(
    z.object({
      namespace: z.string(),
      name: z.string(),
      provider: z.string(),
      state: z.string(),
      inFlight: z.number(),
      health: healthSchema,
      unavailableModels: z.unknown().optional(),
    }),
  ),
})

export type GatewayStatus = z.output<typeof statusSchema>
export type AccountStatus = GatewayStatus['accounts'][number]

/** `--server` and `--token` of commands that ask a running gateway. */
export function addServerOptions(command: CliCommand): CliCommand {
  return command
    .addOption(
      new Option('--server <url>', 'address of the running gateway')
        .env('KORPROXY_SERVER')
        .argParser(readAddress)
        .default('http://127.0.0.1:1337'),
    )
    .addOption(
      new Option('--token <token>', 'management token; absent: the one in the state directory').env('KORPROXY_TOKEN'),
    )
    .addOption(stateDirectoryOption())
}

/** What a running gateway says of itself. @throws KorProxyError KP-NET-312, KP-AUTH-009 */
export async function fetchStatus({ server, token, stateDir }: ServerFlags): Promise<GatewayStatus> {
  const secret = token ?? readToken(managementTokenPath(stateDir)) ?? ''
  const reply = await ask(server, secret)
  if (reply.status === 401) throw tokenRefused(server, secret)
  const parsed = statusSchema.safeParse(await readJson(reply))
  if (parsed.success) return parsed.data
  throw new KorProxyError('KP-NET-312', { server, reason: `it answered ${reply.status}, and not as a KorProxy` })
}

function tokenRefused(server: string, secret: string): KorProxyError {
  const reason = secret === '' ? 'needs its management token, and none was sent' : 'refused the management token'
  return new KorProxyError('KP-AUTH-009', { server, reason })
}

async function ask(server: string, secret: string): Promise<Response> {
  try {
    return await fetch(new URL('/_korproxy/status', server), {
      headers: secret === '' ? {} : { authorization: `Bearer ${secret}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // A token goes nowhere but to the server that was named.
      redirect: 'manual',
    })
  } catch (cause) {
    throw unreachable(server, cause)
  }
}

/** @returns KP-NET-312 with the system's own word for the reason */
export function unreachable(server: string, cause: unknown): KorProxyError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : undefined
  const reason = code ?? (inner instanceof Error ? inner.message : String(inner))
  return new KorProxyError('KP-NET-312', { server, reason }, { cause })
}

async function readJson(reply: Response): Promise<unknown> {
  try {
    return await reply.json()
  } catch {
    // No JSON is no status; the caller says so.
    return undefined
  }
}
