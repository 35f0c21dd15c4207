/** A remark of a gateway about a table. */
interface GatewayDiagnostic {
  /** KP code, e.g. `KP-CONF-212`. */
  readonly code: string
  readonly message: string
}

/** What is known of one gateway. Whoever keeps the list decides how long a gateway that went away stays in it. */
export interface GatewayAck {
  /** Pod. */
  readonly name: string
  readonly connected: boolean
  /** Version of the table that it runs; absent before its first. */
  readonly version?: string
  /** Its answer to the newest table that it was offered; absent until it answers. */
  readonly result?: 'ACK' | 'NACK'
  /** Why it refused. */
  readonly diagnostics: readonly GatewayDiagnostic[]
  /** Unix time, milliseconds. */
  readonly lastAckTimeMs?: number
}

/** A change that is tried on a few gateways first. */
export interface CanaryFacts {
  /** The table that is tried. */
  readonly version: string
  readonly phase: 'Applying' | 'Observing' | 'Held'
  /** Those that try it. */
  readonly gateways: readonly string[]
  /** Why it is held. */
  readonly reason?: string
}

/** A table that is not given to any gateway, for they would refuse it. */
export interface WithheldFacts {
  readonly reason: string
  /** `objectHashes` of it. */
  readonly hashes: ReadonlyMap<string, string>
}

/** Which gateway runs what. */
export interface ProgrammedFacts {
  /** The newest table. */
  readonly version: string
  readonly gateways: readonly GatewayAck[]
  /** Of the newest table and of each one that a gateway still runs: the hash of each object (`objectHashes`). */
  readonly objectHashes: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly canary?: CanaryFacts | undefined
  /** Newer than the newest table. */
  readonly withheld?: WithheldFacts | undefined
}

/** How an object is called in `objectHashes` and wherever else objects of all kinds are told apart. */
export function objectKey({
  kind,
  namespace,
  name,
}: {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}): string {
  return `${kind}/${namespace}/${name}`
}
