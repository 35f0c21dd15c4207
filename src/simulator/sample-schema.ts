import { isMap, listOf, memberOf, numberOf, textOf } from './json-value.ts'

/** Values for well-known names, first and second call; everything else is `x`. */
const BY_NAME: Record<string, readonly [string, string]> = {
  city: ['Paris', 'London'],
  location: ['Paris', 'London'],
  country: ['France', 'England'],
  command: ['echo hello-from-tool', 'echo second-tool'],
  cmd: ['echo hello-from-tool', 'echo second-tool'],
  script: ['echo hello-from-tool', 'echo second-tool'],
}
const BY_FORMAT: Record<string, string> = {
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
  time: '03:04:05Z',
  email: 'x@example.com',
  uri: 'https://example.com/x',
  uuid: '00000000-0000-4000-8000-000000000000',
}
const MAX_DEPTH = 12

export interface SampleOptions {
  /** 0 for the first call, 1 for the second: parallel calls differ. */
  readonly variant: number
  /** Holds `$defs`. */
  readonly root: unknown
}

/** A value that is valid for the JSON schema: required members only, or all where none is required. */
export function sampleOfSchema(schema: unknown, options: SampleOptions, name = '', depth = 0): unknown {
  if (!isMap(schema) || depth > MAX_DEPTH) return {}
  const reference = textOf(schema, '$ref')
  if (reference !== undefined) return sampleOfSchema(resolve(reference, options.root), options, name, depth + 1)
  if (memberOf(schema, 'const') !== undefined) return schema['const']
  const choices = listOf(schema, 'enum')
  if (choices.length > 0) return choices[0]
  const branch = firstBranch(schema)
  if (branch !== undefined) return sampleOfSchema(branch, options, name, depth + 1)
  return sampleOfType(schema, options, name, depth)
}

function firstBranch(schema: unknown): unknown {
  const branches = [...listOf(schema, 'anyOf'), ...listOf(schema, 'oneOf'), ...listOf(schema, 'allOf')]
  return branches.find((branch) => textOf(branch, 'type')?.toLowerCase() !== 'null')
}

function typeOfSchema(schema: unknown): string {
  const type = memberOf(schema, 'type')
  const first = Array.isArray(type) ? type.find((item) => item !== 'null') : type
  if (typeof first === 'string') return first.toLowerCase()
  return isMap(memberOf(schema, 'properties')) ? 'object' : 'string'
}

function sampleOfType(schema: unknown, options: SampleOptions, name: string, depth: number): unknown {
  switch (typeOfSchema(schema)) {
    case 'object':
      return sampleObject(schema, options, depth)
    case 'array': {
      const count = Math.max(1, numberOf(schema, 'minItems') ?? 1)
      return Array.from({ length: count }, () =>
        sampleOfSchema(memberOf(schema, 'items') ?? {}, options, name, depth + 1),
      )
    }
    case 'integer':
    case 'number':
      return numberOf(schema, 'minimum') ?? Math.min(1, numberOf(schema, 'maximum') ?? 1)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return sampleText(schema, options.variant, name)
  }
}

function sampleObject(schema: unknown, options: SampleOptions, depth: number): unknown {
  const properties = memberOf(schema, 'properties')
  if (!isMap(properties)) return {}
  const required = listOf(schema, 'required').filter((key) => typeof key === 'string')
  const names = required.length > 0 ? required : Object.keys(properties)
  return Object.fromEntries(names.map((key) => [key, sampleOfSchema(properties[key], options, key, depth + 1)]))
}

function sampleText(schema: unknown, variant: number, name: string): string {
  const known = BY_NAME[name]?.[variant === 0 ? 0 : 1] ?? BY_FORMAT[textOf(schema, 'format') ?? ''] ?? 'x'
  return known
    .padEnd(numberOf(schema, 'minLength') ?? 0, 'x')
    .slice(0, numberOf(schema, 'maxLength') ?? known.length + 1000)
}

/** Local references only: `#/$defs/Name`. */
function resolve(reference: string, root: unknown): unknown {
  return reference
    .replace(/^#\/?/, '')
    .split('/')
    .filter((segment) => segment !== '')
    .reduce<unknown>((node, segment) => memberOf(node, segment.replaceAll('~1', '/').replaceAll('~0', '~')), root)
}
