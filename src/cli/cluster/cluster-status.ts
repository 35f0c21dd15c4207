import { setTimeout as wait } from 'node:timers/promises'
import { countOf, renderTable } from '../output.ts'
import { listObjects } from './list-objects.ts'
import { type ObjectProgress, progressOf } from './object-progress.ts'
import type { Cluster } from './open-cluster.ts'

const POLL_MS = 500

/** Whether what was applied is live, and if not, where it is. */
export interface ClusterStatus {
  readonly context: string
  /** Absent: all. */
  readonly namespace?: string
  readonly live: number
  readonly pending: number
  readonly stuck: number
  /** Stuck ones first, then pending, live but not ready, live. */
  readonly objects: readonly ObjectProgress[]
}

/** Looks again until everything is live, `waitMs` at most. */
export async function clusterStatus(cluster: Cluster, waitMs: number): Promise<ClusterStatus> {
  const endMs = performance.now() + waitMs
  for (;;) {
    const status = summarize(cluster, (await listObjects(cluster)).map(progressOf))
    if (isLive(status) || performance.now() + POLL_MS > endMs) return status
    await wait(POLL_MS)
  }
}

export function isLive({ pending, stuck }: ClusterStatus): boolean {
  return pending + stuck === 0
}

function summarize({ context, listed }: Cluster, objects: readonly ObjectProgress[]): ClusterStatus {
  const count = (state: ObjectProgress['state']): number => objects.filter((object) => object.state === state).length
  return {
    context,
    ...(listed === undefined ? {} : { namespace: listed }),
    live: count('live'),
    pending: count('pending'),
    stuck: count('stuck'),
    objects: objects.toSorted((left, right) => urgency(left) - urgency(right)),
  }
}

function urgency({ state, stage }: ObjectProgress): number {
  if (state === 'live') return stage === undefined ? 3 : 2
  return state === 'stuck' ? 0 : 1
}

/** @param rows All: live objects too */
export function renderClusterStatus(status: ClusterStatus, rows: 'NotLive' | 'All'): string {
  const { context, namespace, live, pending, stuck, objects } = status
  const head = `Context     ${context}\nNamespace   ${namespace ?? 'all'}\nObjects     `
  if (objects.length === 0) return `${head}none\n`
  const others = [stuck > 0 ? `${stuck} stuck` : '', pending > 0 ? `${pending} pending` : ''].filter((it) => it !== '')
  const counts = others.length === 0 ? `all ${live} live` : `${live} of ${objects.length} live, ${others.join(', ')}`
  const shown = rows === 'All' ? objects : objects.filter(({ stage }) => stage !== undefined)
  return `${head}${counts}\n${shown.length === 0 ? '' : `\n${progressTable(shown, namespace)}`}${hint(status)}`
}

function progressTable(objects: readonly ObjectProgress[], namespace: string | undefined): string {
  const heads = ['kind', 'name', 'generation', 'state', 'gateways', 'stage', 'because']
  const rows = objects.map((object) => [
    object.kind,
    object.name,
    generationOf(object),
    object.state === 'live' && object.stage !== undefined ? 'live, not ready' : object.state,
    object.gateways ?? '-',
    object.stage ?? '-',
    object.message ?? '-',
  ])
  if (namespace !== undefined) return renderTable(heads, rows)
  return renderTable(
    ['namespace', ...heads],
    rows.map((row, at) => [objects[at]?.namespace ?? '', ...row]),
  )
}

/** `2/3`: the controller has seen the second of three. */
function generationOf({ generation, observedGeneration = 0 }: ObjectProgress): string {
  return observedGeneration === generation ? String(generation) : `${observedGeneration}/${generation}`
}

function hint({ objects }: ClusterStatus): string {
  const unseen = objects.filter(({ stage }) => stage === 'Observed').length
  if (unseen === 0) return ''
  return `\nThe controller has not looked at ${countOf(unseen, 'object')}. Does one run, and does it watch the namespace?\n  kubectl get pods --all-namespaces --selector app.kubernetes.io/name=korproxy\n`
}
