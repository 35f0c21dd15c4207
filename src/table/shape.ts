/** Where a value departs from its shape, and how. */
export interface Fault {
  /** e.g. `tenants.default.groups.pool.members[2].weight`; empty = the value itself. */
  readonly path: string
  readonly problem: string
  /** It is of the right kind, but there is too much of it. */
  readonly excess?: true
}

/** Looks at a value from outside; undefined = it has the shape. Never throws, whatever the value is. */
export type Shape = (value: unknown) => Fault | undefined

export interface TextLimits {
  readonly minLength?: number
  readonly maxLength?: number
}

/** Longest text of any field that is no secret, key or certificate. */
const MAX_TEXT = 4_096

export function text({ minLength = 0, maxLength = MAX_TEXT }: TextLimits = {}): Shape {
  return (value) => {
    if (typeof value !== 'string') return mistyped('a text', value)
    if (value.length < minLength || (minLength > 0 && value.trim() === '')) return { path: '', problem: 'is blank' }
    return value.length > maxLength ? excessive(`is longer than ${maxLength} characters`) : undefined
  }
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape {
  return (value) => {
    if (!Number.isSafeInteger(value)) return mistyped('a whole number', value)
    // Checked above.
    const number = value as number
    return number < min || number > max ? { path: '', problem: `is not within ${min} and ${max}` } : undefined
  }
}

export function flag(): Shape {
  return (value) => (typeof value === 'boolean' ? undefined : mistyped('true or false', value))
}

export function oneOf(...names: readonly (string | number)[]): Shape {
  const known = new Set<unknown>(names)
  return (value) => (known.has(value) ? undefined : { path: '', problem: `is none of ${names.join(', ')}` })
}

export function nullable(shape: Shape): Shape {
  return (value) => (value === null ? undefined : shape(value))
}

export function listOf(item: Shape, maxItems: number): Shape {
  return (value) => {
    if (!Array.isArray(value)) return mistyped('a list', value)
    if (value.length > maxItems) return excessive(`has more than ${maxItems} items`)
    for (let at = 0; at < value.length; at += 1) {
      const fault = item(value[at])
      if (fault !== undefined) return within(`[${at}]`, fault)
    }
    return undefined
  }
}

/** An object used as a map. */
export function mapOf(item: Shape, maxEntries: number): Shape {
  return (value) => {
    if (!isObject(value)) return mistyped('an object', value)
    const keys = Object.keys(value)
    if (keys.length > maxEntries) return excessive(`has more than ${maxEntries} entries`)
    for (const key of keys) {
      if (key.trim() === '') return { path: '', problem: 'has a blank key' }
      const fault = item(value[key])
      if (fault !== undefined) return within(key, fault)
    }
    return undefined
  }
}

type OptionalKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]

/**
 * An object with these fields; every field of `T` is named, so that the compiler finds the one that was forgotten. Fields that are
 * not named here are left to newer readers.
 */
export function objectOf<T extends object>(
  required: { readonly [K in Exclude<keyof T, OptionalKey<T>>]: Shape },
  optional: { readonly [K in OptionalKey<T>]: Shape },
): Shape {
  const fields: [string, Shape, Presence][] = [
    ...Object.entries<Shape>(required).map(([name, shape]): [string, Shape, Presence] => [name, shape, 'Required']),
    ...Object.entries<Shape>(optional).map(([name, shape]): [string, Shape, Presence] => [name, shape, 'Optional']),
  ]
  return (value) => {
    if (!isObject(value)) return mistyped('an object', value)
    for (const [name, shape, presence] of fields) {
      const fault = checkField(Object.hasOwn(value, name) ? value[name] : undefined, shape, presence)
      if (fault !== undefined) return within(name, fault)
    }
    return undefined
  }
}

type Presence = 'Required' | 'Optional'

function checkField(value: unknown, shape: Shape, presence: Presence): Fault | undefined {
  if (value !== undefined) return shape(value)
  return presence === 'Required' ? { path: '', problem: 'is missing' } : undefined
}

/** Chooses the shape by the text in one field. */
export function taggedBy(field: string, shapes: Readonly<Record<string, Shape>>): Shape {
  return (value) => {
    if (!isObject(value)) return mistyped('an object', value)
    const tag = value[field]
    const shape = typeof tag === 'string' && Object.hasOwn(shapes, tag) ? shapes[tag] : undefined
    if (shape === undefined) return { path: field, problem: `is none of ${Object.keys(shapes).join(', ')}` }
    return shape(value)
  }
}

/** One line for people; never the value itself, which may be a secret. */
export function describeFault({ path, problem }: Fault): string {
  return path === '' ? problem : `${path} ${problem}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function excessive(problem: string): Fault {
  return { path: '', problem, excess: true }
}

function mistyped(wanted: string, value: unknown): Fault {
  return { path: '', problem: value === null ? `is null, not ${wanted}` : `is not ${wanted}` }
}

/** Names of objects and models may be long: a path stays readable. */
const MAX_NAME_IN_PATH = 64

function within(step: string, fault: Fault): Fault {
  const { path } = fault
  const name = step.length > MAX_NAME_IN_PATH ? `${step.slice(0, MAX_NAME_IN_PATH)}…` : step
  if (path === '') return { ...fault, path: name }
  return { ...fault, path: path.startsWith('[') ? `${name}${path}` : `${name}.${path}` }
}
