import { isRecord } from '#resources/finding.ts'

const ENVIRONMENT = /^os\.environ\/(.+)$/

/** Where a value of a LiteLLM configuration comes from. */
export type LitellmValue =
  | { readonly from: 'environment'; readonly variable: string }
  | { readonly from: 'file'; readonly text: string }

export interface ValueSource {
  /** `environment_variables` of the file. */
  readonly declared: Readonly<Record<string, unknown>>
  /** Of the process that imports. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Text, or a reference to the environment, which `environment_variables` of the same file may answer. */
export function readValue(value: unknown, source: ValueSource): LitellmValue | undefined {
  const text = textOf(value)
  if (text === undefined || text === '') return undefined
  const variable = ENVIRONMENT.exec(text)?.[1]
  if (variable === undefined) return { from: 'file', text }
  const declared = textOf(source.declared[variable])
  return declared === undefined ? { from: 'environment', variable } : { from: 'file', text: declared }
}

/** The text itself, as far as it can be known here: fields such as an address must stand in the manifest. */
export function readText(value: unknown, source: ValueSource): string | undefined {
  const read = readValue(value, source)
  return read?.from === 'environment' ? source.environment[read.variable] : read?.text
}

/** A number, also one written as text. */
export function readNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** A whole number from 1 on. */
export function readPositive(value: unknown): number | undefined {
  const number = readNumber(value)
  return number === undefined || number < 1 ? undefined : Math.trunc(number)
}

/** Seconds → `90s` or `1500ms`. */
export function readSeconds(value: unknown): string | undefined {
  const seconds = readNumber(value)
  if (seconds === undefined || seconds <= 0 || seconds > 99_999) return undefined
  return Number.isInteger(seconds) ? `${seconds}s` : `${Math.max(1, Math.round(seconds * 1000))}ms`
}

/** `[{a: [b, c]}, …]` as LiteLLM writes fallbacks. */
export function readModelLists(value: unknown): ReadonlyMap<string, readonly string[]> {
  const entries = (Array.isArray(value) ? value : []).flatMap((entry) => (isRecord(entry) ? Object.entries(entry) : []))
  return new Map(entries.map(([model, others]) => [model, readTexts(others)]))
}

export function readTexts(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).flatMap((entry) => (typeof entry === 'string' ? [entry] : []))
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
