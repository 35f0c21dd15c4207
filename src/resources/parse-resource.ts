import type { z } from 'zod'
import { checkPart, type Finding, isRecord, unknownField } from './finding.ts'
import { API_VERSION } from './kind-definition.ts'
import { isKind, KINDS, type Kind } from './kinds.ts'
import { objectMetadata } from './object-metadata.ts'
import type { ObjectMetadata, ObjectReference, Problem, Resource, ResourceSource } from './resource.ts'

const TOP_LEVEL_FIELDS: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status']

export interface ParseOptions {
  /** Namespace of objects that name none. */
  readonly namespace: string
  readonly source?: ResourceSource
}
export type ParseResult = { readonly resource: Resource } | { readonly problems: readonly Problem[] }

/** Checks one object as the API server does, and besides refuses unknown fields (which `kubectl` refuses too). Fills in defaults. */
export function parseResource(value: unknown, options: ParseOptions): ParseResult {
  const ref = nameOfObject(value, options.namespace)
  const { source } = options
  const problem = ({ path, message, code }: Finding): Problem => ({
    ref,
    path,
    message,
    code,
    ...(source && { position: source.locate(path) }),
  })
  if (!isRecord(value)) {
    return { problems: [problem({ path: '', message: 'must be an object', code: 'KP-CONF-202' })] }
  }
  const { kind, apiVersion } = value
  if (apiVersion !== API_VERSION || typeof kind !== 'string' || !isKind(kind)) {
    return { problems: [problem(unknownKind(kind, apiVersion))] }
  }
  const unknownFields = Object.keys(value)
    .filter((field) => !TOP_LEVEL_FIELDS.includes(field))
    .map((field) => unknownField([field], TOP_LEVEL_FIELDS))
  const metadata = checkPart(objectMetadata, value['metadata'], 'metadata')
  const spec = checkPart(KINDS[kind].spec, value['spec'], 'spec')
  const findings = [...unknownFields, ...metadata.findings, ...spec.findings]
  if (findings.length > 0 || metadata.value === undefined) return { problems: findings.map(problem) }
  const resource = {
    apiVersion: API_VERSION,
    kind,
    metadata: metadataOf(metadata.value, options.namespace),
    spec: spec.value,
    ...(source && { source }),
  }
  // The spec was parsed by the schema of this very kind, which the types cannot express.
  return { resource: resource as Resource }
}

/** Names an object as far as it can be read, for messages about it. */
export function nameOfObject(value: unknown, defaultNamespace: string): ObjectReference {
  const object = isRecord(value) ? value : {}
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {}
  const text = (candidate: unknown, otherwise: string) => (typeof candidate === 'string' ? candidate : otherwise)
  return {
    kind: text(object['kind'], ''),
    namespace: text(metadata['namespace'], defaultNamespace),
    name: text(metadata['name'], ''),
  }
}

function unknownKind(kind: unknown, apiVersion: unknown): Finding {
  const known = typeof kind === 'string' && isKind(kind)
  const message = known
    ? `apiVersion must be ${API_VERSION}, not ${JSON.stringify(apiVersion) ?? 'missing'}`
    : `kind ${JSON.stringify(kind) ?? '(missing)'} with apiVersion ${JSON.stringify(apiVersion) ?? '(missing)'} is not known; kinds of ${API_VERSION} are ${Object.keys(KINDS).join(', ')}`
  return { path: known ? 'apiVersion' : 'kind', message, code: 'KP-CONF-202' }
}

export function metadataOf(metadata: z.output<typeof objectMetadata>, defaultNamespace: string): ObjectMetadata {
  const { uid, resourceVersion, generation } = metadata
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? defaultNamespace,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(generation !== undefined && { generation }),
  }
}

/** The spec of a kind with nothing but defaults, for what is not configured. Only for kinds without required fields. */
export function defaultSpec<K extends Kind>(kind: K): z.output<(typeof KINDS)[K]['spec']> {
  const schema: z.ZodType = KINDS[kind].spec
  // Parsed by the schema of this very kind.
  return schema.parse({}) as z.output<(typeof KINDS)[K]['spec']>
}
