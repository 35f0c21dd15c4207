import { type Document, LineCounter, parseAllDocuments, type YAMLParseError } from 'yaml'
import { parseFieldPath } from '#resources/field-path.ts'
import { isRecord } from '#resources/finding.ts'
import type { Position, YamlContent, YamlFinding, YamlObject } from './yaml-content.ts'
import { type Offsets, type ValueFinding, yamlValue } from './yaml-value.ts'

/** Everything between two of these lines is one document, whatever is wrong in it; a directive belongs to what follows. */
const DOCUMENT_START = /(?<!^%[^\n]*\n)^---(?=[ \t\r\n]|$)/gm

/** Reads all that YAML knows, with the position of every field; costly in time and memory. A broken document spoils no other. */
export function readFullYaml(content: string): YamlContent {
  const lines = linesOf(content)
  const whole = readPart(content, (offset) => positionAt(lines, offset))
  if (whole.errors.length === 0) return whole
  // An open quote swallows all that comes behind it; read by itself, a document ends where the next one begins.
  const parts = documentStarts(content).map((start, at, starts) =>
    readPart(content.slice(start, starts[at + 1]), (offset) => positionAt(lines, start + offset)),
  )
  return { objects: parts.flatMap(({ objects }) => objects), errors: parts.flatMap(({ errors }) => errors) }
}

function documentStarts(content: string): readonly number[] {
  const marked = Array.from(content.matchAll(DOCUMENT_START), ({ index }) => index)
  return marked[0] === 0 ? marked : [0, ...marked]
}

type PositionOf = (offset: number) => Position

/** All objects of a part of the text, or all that is wrong with it. */
function readPart(text: string, positionOf: PositionOf): YamlContent {
  const documents = parseDocuments(text)
  if (documents === 'TooDeep') {
    return { objects: [], errors: [syntaxError('is nested too deep', positionOf(0))] }
  }
  const syntaxErrors = documents.flatMap((document) =>
    firstOfEachPlace(document.errors).map((error) => syntaxError(withoutContent(error), positionOf(error.pos[0]))),
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

/** What the parser says further of the same place follows from the first. */
function firstOfEachPlace(errors: readonly YAMLParseError[]): readonly YAMLParseError[] {
  return errors.filter(({ pos: [at] }, index) => errors.findIndex(({ pos: [other] }) => other === at) === index)
}

function parseDocuments(content: string): readonly Document.Parsed[] | 'TooDeep' {
  try {
    const documents = parseAllDocuments(content, {
      schema: 'failsafe',
      // Found by `yamlValue`, which knows that `on` and `yes` are one key for kubectl.
      uniqueKeys: false,
      version: '1.2',
      prettyErrors: false,
      logLevel: 'silent',
    })
    return Array.isArray(documents) ? documents : []
  } catch (cause) {
    // The parser recurses; its stack is the only thing that ends here on hostile nesting.
    if (cause instanceof RangeError) return 'TooDeep'
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

function toYamlObject({ value, offsets, findings }: FoundObject, positionOf: PositionOf): YamlObject {
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

function located({ code, message, path, offset }: ValueFinding, positionOf: PositionOf): YamlFinding {
  return { code, message, path, ...positionOf(offset) }
}

function syntaxError(message: string, position: Position): YamlFinding {
  return { code: 'KP-CONF-201', message, path: '', ...position }
}

function linesOf(content: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let end = content.indexOf('\n'); end !== -1; end = content.indexOf('\n', end + 1)) lines.addNewLine(end + 1)
  return lines
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}
