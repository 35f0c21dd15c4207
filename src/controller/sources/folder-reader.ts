import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ERRORS } from '#errors/registry.ts'
import type { ObjectReference, Problem, Resource, ResourceSet, Unread } from '#resources/resource.ts'
import { ExternalCredentialReader, type ExternalCredentials } from './external-credentials.ts'
import { isMissing, listManifests, type ManifestListing, reasonOf } from './list-manifests.ts'
import { type ManifestFile, type ManifestObject, parseManifests } from './manifest-file.ts'
import { SecretVersions } from './secret-versions.ts'

const MAX_FILE_BYTES = 16 * 1024 * 1024

/** Everything a folder says, and what is wrong in it. Immutable. */
export interface FolderSet extends ResourceSet {
  readonly problems: readonly Problem[]
  readonly unread: Unread
  /** Whether a GatewayClient may stand in what could not be read. */
  readonly unreadClients: 'none' | 'some'
}

export const EMPTY_SET: FolderSet = {
  resources: [],
  secrets: [],
  externalCredentials: [],
  problems: [],
  unread: { objects: [], credentials: [] },
  unreadClients: 'none',
}

export interface FolderReaderOptions {
  /** Namespace of objects that name none. */
  readonly namespace: string
  /** For `auth.valueFrom.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface Reading {
  /** The same object as before when nothing changed. */
  readonly set: FolderSet
  readonly folders: readonly string[]
  /** A file is empty that was not: somebody may be writing it, so it counts only if the next reading finds it so too. */
  readonly unsettled: boolean
}

const DANGLING = { message: 'cannot be read: it is a link to what does not exist', code: 'KP-CONF-215' } as const

interface FileState {
  readonly hash: string
  readonly objects: readonly ManifestObject[]
  readonly problems: readonly Problem[]
  readonly unsettled: boolean
  /** A file that was read well once stands by its last good form; one that never was may hold a client that nobody knows of. */
  readonly mayHideClient: boolean
}

/** Reads a folder again and again, and remembers the last good form of every object. */
export class FolderReader {
  readonly #root: string
  readonly #options: FolderReaderOptions
  readonly #versions = new SecretVersions()
  readonly #credentials: ExternalCredentialReader
  #files: ReadonlyMap<string, FileState> = new Map()
  #set: FolderSet = EMPTY_SET
  #fingerprint = ''

  constructor(root: string, options: FolderReaderOptions) {
    this.#root = root
    this.#options = options
    this.#credentials = new ExternalCredentialReader(options.environment)
  }

