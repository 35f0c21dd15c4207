import { Controller } from '#controller/controller.ts'
import { ApiClient } from '#controller/kube/api-client.ts'
import { openConnection } from '#controller/kube/connection.ts'
import { EventRecorder } from '#controller/kube/event-recorder.ts'
import { LeaderElection } from '#controller/kube/leader-election.ts'
import { SYSTEM_TIME_AND_CHANCE } from '#controller/kube/time-and-chance.ts'
import { withAccessTokens } from '#controller/publish/access-tokens.ts'
import type { CertificateSource } from '#controller/publish/certificates/certificate-source.ts'
import { LastGoodSecret } from '#controller/publish/last-good-secret.ts'
import { LeaderRelay } from '#controller/publish/leader-relay.ts'
import type { PublishServer } from '#controller/publish/publish-server.ts'
import { readRolloutWord } from '#controller/publish/rollout-word.ts'
import type { GatewayPods } from '#controller/sources/gateway-pods.ts'
import { KubernetesSource } from '#controller/sources/kubernetes.ts'
import { StatusReporter } from '#controller/status/status-reporter.ts'
import type { ObjectReference } from '#resources/resource.ts'
import { openCertificate } from './controller-certificate.ts'
import type { ControllerRoleOptions, StartableController } from './controller-role-options.ts'
import { openGatewayPods } from './controller-role-pods.ts'
import { certificateListener, hostAndPort, startTableServer } from './controller-role-server.ts'
import { renderControllerState } from './controller-state.ts'
import { OAuthRefresher } from './oauth-refresher.ts'
import { sha256 } from './sha256.ts'
import { type StatusListener, startStatusListener } from './status-listener.ts'

/** A controller that was not started. */
export function createControllerRole(options: ControllerRoleOptions): StartableController {
  return new ClusterController(options)
}

const WORLD = SYSTEM_TIME_AND_CHANCE
/** Gateways hear of the end, and go. */
const DRAIN_MS = 2_500

