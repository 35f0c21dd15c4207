import { readFileSync } from 'node:fs'

/** The part of audit.k8s.io/v1 Event that tells who did what. */
interface AuditEvent {
  readonly user: { readonly username: string }
  readonly verb: string
  readonly requestURI: string
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

export interface Role {
  readonly rules: readonly Rule[]
}

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** What a service account asked of the API server, with what came back. */
export function auditOf(auditLogPath: string, serviceAccount: string): readonly AuditEvent[] {
  return readFileSync(auditLogPath, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`system:serviceaccount:${serviceAccount}"`))
    .map((line): AuditEvent => JSON.parse(line))
}

export function refusals(events: readonly AuditEvent[]): readonly string[] {
  const refused = events.filter(({ responseStatus }) => responseStatus?.code === 401 || responseStatus?.code === 403)
  return refused.map(({ verb, requestURI, responseStatus }) => `${responseStatus?.code} ${verb} ${requestURI}`)
}

/** Rights that were used, each as `verb group/resource [name]`. Server-side apply is a patch, and needs the right to create where nothing was. */
function usedRights(events: readonly AuditEvent[]): Set<string> {
  const used = new Set<string>()
  for (const { verb, objectRef, responseStatus } of events) {
    if (objectRef === undefined) continue
    const { apiGroup = '', resource = '', subresource, name = '' } = objectRef
    const target = `${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`
    const verbs = verb === 'patch' && responseStatus?.code === 201 ? [verb, 'create'] : [verb]
    for (const right of verbs) {
      used.add(`${right} ${target}`)
      used.add(`${right} ${target} ${name}`)
    }
  }
  return used
}

function rightsOf({ apiGroups = [], resources = [], resourceNames, verbs }: Rule): string[] {
  const names = resourceNames?.map((name) => ` ${name}`) ?? ['']
  const targets = apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}`))
  return targets.flatMap((target) => verbs.flatMap((verb) => names.map((name) => `${verb} ${target}${name}`)))
}

/** What these roles grant and nobody has used in any namespace, each as `verb group/resource [name]`. */
export function unusedRights(roles: readonly Role[], events: readonly AuditEvent[]): readonly string[] {
  const granted = new Set(roles.flatMap(({ rules }) => rules.flatMap(rightsOf)))
  const used = usedRights(events)
  return [...granted].filter((right) => !used.has(right)).sort()
}
