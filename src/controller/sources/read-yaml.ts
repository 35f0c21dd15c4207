import { type Document, LineCounter, parseAllDocuments, type YAMLParseError } from 'yaml'
import type { ErrorCode } from '#errors/registry.ts'
import { parseFieldPath } from '#resources/field-path.ts'
import { isRecord } from '#resources/finding.ts'
import { type Offsets, type ValueFinding, yamlValue } from './yaml-value.ts'

/** Lines and columns count from 1. */
interface Position {
  readonly line: number
  readonly column: number
}
export interface YamlFinding extends Position {
  readonly code: ErrorCode
  readonly message: string
  /** Field within the object; empty for the whole file. */
  readonly path: string
}
export interface YamlObject {
  readonly value: unknown
  /** Values that kubectl reads in another way than most tools. */
  readonly warnings: readonly YamlFinding[]
  /** Position of a field such as `spec.rules[2].name`, or of the closest thing around it that exists. */
  readonly locate: (path: string) => Position
}
export interface YamlContent {
  readonly objects: readonly YamlObject[]
  /** Not empty: the text as a whole is not to be trusted, and there are no objects. */
  readonly errors: readonly YamlFinding[]
}

/** Reads all objects of a text as kubectl does: several documents, lists of objects, JSON. Error messages quote no values. */
export function readYaml(text: string, syntax: 'YAML' | 'JSON'): YamlContent {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text
  if (syntax === 'JSON') {
    const error = jsonError(content)
    if (error !== undefined) return { objects: [], errors: [error] }
  }
  const lines = new LineCounter()
  const documents = parseDocuments(content, lines)
  if ('error' in documents) return { objects: [], errors: [documents.error] }
  const positionOf = (offset: number) => positionAt(lines, offset)
  const syntaxErrors = documents.flatMap((document) =>
    document.errors.map((error) => finding('KP-CONF-201', withoutContent(error), positionOf(error.pos[0]))),
  )
  if (syntaxErrors.length > 0) return { objects: [], errors: syntaxErrors }
  const values = documents.flatMap(({ contents }) => (contents === null ? [] : [yamlValue(contents)]))
  const errors = values
    .flatMap(({ findings }) => findings)
    .filter(({ code }) => code !== 'KP-CONF-211')
    .map((error) => located(error, positionOf))
  if (errors.length > 0) return { objects: [], errors }
  const objects = values.flatMap(({ value, offsets, findings }) =>
    objectsOf(value, offsets, findings).map((object) => toYamlObject(object, positionOf)),
  )
  return { objects, errors: [] }
}

type Documents = readonly Document.Parsed[]

function parseDocuments(content: string, lines: LineCounter): Documents | { error: YamlFinding } {
  try {
    const documents = parseAllDocuments(content, {
      schema: 'failsafe',
      // Found by `yamlValue`, which knows that `on` and `yes` are one key for kubectl.
      uniqueKeys: false,
      version: '1.2',
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    })
    return Array.isArray(documents) ? documents : []
  } catch (cause) {
    // The parser recurses; its stack is the only thing that ends here on hostile nesting.
    if (cause instanceof RangeError)
      return { error: finding('KP-CONF-201', 'is nested too deep', { line: 1, column: 1 }) }
    throw cause
  }
}

/** The parser puts a piece of the text, which may be a secret, after a colon of these messages. */
function withoutContent({ code, message }: YAMLParseError): string {
  if (code === 'BAD_DQ_ESCAPE') return 'Invalid escape sequence'
  return code === 'UNEXPECTED_TOKEN' ? message.replace(/: .*/s, '') : message
}

/** V8 quotes the text around an error, which may be a secret; only the position is taken from it. */
function jsonError(content: string): YamlFinding | undefined {
  try {
    JSON.parse(content)
    return undefined
  } catch (cause) {
    const [, offset = '0'] = /position (\d+)/.exec(String(cause)) ?? []
    const before = content.slice(0, Number(offset)).split('\n')
    return finding('KP-CONF-201', 'is not valid JSON', {
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
    })
  }
}

interface FoundObject {
  readonly value: unknown
  readonly offsets: Offsets
  readonly findings: readonly ValueFinding[]
}

/** `kubectl get -o yaml` writes several objects as one List. */
function objectsOf(value: unknown, offsets: Offsets, findings: readonly ValueFinding[]): FoundObject[] {
  if (value === null) return []
  if (
    !isRecord(value) ||
    typeof value['kind'] !== 'string' ||
    !value['kind'].endsWith('List') ||
    !Array.isArray(value['items'])
  ) {
    return [{ value, offsets, findings }]
  }
  const items = offsets.fields.get('items')
  return value['items'].map((item: unknown, index) => {
    const prefix = `items[${index}].`
    return {
      value: item,
      offsets: items?.items[index] ?? offsets,
      findings: findings
        .filter(({ path }) => path.startsWith(prefix))
        .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) })),
    }
  })
}

function toYamlObject({ value, offsets, findings }: FoundObject, positionOf: (offset: number) => Position): YamlObject {
  return {
    value,
    warnings: findings.map((warning) => located(warning, positionOf)),
    locate: (path) => positionOf(offsetOfField(offsets, path)),
  }
}

function offsetOfField(root: Offsets, path: string): number {
  let found = root
  for (const segment of parseFieldPath(path)) {
    const next = typeof segment === 'number' ? found.items[segment] : found.fields.get(segment)
    if (next === undefined) break
    found = next
  }
  return found.offset
}

function located({ code, message, path, offset }: ValueFinding, positionOf: (offset: number) => Position): YamlFinding {
  return { code, message, path, ...positionOf(offset) }
}

function finding(code: ErrorCode, message: string, position: Position): YamlFinding {
  return { code, message, path: '', ...position }
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}
