import { type Document, LineCounter, parseAllDocuments, type YAMLParseError } from 'yaml'
import { parseFieldPath } from '#resources/field-path.ts'
import { isRecord } from '#resources/finding.ts'
import type { Position, YamlContent, YamlFinding, YamlObject } from './yaml-content.ts'
import { type Offsets, type ValueFinding, yamlValue } from './yaml-value.ts'

/** Reads all that YAML knows, with the position of every field; costly in time and memory. */
export function readFullYaml(content: string): YamlContent {
  const lines = new LineCounter()
  const documents = parseDocuments(content, lines)
  if ('error' in documents) return { objects: [], errors: [documents.error] }
  const positionOf = (offset: number) => positionAt(lines, offset)
  const syntaxErrors = documents.flatMap((document) =>
    document.errors.map((error) => syntaxError(withoutContent(error), positionOf(error.pos[0]))),
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
    if (cause instanceof RangeError) return { error: syntaxError('is nested too deep', { line: 1, column: 1 }) }
    throw cause
  }
}

/** The parser puts a piece of the text, which may be a secret, after a colon of these messages. */
function withoutContent({ code, message }: YAMLParseError): string {
  if (code === 'BAD_DQ_ESCAPE') return 'Invalid escape sequence'
  return code === 'UNEXPECTED_TOKEN' ? message.replace(/: .*/s, '') : message
}

interface FoundObject {
  readonly value: unknown
  readonly offsets: Offsets
  readonly findings: readonly ValueFinding[]
}

function objectsOf(value: unknown, offsets: Offsets, findings: readonly ValueFinding[]): FoundObject[] {
  if (value === null) return []
  const found = itemsOf(value)
  if (found === undefined) return [{ value, offsets, findings }]
  const items = offsets.fields.get('items')
  return found.map((item, index) => {
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

/** The objects of a List, as which `kubectl get -o yaml` writes several of them; undefined when it is no List. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (!isRecord(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List')) return undefined
  return Array.isArray(value['items']) ? value['items'] : undefined
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

function syntaxError(message: string, position: Position): YamlFinding {
  return { code: 'KP-CONF-201', message, path: '', ...position }
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}
