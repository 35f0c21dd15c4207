import { z } from 'zod'
import type { ErrorCode } from '#errors/registry.ts'
import { formatFieldPath } from './field-path.ts'
import { suggestion } from './suggest.ts'

/** Something wrong with a field, before it is known which object it belongs to. */
export interface Finding {
  readonly path: string
  readonly message: string
  readonly code: ErrorCode
}

export interface Checked<Value> {
  /** Absent when there are findings. */
  readonly value: Value | undefined
  readonly findings: readonly Finding[]
}

/** Checks one part of an object, `root` being its name, as the API server does; unknown fields are findings too. */
export function checkPart<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  root: string,
): Checked<z.output<Schema>> {
  const result = schema.safeParse(withoutNulls(value), {
    error: (issue) => (issue.input === undefined && issue.code === 'invalid_type' ? 'is required' : undefined),
  })
  if (result.success) return { value: result.data, findings: [] }
  const known = (path: readonly PropertyKey[]): readonly string[] => fieldsAt(schema, path)
  return { value: undefined, findings: result.error.issues.flatMap((issue) => describeIssue(issue, root, known)) }
}

/** @param known the fields that there are in its place */
export function unknownField(path: readonly PropertyKey[], known: readonly string[]): Finding {
  const hint = suggestion(String(path.at(-1)), known)
  return { path: formatFieldPath(path), message: `no such field${hint}`, code: 'KP-CONF-204' }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describeIssue(
  issue: z.core.$ZodIssue,
  root: string,
  known: (path: readonly PropertyKey[]) => readonly string[],
): Finding[] {
  const path = [root, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const fields = known(issue.path)
    return issue.keys.map((key) => unknownField([...path, key], fields))
  }
  const detail = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  return [
    {
      path: formatFieldPath(path),
      message: issue.code === 'custom' ? detail : lowerFirst(detail),
      code: 'KP-CONF-203',
    },
  ]
}

/** Names of the fields that an object in this place of a schema has. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return fieldsAt(schema.unwrap(), path)
  }
  const [step, ...rest] = path
  if (schema instanceof z.ZodArray && step !== undefined) return fieldsAt(schema.element, rest)
  if (!(schema instanceof z.ZodObject)) return []
  if (step === undefined) return Object.keys(schema.shape)
  const field: z.core.$ZodType | undefined = schema.shape[String(step)]
  return field === undefined ? [] : fieldsAt(field, rest)
}

/**
 * The API server takes a null for a field left out.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable
 */
function withoutNulls(value: unknown): unknown {
  if (!hasNull(value)) return value
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name, withoutNulls(field)]),
  )
}

/** Nearly no object has one, and none of the others needs a copy. */
function hasNull(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  for (const part of Object.values(value)) if (part === null || hasNull(part)) return true
  return false
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
