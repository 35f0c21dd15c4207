import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFolder } from '#controller/sources/folder.ts'
import { reasonOf } from '#controller/sources/list-manifests.ts'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ErrorCode } from '#errors/registry.ts'
import type { ResourceSet } from '#resources/resource.ts'
import { type ImportFormat, importConfiguration } from './import/import-configuration.ts'
import type { ImportedObject } from './import/import-result.ts'
import type { KeyPlace } from './import/litellm-accounts.ts'

export interface ImportIntoOptions {
  readonly from?: ImportFormat
  /** Absent: nothing is read and nothing will be written. */
  readonly folder?: string
  readonly namespace: string
  readonly keys: KeyPlace
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface ImportPlan {
  /** Objects that the folder has already. */
  readonly present: number
  readonly objects: readonly ImportedObject[]
  /** `file:line:column KP-CONF-217 field: message` */
  readonly notes: readonly string[]
  /** File that `write` makes; absent without a folder. */
  readonly path?: string
  /** Readable by its owner only: it may hold Secrets. */
  write(text: string): void
}

const INCOMPLETE: ErrorCode = 'KP-CONF-217'

/** Reads the file and decides what is to be written where; writes nothing. @throws KorProxyError KP-CONF-215, KP-CONF-216 */
export async function importInto(file: string, options: ImportIntoOptions): Promise<ImportPlan> {
  const present = await readExisting(options)
  const accounts = present.resources.filter(({ kind }) => kind === 'ProviderAccount')
  const { objects, notes } = importConfiguration(readSource(file), file, {
    ...(options.from === undefined ? {} : { from: options.from }),
    environment: options.environment,
    keys: options.keys,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    knownAccounts: new Set(accounts.map(({ metadata }) => metadata.name)),
  })
  const taken = new Set([
    ...present.resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ...present.secrets.map(({ name }) => `Secret ${name}`),
  ])
  const kept = objects.filter(({ kind, metadata }) => taken.has(`${kind} ${metadata.name}`))
  const told = notes.map(
    ({ line, column, path, message }) =>
      `${file}:${line}:${column} ${INCOMPLETE} ${path === '' ? '' : `${path}: `}${message}`,
  )
  const keptNotes = kept.map(
    ({ kind, metadata }) => `${file} ${INCOMPLETE} ${kind} ${metadata.name} exists already and stays as it is`,
  )
  const target = options.folder === undefined ? undefined : freePath(options.folder)
  return {
    present: taken.size,
    objects: objects.filter((object) => !kept.includes(object)),
    notes: [...told, ...keptNotes],
    ...(target === undefined ? {} : { path: target }),
    write: (text) => writeInto(options.folder ?? '.', target ?? '', text),
  }
}

async function readExisting({ folder, namespace, environment }: ImportIntoOptions): Promise<ResourceSet> {
  if (folder === undefined || !existsSync(folder)) return { resources: [], secrets: [], externalCredentials: [] }
  return readFolder(folder, { namespace, environment })
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(file: string, cause: unknown): KorProxyError {
  return new KorProxyError('KP-CONF-215', { message: `${file} cannot be read: ${reasonOf(cause)}` }, { cause })
}

/** An earlier import is never overwritten. */
function freePath(folder: string): string {
  for (let count = 1; ; count += 1) {
    const path = join(folder, count === 1 ? 'imported.yaml' : `imported-${count}.yaml`)
    if (!existsSync(path)) return path
  }
}

function writeInto(folder: string, path: string, text: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
}
