import { KorProxyError } from '#errors/korproxy-error.ts'
import type { HttpReply, HttpRequest } from './client-http/http-exchange.ts'
import { correlationIdOf } from './correlation-id.ts'
import type { Exchange } from './exchange.ts'
import { ModelCatalogue } from './model-catalogue.ts'
import { readHeader } from './read-header.ts'
import type { GatewayRuntime } from './runtime.ts'
import type { ServingTenant } from './serving-table.ts'
import { fixedSurface, readSurface } from './surface.ts'

const NOBODY = new Uint8Array(0)
const NO_QUERY = new URLSearchParams()

/** Begins an exchange: the request line is read, everything else still open. */
export function openExchange(runtime: GatewayRuntime, request: HttpRequest, reply: HttpReply): Exchange {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const query = mark === -1 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1))
  const { method = 'GET', headers } = request
  return {
    request,
    reply,
    surface: fixedSurface(method, path) ?? readSurface(method, path, query, (name) => readHeader(headers, name)),
    path,
    query,
    startedAtMs: runtime.now(),
    startedAt: runtime.monotonic(),
    correlationId: correlationIdOf(headers, runtime.correlationIds),
    tenant: NO_TENANT,
    client: undefined,
    body: NOBODY,
    scan: undefined,
    requestType: 'other',
    requestedModel: '',
    stream: false,
    profile: '',
    rule: undefined,
    targets: [],
    group: '',
    account: '',
    provider: '',
    model: '',
    attempts: [],
    droppedParameters: [],
    panic: false,
    commitment: 'open',
    clientGone: false,
    truncated: false,
    firstTokenMs: undefined,
    usage: undefined,
    usageEstimated: false,
    answeredModel: undefined,
    replyBytes: 0,
    underWay: undefined,
    errorCode: '',
    status: 0,
  }
}

/** Stands until the authenticate stage knows better; nothing may look into it. */
const NO_TENANT: ServingTenant = {
  tenant: {
    name: '',
    activeProfile: '',
    clientAuth: 'Required',
    safeMode: null,
    profiles: {},
    groups: {},
    accounts: {},
    families: [],
    models: {},
    modelAliases: {},
    requestLimits: { maxBodyBytes: 0, maxDepth: 0 },
    requestHeaders: [],
    featureFlags: {},
  },
  get router(): never {
    throw new KorProxyError('KP-SYS-503')
  },
  catalogue: new ModelCatalogue({ models: {} }),
  groups: new Map(),
  accounts: new Map(),
}
