import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ControlPlane } from '../helpers/control-plane.ts'
import { clusterScript, mustRun } from '../helpers/run-program.ts'
import { KorproxyProcess, type KorproxyProcessOptions } from './korproxy-process.ts'

export interface FleetOptions {
  readonly plane: Pick<ControlPlane, 'kubectl' | 'kubeconfigPath'>
  readonly namespace: string
  /** For tokens, certificates and tables. */
  readonly folder: string
  readonly process?: KorproxyProcessOptions
}

export interface ControllerStart {
  /** Who it is to the API server; an administrator by default. */
  readonly kubeconfigPath?: string
  readonly flags?: readonly string[]
}

export interface ControllerProcess {
  readonly process: KorproxyProcess
  readonly port: number
  readonly statusPort: number
}

export interface GatewayProcess {
  readonly process: KorproxyProcess
  readonly url: string
  readonly statusUrl: string
}

/** Real controllers and gateways of one namespace; no pods: only their objects, for the gateways' tokens. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #service = new ServiceStandIn()
  readonly #processes = new Set<KorproxyProcess>()

  constructor(options: FleetOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true })
  }

  async open(): Promise<void> {
    await this.#service.open()
    await this.kubectl(['create', 'serviceaccount', 'korproxy-gateway'])
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process.kill()))
    await this.#service.close()
  }

  /** In the namespace of the fleet. @throws when it fails */
  async kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { plane, namespace } = this.#options
    const { code, stdout, stderr } = await plane.kubectl(['--namespace', namespace, ...args], stdin)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Resolves when it listens. */
  async startController(name: string, options: ControllerStart = {}): Promise<ControllerProcess> {
    const controller = await this.spawnController(name, options)
    await controller.process.logged('listening')
    this.#service.ports.add(controller.port)
    return controller
  }

  async spawnController(
    name: string,
    { kubeconfigPath, flags = [] }: ControllerStart = {},
  ): Promise<ControllerProcess> {
    const { plane, namespace } = this.#options
    const [port = 0, statusPort = 0] = await freePorts(2)
    const process = this.#spawn([
      'controller',
      ...['--name', name, '--pod-ip', '127.0.0.1', '--host', '127.0.0.1'],
      ...['--namespace', namespace, '--namespaces', namespace],
      ...['--port', String(port), '--status-port', String(statusPort)],
      ...['--kubeconfig', kubeconfigPath ?? plane.kubeconfigPath],
      ...flags,
    ])
    return { process, port, statusPort }
  }

  /** New connections do not reach it any more, as when its probe fails. */
  unroute({ port }: ControllerProcess): void {
    this.#service.ports.delete(port)
  }

  route({ port }: ControllerProcess): void {
    this.#service.ports.add(port)
  }

  /** Resolves when it serves its first table. */
  async startGateway(name: string, flags: readonly string[] = []): Promise<GatewayProcess> {
    const { namespace } = this.#options
    const { tokenPath, authorityPath } = await this.identity(name)
    const [port = 0, statusPort = 0] = await freePorts(2)
    const process = this.#spawn([
      'gateway',
      ...['--controller', this.controllerUrl, '--name', name, '--namespace', namespace],
      ...['--host', '127.0.0.1', '--port', String(port), '--status-port', String(statusPort)],
      ...['--token-file', tokenPath, '--ca-file', authorityPath],
      ...['--table-dir', join(this.#options.folder, name, 'table')],
      ...flags,
    ])
    const gateway = { process, url: `http://127.0.0.1:${port}`, statusUrl: `http://127.0.0.1:${statusPort}` }
    await process.logged('listening')
    while (!(await isReady(gateway))) {
      if (!process.running) throw new Error(`${name} ended`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return gateway
  }

  /** Where the gateways' files are, each in a folder of its name. */
  get folder(): string {
    return this.#options.folder
  }

  get controllerUrl(): string {
    return `https://127.0.0.1:${this.#service.port}`
  }

  /** Token and authorities of a gateway's pod, made where they do not exist yet. */
  async identity(name: string): Promise<{ readonly tokenPath: string; readonly authorityPath: string }> {
    const folder = join(this.#options.folder, name)
    const [tokenPath, authorityPath] = [join(folder, 'token'), join(folder, 'ca.crt')]
    if (mkdirSync(folder, { recursive: true }) === undefined) return { tokenPath, authorityPath }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: POD_SPEC }
    await this.kubectl(['create', '--filename', '-'], JSON.stringify(pod))
    const bound = ['--bound-object-kind=Pod', `--bound-object-name=${name}`]
    const token = ['create', 'token', 'korproxy-gateway', '--audience=korproxy-controller', ...bound]
    writeFileSync(tokenPath, await this.kubectl(token))
    const authority = ['get', 'configmap', 'korproxy-controller-ca', '--output', 'jsonpath={.data.ca\\.crt}']
    writeFileSync(authorityPath, await this.kubectl(authority))
    return { tokenPath, authorityPath }
  }

  #spawn(args: readonly string[]): KorproxyProcess {
    const process = new KorproxyProcess(args, this.#options.process)
    this.#processes.add(process)
    void process.ended.then(() => this.#processes.delete(process))
    return process
  }
}

const POD_SPEC = {
  serviceAccountName: 'korproxy-gateway',
  containers: [{ name: 'gateway', image: 'none.example/none' }],
}

async function isReady({ statusUrl }: Pick<GatewayProcess, 'statusUrl'>): Promise<boolean> {
  const reply = await fetch(`${statusUrl}/readyz`)
  await reply.body?.cancel()
  return reply.status === 200
}

export async function freePorts(count: number): Promise<number[]> {
  return (await mustRun(clusterScript('free-ports.mjs'), ['127.0.0.1', String(count)])).split(' ').map(Number)
}

/** What a Service does: one address, behind which any of several servers answers. */
class ServiceStandIn {
  readonly ports = new Set<number>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server = createServer((client) => this.#forward(client))

  get port(): number {
    // It listens on TCP.
    return (this.#server.address() as AddressInfo).port
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #forward(client: Socket): void {
    const ports = [...this.ports]
    const port = ports[Math.floor(Math.random() * ports.length)]
    if (port === undefined) {
      client.destroy()
      return
    }
    const server = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
