import { Agent, request as send } from 'undici'

const TIMEOUT_MS = 5_000

export interface LeaderRelayOptions {
  /** `host:port` of the leader; undefined while this controller leads, or nobody is known to. */
  readonly leader: () => string | undefined
  /** Authorities that the controllers' certificates come from, PEM. */
  readonly authorities: () => string
  /** The name in those certificates: controllers reach each other by address. */
  readonly serverName: string
  readonly onTrouble: (error: unknown, path: string) => void
}

/**
 * Gateways speak to any controller, and status is written by the leader: what they say is passed on to it, with their own token, so
 * that the leader knows who speaks as surely as if it had been told directly.
 */
export class LeaderRelay {
  readonly #options: LeaderRelayOptions
  #agent: { readonly authorities: string; readonly dispatcher: Agent } | undefined

  constructor(options: LeaderRelayOptions) {
    this.#options = options
  }

  /** Best effort: every report says again what matters. */
  forward(path: string, token: string | undefined, body: unknown): void {
    const leader = this.#options.leader()
    if (leader === undefined || token === undefined) return
    this.#send(`https://${leader}${path}`, token, body).catch((error: unknown) => this.#options.onTrouble(error, path))
  }

  async close(): Promise<void> {
    await this.#agent?.dispatcher.destroy()
  }

  async #send(url: string, token: string, body: unknown): Promise<void> {
    const reply = await send(url, {
      method: 'POST',
      dispatcher: this.#dispatcher(),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    await reply.body.dump()
    if (reply.statusCode >= 300) throw new Error(`the leader answered ${reply.statusCode}`)
  }

  #dispatcher(): Agent {
    const authorities = this.#options.authorities()
    if (this.#agent?.authorities === authorities) return this.#agent.dispatcher
    void this.#agent?.dispatcher.close()
    const connect = { ca: authorities, servername: this.#options.serverName, timeout: TIMEOUT_MS }
    this.#agent = { authorities, dispatcher: new Agent({ allowH2: false, connections: 4, connect }) }
    return this.#agent.dispatcher
  }
}
