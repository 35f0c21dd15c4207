import type { z } from 'zod'
import { locateJsonError } from '#controller/sources/json-error.ts'
import { readYaml } from '#controller/sources/read-yaml.ts'
import type { YamlObject } from '#controller/sources/yaml-content.ts'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { formatFieldPath } from '#resources/field-path.ts'
import { isRecord } from '#resources/finding.ts'
import { parseResource } from '#resources/parse-resource.ts'
import { importDesktop } from './desktop.ts'
import { desktopSchema } from './desktop-schema.ts'
import type { ImportedObject, ImportNote, ImportResult } from './import-result.ts'
import { importLitellm, type LitellmOptions } from './litellm.ts'
import { litellmSchema } from './litellm-schema.ts'

export type ImportFormat = 'desktop' | 'litellm'

export interface ImportOptions extends LitellmOptions {
  /** Absent: as the content looks. */
  readonly from?: ImportFormat
  /** Names of ProviderAccounts that exist already. */
  readonly knownAccounts: ReadonlySet<string>
}

/** Editors on Windows begin a file with it. */
const BYTE_ORDER_MARK = /^\uFEFF/

interface LocatedNote extends ImportNote {
  readonly line: number
  readonly column: number
}

export interface ImportedConfiguration {
  readonly from: ImportFormat
  /** All of them valid. */
  readonly objects: readonly ImportedObject[]
  readonly notes: readonly LocatedNote[]
}

/** Manifests from the configuration of another program. @throws KorProxyError KP-CONF-216 with file, line and column */
export function importConfiguration(text: string, file: string, options: ImportOptions): ImportedConfiguration {
  const content = readContent(text, file)
  const from = options.from ?? guessFormat(content.value)
  if (from === undefined) {
    throw fault(
      file,
      { line: 1, column: 1 },
      'is neither a config.json of the desktop program nor a config.yaml of LiteLLM; --from says which',
    )
  }
  const { objects, notes } = convert(from, content, file, options)
  const checked = objects.map(checkObject)
  const located = [...notes, ...checked.flatMap(({ notes: found }) => found)].map((note) => ({
    ...note,
    ...content.locate(note.path),
  }))
  const sorted = located.toSorted((left, right) => left.line - right.line || left.column - right.column)
  return { from, objects: checked.flatMap(({ object }) => object ?? []), notes: sorted }
}

function readContent(marked: string, file: string): YamlObject {
  const text = marked.replace(BYTE_ORDER_MARK, '')
  const isJson = file.endsWith('.json') || /^\s*[{[]/.test(text)
  const jsonError = isJson ? locateJsonError(text) : undefined
  if (jsonError !== undefined) throw fault(file, jsonError, 'is not valid JSON')
  const { objects, errors } = readYaml(text, 'YAML')
  const [error] = errors
  if (error !== undefined) throw fault(file, error, `is not valid YAML: ${error.message}`)
  const [content] = objects
  if (content === undefined || objects.length > 1 || !isRecord(content.value)) {
    throw fault(file, { line: 1, column: 1 }, 'is not one configuration')
  }
  return content
}

function guessFormat(value: unknown): ImportFormat | undefined {
  if (!isRecord(value)) return undefined
  if ('model_list' in value || 'litellm_settings' in value || 'router_settings' in value) return 'litellm'
  return 'profiles' in value || 'providerGroups' in value ? 'desktop' : undefined
}

function convert(from: ImportFormat, content: YamlObject, file: string, options: ImportOptions): ImportResult {
  switch (from) {
    case 'desktop':
      return importDesktop(parseShape(desktopSchema, content, file), options.knownAccounts)
    case 'litellm':
      return importLitellm(parseShape(litellmSchema, content, file), options)
  }
}

function parseShape<Schema extends z.ZodType>(
  schema: Schema,
  { value, locate }: YamlObject,
  file: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = formatFieldPath(issue?.path ?? [])
  throw fault(file, locate(path), `${path}: ${issue?.message ?? 'is not valid'}`)
}

/** What cannot be is told, and never written. */
function checkObject(object: ImportedObject): {
  readonly object?: ImportedObject
  readonly notes: readonly ImportNote[]
} {
  if (object.kind === 'Secret') return { object, notes: [] }
  const parsed = parseResource(object, { namespace: 'default' })
  if ('resource' in parsed) return { object, notes: [] }
  const faults = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ')
  return { notes: [{ path: '', message: `${object.kind} ${object.metadata.name} was left out: ${faults}` }] }
}

function fault(file: string, { line, column }: { line: number; column: number }, message: string): KorProxyError {
  return new KorProxyError('KP-CONF-216', { message: `${file}:${line}:${column} ${message}` })
}
