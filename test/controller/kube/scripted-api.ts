import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ApiClient } from '../../../src/controller/kube/api-client.ts'
import { openConnection } from '../../../src/controller/kube/connection.ts'
import type { TimeAndChance } from '../../../src/controller/kube/time-and-chance.ts'

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
}
/** How one request is answered. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void

/** An API server that answers as it is told, request by request; the last answer goes for all that follow. */
export interface ScriptedApi {
  readonly client: ApiClient
  readonly requests: readonly SeenRequest[]
  /** Responses that are still open. */
  readonly open: readonly ServerResponse[]
  readonly tokenPath: string
  script(...answers: readonly Answer[]): void
}

export async function scriptedApi(t: Test, world: TimeAndChance): Promise<ScriptedApi> {
  let answers: readonly Answer[] = []
  const requests: SeenRequest[] = []
  const open: ServerResponse[] = []
  const server = createServer(async (request, response) => {
    const seen = await readRequest(request)
    requests.push(seen)
    const [answer = json(500, { message: 'no answer in the script' }), ...rest] = answers
    if (rest.length > 0) answers = rest
    open.push(response)
    response.on('close', () => open.splice(open.indexOf(response), 1))
    answer(response, seen)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  const folder = t.testdir({ token: 'first' })
  const kubeconfigPath = join(folder, 'kubeconfig')
  const tokenPath = join(folder, 'token')
  writeFileSync(kubeconfigPath, JSON.stringify(kubeconfig(`http://127.0.0.1:${port}`, tokenPath)))
  const client = new ApiClient(openConnection({ kubeconfigPath }), world)
  t.teardown(async () => {
    await client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    client,
    requests,
    open,
    tokenPath,
    script: (...next) => {
      answers = next
    },
  }
}

function kubeconfig(server: string, tokenPath: string): object {
  return {
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: tokenPath } } } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
  }
}

async function readRequest(request: IncomingMessage): Promise<SeenRequest> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    authorization: request.headers.authorization,
    contentType: request.headers['content-type'],
    body,
  }
}

/** A whole answer. */
export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
}

/** A refusal as the API server words it. */
export function refuse(code: number, reason: string, message = reason): Answer {
  return json(code, status(code, reason, message))
}

export function status(code: number, reason: string, message = reason): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
}

export function profile(name: string, resourceVersion: string, labels = {}): object {
  return {
    apiVersion: 'korproxy.dev/v1alpha1',
    kind: 'RoutingProfile',
    metadata: { name, namespace: 'team', uid: `uid-${name}`, resourceVersion, generation: 1, labels },
    spec: {},
  }
}

export function listOf(resourceVersion: string, ...items: readonly object[]): object {
  return { kind: 'RoutingProfileList', apiVersion: 'korproxy.dev/v1alpha1', metadata: { resourceVersion }, items }
}

export function event(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`
}

export function bookmark(resourceVersion: string, annotations?: Readonly<Record<string, string>>): string {
  return event('BOOKMARK', {
    kind: 'RoutingProfile',
    metadata: { resourceVersion, ...(annotations && { annotations }) },
  })
}

export const INITIAL_END = { 'k8s.io/initial-events-end': 'true' }

/** A watch that tells these lines and stays open. */
export function watching(...lines: readonly string[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    for (const line of lines) response.write(line)
  }
}

/** A watch that tells these lines and ends. */
export function ending(...lines: readonly string[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(lines.join(''))
  }
}
