import type { Dialect, Operation } from './operation.ts'

/** How the normal reply departs from the default. Every member may come from a script, the model's name, the key or the query. */
export interface ReplyTuning {
  /** Overrides what the request asked for. */
  readonly stream?: boolean | undefined
  /** Pieces of text; a longer answer is filled up with counted words. */
  readonly chunks?: number | undefined
  /** Pause between two events of a stream, milliseconds. */
  readonly gapMs?: number | undefined
  /** The answer's text instead of the recognisable one. */
  readonly text?: string | undefined
  /** `empty`: a successful reply without any content. */
  readonly content?: 'empty' | undefined
  readonly finish?: 'length' | 'filter' | 'blocked' | undefined
}

/** What every reply and every error is written from. */
export interface CallContext {
  readonly dialect: Dialect
  readonly operation: Operation
  /** Label in the texts: `openai`, `anthropic`, …, or the first path segment of a base URL such as `/groq/v1`. */
  readonly provider: string
  /** As requested, tokens after `--` included: replies repeat it. */
  readonly model: string
  /** Without the tokens: checks and texts use it. */
  readonly modelName: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly nowMs: number
  readonly tuning: ReplyTuning
  /** Counted, so that two runs with the same requests give the same bytes. */
  readonly mintId: (prefix: string) => string
}

/** A provider's refusal of a request, in neutral words; the dialect is put on by `renderFailure`. */
export interface Refusal {
  readonly message: string
  readonly param?: string
  readonly code?: string
  readonly kind?: 'bad_request' | 'not_found'
}

/** Fixed token counts of every reply, in the words of OpenAI: `cached` is part of `input`, `reasoning` of `output`. */
export const TOKENS = { input: 11, output: 7, cached: 3, reasoning: 2 } as const

/** The first thing wrong, as a provider reports it. */
export function firstRefusal(...checks: readonly (() => Refusal | undefined)[]): Refusal | undefined {
  for (const check of checks) {
    const refusal = check()
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** The first refusal of any element. */
export function refusalOfEach<Item>(
  items: readonly Item[],
  check: (item: Item, index: number) => Refusal | undefined,
): Refusal | undefined {
  for (const [index, item] of items.entries()) {
    const refusal = check(item, index)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
