import { formatFieldPath } from '#resources/field-path.ts'
import { API_VERSION } from '#resources/kind-definition.ts'
import type { Kind } from '#resources/kinds.ts'

/** An object that an import made, as it will stand in a manifest. */
export interface ImportedObject {
  readonly apiVersion: string
  readonly kind: Kind | 'Secret'
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly stringData?: Readonly<Record<string, string>>
}

/** A part of the imported file that has no counterpart, or that somebody must complete. */
export interface ImportNote {
  /** Field of the imported file, e.g. `profiles[1].color`. */
  readonly path: string
  readonly message: string
}

export interface ImportResult {
  readonly objects: readonly ImportedObject[]
  readonly notes: readonly ImportNote[]
}

export class ImportNotes {
  readonly all: ImportNote[] = []

  add(path: readonly PropertyKey[], message: string): void {
    this.all.push({ path: formatFieldPath(path), message })
  }

  /** One note for each field that is not known. */
  unknownFields(
    object: Readonly<Record<string, unknown>>,
    known: readonly string[],
    path: readonly PropertyKey[],
  ): void {
    for (const name of Object.keys(object)) {
      if (!known.includes(name)) this.add([...path, name], 'has no counterpart and was left out')
    }
  }
}

/** Which object of the imported file this was. */
export const IMPORTED_ID = 'korproxy.dev/imported-id'
/** What somebody must add to an imported object. */
export const IMPORT_MISSING = 'korproxy.dev/import-missing'

export function resourceObject(
  kind: Kind,
  name: string,
  spec: Readonly<Record<string, unknown>>,
  annotations: Readonly<Record<string, string>> = {},
): ImportedObject {
  const metadata = Object.keys(annotations).length === 0 ? { name } : { name, annotations }
  return { apiVersion: API_VERSION, kind, metadata, spec }
}

export function secretObject(name: string, stringData: Readonly<Record<string, string>>): ImportedObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData }
}