  /** @throws KP-CONF-215 when the root cannot be read; the last set stays in use then. */
  async read(): Promise<Reading> {
    const listing = await listManifests(this.#root)
    this.#files = await this.#readFiles(listing)
    const states = [...this.#files.values()]
    const { objects, duplicates } = firstOfEach(states.flatMap((state) => state.objects))
    const resources = objects.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
    const credentials = await this.#credentials.read(resources)
    const invalid = states.flatMap((state) => state.problems)
    const unreadClients =
      states.some(({ mayHideClient }) => mayHideClient) || invalid.some(({ ref }) => ref.kind === 'GatewayClient')
    const secrets = objects.flatMap(({ secret }) => (secret === undefined ? [] : [this.#versions.versioned(secret)]))
    const fingerprint = fingerprintOf(this.#files, credentials)
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint
      this.#set = {
        resources,
        secrets,
        externalCredentials: credentials.values,
        problems: [...invalid, ...duplicates, ...credentials.problems],
        unread: { objects: invalid.filter(isError).map(({ ref }) => ref), credentials: credentials.missing },
        unreadClients: unreadClients ? 'some' : 'none',
      }
    }
    return {
      set: this.#set,
      folders: [...listing.folders, ...credentials.folders],
      unsettled: states.some(({ unsettled }) => unsettled),
    }
  }

  async #readFiles({ files, danglingLinks }: ManifestListing): Promise<ReadonlyMap<string, FileState>> {
    const states = new Map<string, FileState>()
    for (const link of danglingLinks) states.set(link, unreadable(link, this.#files.get(link), DANGLING))
    for (const file of files) {
      const state = await this.#readFile(file)
      if (state !== undefined) states.set(file, state)
    }
    return states
  }

  async #readFile(file: string): Promise<FileState | undefined> {
    const before = this.#files.get(file)
    const bytes = await readBytes(file)
    if (bytes === undefined) return undefined
    if (!Buffer.isBuffer(bytes))
      return unreadable(file, before, { message: `cannot be read: ${bytes.reason}`, code: 'KP-CONF-215' })
    if (bytes.length > MAX_FILE_BYTES)
      return unreadable(file, before, { message: 'is larger than 16 MiB', code: 'KP-CONF-214' })
    const hash = createHash('sha256').update(bytes).digest('hex')
    if (before?.hash === hash) return before
    if (bytes.length === 0 && before !== undefined && before.objects.length > 0 && !before.unsettled) {
      return { ...before, unsettled: true }
    }
    const text = decode(bytes)
    if (text === undefined) return unreadable(file, before, { message: 'is not UTF-8', code: 'KP-CONF-201' })
    return nextState(hash, parseManifests(text, file, this.#options.namespace), before)
  }
}

/** What a file says now; for what is invalid, what it said when it was last valid. */
function nextState(hash: string, { objects, errors }: ManifestFile, before: FileState | undefined): FileState {
  const good = new Map(before?.objects.map((object) => [keyOf(object.ref), object]))
  const kept = objects.map((object) => (isValid(object) ? object : (good.get(keyOf(object.ref)) ?? object)))
  const lost = before === undefined ? [] : mistaken(before.objects, objects, errors)
  const mayBeClient = errors.length > 0 || objects.some((object) => object.mayBeClient)
  return {
    hash,
    objects: [...kept, ...lost],
    problems: [...errors, ...objects.flatMap(({ problems }) => problems)],
    unsettled: false,
    mayHideClient: mayBeClient && (before?.mayHideClient ?? true),
  }
}

/** What was there before and is missing now, next to something without a name or of that name that is no object: a slip of the pen, not a deletion. */
function mistaken(
  before: readonly ManifestObject[],
  now: readonly ManifestObject[],
  errors: ManifestFile['errors'],
): ManifestObject[] {
  const present = new Set(now.map(({ ref }) => keyOf(ref)))
  const strange = [...now.filter(({ problems }) => problems.some(isError)), ...errors].map(({ ref }) => ref.name)
  return before.filter(
    (object) =>
      isValid(object) && !present.has(keyOf(object.ref)) && (strange.includes('') || strange.includes(object.ref.name)),
  )
}

function isError({ code }: Problem): boolean {
  return ERRORS[code].severity === 'error'
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

async function readBytes(file: string): Promise<Buffer | { readonly reason: string } | undefined> {
  try {
    return await readFile(file)
  } catch (cause) {
    return isMissing(cause) ? undefined : { reason: reasonOf(cause) }
  }
}

function unreadable(
  file: string,
  before: FileState | undefined,
  problem: Pick<Problem, 'message' | 'code'>,
): FileState {
  const ref = { kind: '', namespace: '', name: '' }
  return {
    hash: problem.message,
    objects: before?.objects ?? [],
    problems: [{ ref, path: '', ...problem, position: { file, line: 1, column: 1 } }],
    unsettled: false,
    mayHideClient: before?.mayHideClient ?? true,
  }
}

/** Of objects with the same name the first counts. */
function firstOfEach(all: readonly ManifestObject[]): { objects: ManifestObject[]; duplicates: Problem[] } {
  const first = new Map<string, ManifestObject>()
  const duplicates: Problem[] = []
  for (const object of all.filter(isValid)) {
    const other = first.get(keyOf(object.ref))
    if (other === undefined) first.set(keyOf(object.ref), object)
    else duplicates.push(duplicateOf(object, other))
  }
  return { objects: [...first.values()], duplicates }
}

function duplicateOf(object: ManifestObject, other: ManifestObject): Problem {
  const position = sourceOf(object)?.locate('metadata.name')
  const place = sourceOf(other)?.locate('metadata.name')
  return {
    ref: object.ref,
    path: 'metadata.name',
    message: `${object.ref.kind} ${object.ref.name} is already defined${place === undefined ? '' : ` at ${place.file}:${place.line}`}`,
    code: 'KP-CONF-205',
    ...(position && { position }),
  }
}

function sourceOf({ resource, secret }: ManifestObject): Resource['source'] {
  return resource?.source ?? secret?.source
}

function isValid({ resource, secret }: ManifestObject): boolean {
  return resource !== undefined || secret !== undefined
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`
}

function fingerprintOf(
  files: ReadonlyMap<string, FileState>,
  { values, problems, missing }: ExternalCredentials,
): string {
  return JSON.stringify([
    [...files].map(([file, { hash }]) => [file, hash]),
    values.map(({ namespace, account, resourceVersion }) => [namespace, account, resourceVersion]),
    [...problems.map(({ message }) => message), ...missing.map(({ reason }) => reason)],
  ])
}
