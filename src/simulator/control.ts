import type { z } from 'zod'
import { maskKey } from './credential.ts'
import { parseJsonBytes } from './json-value.ts'
import type { RecordedRequest } from './request-log.ts'
import { scriptRuleSchema } from './script.ts'
import type { SimulatorState } from './simulator-state.ts'
import { tokenSettingsSchema } from './token-endpoint.ts'

export interface ControlAnswer {
  readonly status: number
  readonly body: unknown
}

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'cookie']

/** `/__mock/…`: scripts, what arrived, counts, and a fresh start. */
export function answerControl(state: SimulatorState, method: string, url: URL, body: Uint8Array): ControlAnswer {
  switch (`${method} ${url.pathname}`) {
    case 'POST /__mock/script':
      state.scripts.add(parseWith(scriptRuleSchema, body))
      return { status: 200, body: { ok: true } }
    case 'POST /__mock/oauth':
      state.tokens.configure(parseWith(tokenSettingsSchema, body))
      return { status: 200, body: { ok: true } }
    case 'POST /__mock/reset':
      state.reset()
      return { status: 200, body: { ok: true } }
    case 'GET /__mock/requests':
      return { status: 200, body: state.log.list().map(showRequest) }
    case 'GET /__mock/stats':
      return { status: 200, body: { ...state.log.stats(), oauth: state.tokens.counts() } }
    default:
      return { status: 404, body: { mock_error: `No ${method} ${url.pathname}` } }
  }
}

function parseWith<Schema extends z.ZodType>(schema: Schema, body: Uint8Array): z.input<Schema> {
  const value = parseJsonBytes(body)
  schema.parse(value)
  // The schema has just accepted the value as its input.
  return value as z.input<Schema>
}

/** Long credentials are masked: this leaves the process. */
function showRequest(request: RecordedRequest): unknown {
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    CREDENTIAL_HEADERS.includes(name) ? value.replace(/\S+$/, maskKey) : value,
  ])
  return {
    ...request,
    path: request.path.replace(/([?&]key=)([^&]*)/, (_, start: string, key: string) => start + maskKey(key)),
    key: request.key === undefined ? undefined : maskKey(request.key),
    headers: Object.fromEntries(headers),
    rawHeaders: undefined,
    body: new TextDecoder().decode(request.body),
  }
}
