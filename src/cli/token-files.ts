import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OAuth2Tokens } from '#providers/oauth2/read-token-reply.ts'

interface SavedTokens {
  readonly credentialVersion: string
  readonly tokens: OAuth2Tokens
}

/** Rotated OAuth tokens of a standalone gateway, one file an account, readable by its owner only. */
export class TokenFiles {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** What was saved last, if it was for this very credential. @throws when the file is there but not readable */
  async load(account: string, credentialVersion: string): Promise<OAuth2Tokens | undefined> {
    let text: string
    try {
      text = await readFile(this.#path(account), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    // Written by `save` of this same class.
    const saved = JSON.parse(text) as SavedTokens
    return saved.credentialVersion === credentialVersion ? saved.tokens : undefined
  }

  /** On disk before it resolves: a rotated refresh token that is lost locks the account out. */
  async save(account: string, credentialVersion: string, tokens: OAuth2Tokens | undefined): Promise<void> {
    if (tokens === undefined) {
      // A newer credential may have saved its own meanwhile.
      if ((await this.load(account, credentialVersion)) !== undefined) await rm(this.#path(account), { force: true })
      return
    }
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const next = `${this.#path(account)}.next`
    await writeFile(next, JSON.stringify({ credentialVersion, tokens }), { mode: 0o600, flush: true })
    await rename(next, this.#path(account))
  }

  #path(account: string): string {
    return join(this.#directory, `${account.replaceAll(/[^a-z0-9.-]/g, '_')}.json`)
  }
}
