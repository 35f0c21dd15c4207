import { OpenCalls } from '../ir/open-calls.ts'
import type { GeminiContent, GeminiPart } from './request-schema.ts'

/** Ids of the calls and responses of a conversation, by place of content and part. */
export interface CallIds {
  ofCall(at: number, index: number): string
  ofResponse(at: number, index: number): string
}

interface OpenCall {
  readonly id: string
}

/**
 * Pairs function calls with their responses. Most Gemini clients give no ids: those are made from the place of the call, so that
 * the same history always gets the same ids; a response belongs to the first open call of its id, else of its name, else to the
 * first open one.
 */
export function callIds(contents: readonly GeminiContent[]): CallIds {
  const ids = new Map<string, string>()
  const open = new OpenCalls<OpenCall>()
  let previous: GeminiContent['role']
  for (const [at, content] of contents.entries()) {
    // What was left open in an earlier turn stays unanswered.
    if (content.role === 'model' && previous !== 'model') open.clear()
    previous = content.role
    for (const [index, part] of (content.parts ?? []).entries()) {
      const minted = mintedId(at, index)
      ids.set(minted, openCall(open, part, minted) ?? closeCall(open, part) ?? minted)
    }
  }
  const lookup = (at: number, index: number): string => ids.get(mintedId(at, index)) ?? mintedId(at, index)
  return { ofCall: lookup, ofResponse: lookup }
}

function mintedId(at: number, index: number): string {
  return `call_t${at}_p${index}`
}

function openCall(open: OpenCalls<OpenCall>, { functionCall }: GeminiPart, minted: string): string | undefined {
  if (functionCall === undefined) return undefined
  const given = functionCall.id || undefined
  const { name } = functionCall
  const unnumbered = given === undefined ? [`free name ${name}`, 'free'] : [`id ${given}`]
  open.add({ id: given ?? minted }, [...unnumbered, `name ${name}`])
  return given ?? minted
}

function closeCall(open: OpenCalls<OpenCall>, { functionResponse }: GeminiPart): string | undefined {
  if (functionResponse === undefined) return undefined
  const id = functionResponse.id || undefined
  const { name } = functionResponse
  const keys = id === undefined ? [`name ${name}`, 'free'] : [`id ${id}`, `free name ${name}`]
  return open.take(keys)?.id ?? id
}
