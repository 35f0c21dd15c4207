import type { z } from 'zod'
import { formatFieldPath } from './field-path.ts'
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
  if (!isObject(value)) {
    return { problems: [problem({ path: '', message: 'must be an object', code: 'KP-CONF-202' })] }
  }
  const { kind, apiVersion } = value
  if (apiVersion !== API_VERSION || typeof kind !== 'string' || !isKind(kind)) {
    return { problems: [problem(unknownKind(kind, apiVersion))] }
  }
  const unknownFields = Object.keys(value)
    .filter((field) => !TOP_LEVEL_FIELDS.includes(field))
    .map((field) => unknownField([field]))
  const metadata = check(objectMetadata, value['metadata'], 'metadata')
  const spec = check(KINDS[kind].spec, value['spec'], 'spec')
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

interface Finding {
  readonly path: string
  readonly message: string
  readonly code: Problem['code']
}

/** Names an object as far as it can be read, for messages about it. */
export function nameOfObject(value: unknown, defaultNamespace: string): ObjectReference {
  const object = isObject(value) ? value : {}
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
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

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  root: string,
): { value: z.output<Schema> | undefined; findings: Finding[] } {
  const result = schema.safeParse(withoutNulls(value), {
    error: (issue) => (issue.input === undefined && issue.code === 'invalid_type' ? 'is required' : undefined),
  })
  if (result.success) return { value: result.data, findings: [] }
  return { value: undefined, findings: result.error.issues.flatMap((issue) => describeIssue(issue, root)) }
}

function describeIssue(issue: z.core.$ZodIssue, root: string): Finding[] {
  const path = [root, ...issue.path]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField([...path, key]))
  const detail = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  return [{ path: formatFieldPath(path), message: lowerFirst(detail), code: 'KP-CONF-203' }]
}

function unknownField(path: readonly PropertyKey[]): Finding {
  return { path: formatFieldPath(path), message: 'no such field', code: 'KP-CONF-204' }
}

function metadataOf(metadata: z.output<typeof objectMetadata>, defaultNamespace: string): ObjectMetadata {
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The API server takes a null for a field left out.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
 */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name, withoutNulls(field)]),
  )
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/** The spec of a kind with nothing but defaults, for what is not configured. Only for kinds without required fields. */
export function defaultSpec<K extends Kind>(kind: K): z.output<(typeof KINDS)[K]['spec']> {
  const schema: z.ZodType = KINDS[kind].spec
  // Parsed by the schema of this very kind.
  return schema.parse({}) as z.output<(typeof KINDS)[K]['spec']>
}
