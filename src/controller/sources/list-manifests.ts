import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KorProxyError } from '#errors/korproxy-error.ts'

const MANIFEST = /\.(yaml|yml|json)$/
/** A manifest, or by the look of its name a folder of them. */
const MAY_BE_MANIFESTS = /^[^.]*$|\.(yaml|yml|json)$/

export interface ManifestListing {
  /** In the order in which objects win over later ones of the same name. */
  readonly files: readonly string[]
  readonly folders: readonly string[]
  /** Links to what does not exist: a manifest, or a whole folder of them. */
  readonly danglingLinks: readonly string[]
}

interface GrowingListing {
  readonly files: string[]
  readonly folders: string[]
  readonly danglingLinks: string[]
}

/**
 * The manifests of a folder and the folders in it, or a single file. Names that begin with a dot are left out: a mounted ConfigMap keeps its
 * versions there, editors their swap files.
 * @throws KP-CONF-215 when the root, or a folder in it, cannot be read.
 */
export async function listManifests(root: string): Promise<ManifestListing> {
  try {
    if (!(await stat(root)).isDirectory()) return { files: [root], folders: [], danglingLinks: [] }
    const listing: GrowingListing = { files: [], folders: [], danglingLinks: [] }
    await addFolder(root, listing, new Set())
    return listing
  } catch (cause) {
    throw unreadable(root, cause)
  }
}

/** A folder within the root may be the one that cannot be read. */
function unreadable(root: string, cause: unknown): KorProxyError {
  const path = cause instanceof Error && 'path' in cause && typeof cause.path === 'string' ? cause.path : root
  return new KorProxyError('KP-CONF-215', { message: `${path} cannot be read: ${reasonOf(cause)}` }, { cause })
}

async function addFolder(folder: string, listing: GrowingListing, seen: Set<string>): Promise<void> {
  const real = await realpath(folder)
  if (seen.has(real)) return
  seen.add(real)
  listing.folders.push(folder)
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  for (const name of names) {
    const path = join(folder, name)
    const kind = await kindOf(path)
    if (kind === 'folder') await addFolder(path, listing, seen)
    else if (kind === 'danglingLink' && MAY_BE_MANIFESTS.test(name)) listing.danglingLinks.push(path)
    else if (kind === 'file' && MANIFEST.test(name)) listing.files.push(path)
  }
}

/** A name that is gone between listing and looking is nothing. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'danglingLink' | undefined> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return 'folder'
    return found.isFile() ? 'file' : undefined
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    return (await isLink(path)) ? 'danglingLink' : undefined
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch (cause) {
    if (isMissing(cause)) return false
    throw cause
  }
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

/** e.g. `EACCES`: enough to act on, and free of file content. */
export function reasonOf(error: unknown): string {
  return codeOf(error) ?? 'unknown reason'
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