class ClusterController implements StartableController {
  readonly controller: Controller
  readonly #options: ControllerRoleOptions
  readonly #client: ApiClient
  readonly #recorder: EventRecorder
  readonly #source: KubernetesSource
  readonly #election: LeaderElection
  readonly #reporter: StatusReporter
  readonly #lastGood: LastGoodSecret
  readonly #relay: LeaderRelay
  readonly #refresher: OAuthRefresher
  readonly #pods: GatewayPods | undefined
  readonly #stop = new AbortController()
  readonly #watchEvents = new Map<string, number>()
  #statusFailures = 0
  #publications = 0
  #publishedAtMs: number | undefined
  #draining = false
  #tls: CertificateSource | undefined
  #server: PublishServer | undefined
  #status: StatusListener | undefined
  #starting: Promise<void> = Promise.resolve()
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: ControllerRoleOptions) {
    this.#options = options
    const { namespace, loggers, kubeconfigPath, name, lastGoodSecret } = options
    const log = loggers.component('controller')
    this.#client = new ApiClient(openConnection(kubeconfigPath === undefined ? {} : { kubeconfigPath }), WORLD)
    this.#recorder = new EventRecorder({
      client: this.#client,
      world: WORLD,
      instance: name,
      onFailure: (error) => loggers.component('status').warn({ err: error }, 'an Event cannot be written'),
    })
    this.#source = this.#createSource()
    this.#election = this.#createElection()
    const leads = (): boolean => this.#election.leads
    this.#lastGood = new LastGoodSecret({
      client: this.#client,
      world: WORLD,
      namespace,
      name: lastGoodSecret,
      leads,
      onTrouble: (error) => log.warn({ err: error }, 'the last good table cannot be kept in its Secret'),
    })
    this.#relay = new LeaderRelay({
      leader: () => (leads() ? undefined : this.#leaderAddress()),
      authorities: () => this.#tls?.authorities ?? '',
      serverName: options.service,
      onTrouble: (error, path) => log.warn({ err: error, path }, 'the leader did not take what a gateway said'),
    })
    this.#refresher = new OAuthRefresher({
      client: this.#client,
      world: WORLD,
      sha256,
      namespace,
      leads,
      set: () => this.#source.current(),
      written: (secretNamespace, secret) => this.#source.refreshSecret(secretNamespace, secret),
      log: loggers.component('oauth'),
    })
    this.#pods = openGatewayPods(options, this.#client, () => this.#reporter.refresh())
    this.controller = new Controller({
      world: WORLD,
      pods: () => this.#pods?.current(),
      role: () => (leads() ? 'Decides' : 'Follows'),
      sha256,
      defaultNamespace: namespace,
      log,
      finishTable: (table, set) => withAccessTokens(table, set, sha256),
      onStatusChanged: () => this.#reporter.refresh(),
      onPublished: (publication) => {
        this.#publications += 1
        this.#publishedAtMs = WORLD.unixTime()
        this.#lastGood.keep(publication)
      },
    })
    this.#reporter = this.#createReporter(leads)
  }

  get port(): number {
    if (this.#server === undefined) throw new Error('not started')
    return this.#server.port
  }

  get statusPort(): number {
    if (this.#status === undefined) throw new Error('not started')
    return this.#status.port
  }

  async start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { host, statusPort } = this.#options
    this.#status = await startStatusListener({
      host,
      port: statusPort,
      notReady: () => this.#notReady(),
      metrics: async () =>
        renderControllerState(this.controller, {
          leads: this.#election.leads,
          publications: this.#publications,
          publishedAtMs: this.#publishedAtMs,
          watchAgesMs: this.#source.lastEventAgesMs(),
          watchEvents: this.#watchEvents,
          statusFailures: this.#statusFailures,
        }),
    })
    const [tls] = await Promise.all([this.#openTls(), this.#source.start()])
    this.#tls = tls
    if (this.#stop.signal.aborted) return
    this.#configure({ urgent: false })
    this.#server = await startTableServer(this.#options, {
      client: this.#client,
      service: this.controller.service,
      tls,
      relay: this.#relay,
    })
    this.#running = Promise.all([this.#elect(), this.#reporter.run(), this.#pods?.run(this.#stop.signal)])
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.controller.service.drain()
    this.#stop.abort()
    this.#reporter.close()
    this.#lastGood.close()
    const deadline = WORLD.monotonic() + DRAIN_MS
    // Requests that the API server leaves unanswered; all of them where nothing has begun yet.
    const cancel = WORLD.after(this.#server === undefined ? 0 : DRAIN_MS, () => void this.#client.close())
    // Whoever called `start` hears how it ended.
    await Promise.allSettled([this.#source.close(), this.#starting])
    await Promise.all([this.#refresher.close(), this.#running])
    while (this.controller.service.streams > 0 && WORLD.monotonic() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    cancel()
    this.controller.close()
    await this.#server?.close()
    this.#tls?.close()
    await this.#relay.close()
    await this.#client.close()
    await this.#status?.close()
  }

  async #elect(): Promise<void> {
    // A lease that was lost is run for again: nothing is written without it meanwhile.
    while (!this.#stop.signal.aborted) await this.#election.run(this.#stop.signal)
  }

  #leaderAddress(): string | undefined {
    const { leader } = this.#election
    return leader === undefined || leader.holder === this.#options.name ? undefined : leader.address
  }

  #configure({ urgent }: { readonly urgent: boolean }): void {
    this.controller.configure(this.#source.current(), { urgent, highWater: this.#source.highWater() })
    this.#refresher.setChanged()
  }

  #createElection(): LeaderElection {
    const { namespace, lease, name, podIp, port, loggers } = this.#options
    const log = loggers.component('controller')
    return new LeaderElection({
      client: this.#client,
      world: WORLD,
      namespace,
      name: lease,
      identity: name,
      address: hostAndPort(podIp, port),
      word: () => JSON.stringify(this.controller.rolloutWord),
      listener: {
        started: (term) => {
          log.info({ term }, 'leading')
          this.#reporter.takeOver()
          this.#lastGood.takeOver()
          this.#refresher.takeOver()
          this.controller.audienceChanged()
        },
        lost: () => log.warn({}, 'no longer leading'),
        // Gateways tell the new leader what they run.
        observed: (leader) => {
          log.info({ leader: leader?.holder }, 'leader')
          this.controller.audienceChanged()
        },
        told: (text) => {
          const word = readRolloutWord(text)
          if (word !== undefined) this.controller.hearRollout(word)
        },
        troubled: (error) => log.warn({ err: error }, 'the lease cannot be read or written'),
      },
    })
  }

  /** Every controller tells its own gateways; one of them tells the people. */
  #resetHealth(account: ObjectReference): void {
    const { namespace: tenant, name } = account
    this.#options.loggers.component('controller').info({ tenant, account: name }, 'reset of health')
    this.controller.service.command({ kind: 'health-reset', tenant, account: name })
    if (!this.#election.leads) return
    const note = 'The gateways were told to forget the health of the account.'
    void this.#recorder.record({ ref: account, type: 'Normal', reason: 'HealthReset', action: 'Reset', note })
  }

  #createSource(): KubernetesSource {
    const { watchNamespaces, loggers } = this.#options
    return new KubernetesSource({
      client: this.#client,
      world: WORLD,
      ...(watchNamespaces !== undefined && { namespaces: watchNamespaces }),
      onChange: (_set, hint) => this.#configure(hint),
      onObserved: () => this.#reporter.refresh(),
      onResetRequest: (account) => this.#resetHealth(account),
      log: loggers.component('source'),
      metrics: {
        counted: (kind, counter, amount) => {
          const key = `${kind}\n${counter}`
          this.#watchEvents.set(key, (this.#watchEvents.get(key) ?? 0) + amount)
        },
      },
    })
  }

  #createReporter(leads: () => boolean): StatusReporter {
    const log = this.#options.loggers.component('status')
    return new StatusReporter({
      client: this.#client,
      world: WORLD,
      leads,
      input: () => {
        const facts = this.controller.facts()
        return facts && { objects: this.#source.objects(), ...facts, clients: new Map(), policies: new Map() }
      },
      recorder: this.#recorder,
      onFailure: (error, { ref }, outcome) => {
        this.#statusFailures += 1
        log.warn({ err: error, object: ref, outcome }, 'a status cannot be written')
      },
    })
  }

  async #openTls(): Promise<CertificateSource> {
    const { tls, namespace, service, podIp, loggers } = this.#options
    const place = { client: this.#client, world: WORLD, namespace, service, podIp }
    const listener = certificateListener(loggers, (certificate) => this.#server?.useCertificate(certificate))
    return openCertificate(tls, place, listener, this.#stop.signal)
  }

  #notReady(): string | undefined {
    if (this.#draining) return 'draining'
    if (this.controller.published === undefined || this.#server === undefined) return 'no routing table'
    return this.#source.stale ? 'the Kubernetes API is out of reach' : undefined
  }
}
