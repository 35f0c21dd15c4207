import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Controller } from '../../src/controller/controller.ts'
import { issueAuthority, issueServerCertificate } from '../../src/controller/publish/certificates/issue-certificate.ts'
import { GatewayAuthenticator, type TokenReviewer } from '../../src/controller/publish/gateway-authenticator.ts'
import {
  type PublishServer,
  type PublishServerOptions,
  startPublishServer,
} from '../../src/controller/publish/publish-server.ts'
import type { ControllerTransport } from '../../src/gateway/table-client/controller-transport.ts'
import { createHttpTransport } from '../../src/gateway/table-client/http-transport.ts'
import { fastWorld, startController } from './controller-rig.ts'
import { scratch } from './stack.ts'

const DAY_MS = 86_400_000
const GATEWAY_USER = 'system:serviceaccount:korproxy:korproxy-gateway'

/** A controller behind TLS on loopback; tokens are `token-<pod>`. */
export interface HttpsController {
  readonly controller: Controller
  readonly url: string
  readonly authorityPath: string
  readonly troubles: string[]
  transport(gateway: string, token?: string): Promise<ControllerTransport>
  /** The process is gone. */
  stop(): Promise<void>
  restart(): Promise<Controller>
}

const REVIEW_BY_NAME: TokenReviewer = async (token) => {
  const [, pod] = /^token-(.+)$/.exec(token) ?? []
  return pod === undefined ? undefined : { username: GATEWAY_USER, pod: { name: pod, uid: `uid-${pod}` } }
}

export async function startHttpsController(
  t: Test,
  options: { readonly review?: TokenReviewer; readonly relay?: PublishServerOptions['relay'] } = {},
): Promise<HttpsController> {
  const folder = scratch(t)
  const validity = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + DAY_MS }
  const authority = await issueAuthority('Test authority', validity)
  const certificate = await issueServerCertificate(['localhost', '127.0.0.1', '::1'], validity, authority)
  const authorityPath = join(folder, 'ca.crt')
  writeFileSync(authorityPath, authority.cert)
  const troubles: string[] = []
  let controller = startController(t)
  let server: PublishServer
  let port = 0
  const listen = async (): Promise<void> => {
    const world = fastWorld(1)
    server = await startPublishServer({
      host: '127.0.0.1',
      port,
      certificate,
      world,
      service: controller.service,
      authenticator: new GatewayAuthenticator({
        world,
        review: options.review ?? REVIEW_BY_NAME,
        users: new Set([GATEWAY_USER]),
      }),
      relay: options.relay ?? { forward: () => {} },
      onTrouble: (error, operation) => troubles.push(`${operation}: ${String(error)}`),
    })
    port = server.port
  }
  await listen()
  t.teardown(() => server.close())
  return {
    get controller() {
      return controller
    },
    get url() {
      return `https://127.0.0.1:${port}`
    },
    authorityPath,
    troubles,
    transport: async (gateway, token = `token-${gateway}`) => {
      const tokenPath = join(folder, `${gateway}.token`)
      writeFileSync(tokenPath, `${token}\n`)
      return createHttpTransport({
        url: `https://127.0.0.1:${port}`,
        gateway,
        formats: [1],
        tokenPath,
        authorityPath,
        random: Math.random,
        onUnknown: (what) => troubles.push(what),
      })
    },
    stop: async () => {
      controller.close()
      await server.close()
    },
    restart: async () => {
      controller = startController(t)
      await listen()
      return controller
    },
  }
}
