import { z } from 'zod'
import { FAILURE_KINDS } from './failure-kind.ts'

/** Bytes of a script: text as UTF-8, or base64. */
const bytesSchema = z.union([z.string(), z.strictObject({ base64: z.base64() })])

const replySchema = z.strictObject({
  stream: z.boolean().optional(),
  /** Stop after so many content events, with the message left open for the next step. A reply that is not streamed stops in the middle. */
  events: z.int().min(0).optional(),
  /** With `events: 0`: what comes before the first content is sent. */
  start: z.literal(true).optional(),
  chunks: z.int().min(1).max(1_000_000).optional(),
  gapMs: z.number().min(0).optional(),
  text: z.string().optional(),
  content: z.literal('empty').optional(),
  finish: z.enum(['length', 'filter', 'blocked']).optional(),
  /** What a stream leaves out at its end: its terminator, or already its finish reason. */
  omit: z.enum(['terminator', 'finish']).optional(),
  /** The third content event (or the body) is cut, so that it is no JSON. */
  broken: z.literal(true).optional(),
  sse: z
    .enum([
      'cr',
      'crlf',
      'bom',
      'comments',
      'multi-line',
      'long-line',
      'no-last-blank',
      'after-end',
      'unknown-event',
      'no-space',
    ])
    .optional(),
})

const failureSchema = z.strictObject({
  kind: z.enum(FAILURE_KINDS).optional(),
  status: z.int().min(200).max(599).optional(),
  message: z.string().optional(),
  code: z.string().optional(),
  /** Seconds; 0 leaves the hint out. */
  retryAfterS: z.number().min(0).optional(),
})

export const MALFORMATIONS = [
  'status-line',
  'chunk-size',
  'content-length-short',
  'content-length-long',
  'content-length-negative',
  'double-content-length',
  'header-large',
  'header-huge',
  'header-many',
  'gzip-cut',
  'encodings-stacked',
  'informational',
  'switching-protocols',
  'no-content-with-body',
  'not-modified-with-body',
] as const

const stepSchema = z.union([
  /** Starts before the request's body was read. Only as the first step. */
  z.strictObject({ early: z.literal(true) }),
  /** The head, at once. */
  z.strictObject({ status: z.int().min(100).max(999), headers: z.record(z.string(), z.string()).optional() }),
  /** A piece of the body, framed as the head demands. */
  z.strictObject({ write: bytesSchema }),
  /** Bytes on the socket as they are. */
  z.strictObject({ raw: bytesSchema }),
  z.strictObject({ sleep: z.number().min(0) }),
  /** TCP reset. */
  z.strictObject({ reset: z.literal(true) }),
  /** Ends the message as its framing demands. */
  z.strictObject({ end: z.literal(true) }),
  /** FIN now, without ending the message; the other direction stays open. */
  z.strictObject({ halfClose: z.literal(true) }),
  /** FIN after what was written, and the socket is gone. */
  z.strictObject({ close: z.literal(true) }),
  /** Closes the kept-alive connection so many milliseconds after the reply, without having said so. */
  z.strictObject({ closeIdle: z.number().min(0) }),
  /** The normal reply's length is declared, only so many bytes of its body follow, then FIN. */
  z.strictObject({ truncate: z.int().min(0) }),
  z.strictObject({ malformed: z.enum(MALFORMATIONS) }),
  /** Nothing more, with the socket open. */
  z.strictObject({ hang: z.literal(true) }),
  /** From here on every byte is its own write. */
  z.strictObject({ oneByte: z.literal(true) }),
  /** The normal reply of the format, whole or in part. */
  z.strictObject({ reply: replySchema }),
  /** A failure in the provider's own dialect: status, headers, body. */
  z.strictObject({ failure: failureSchema }),
  /** An error within a stream whose status was 200; `form: failed` is Responses' other way to say it. */
  z.strictObject({ errorEvent: failureSchema.extend({ form: z.literal('failed').optional() }) }),
])

const scriptSchema = z.array(stepSchema).min(1).max(1000)

export type Step = z.infer<typeof stepSchema>
export type Script = readonly Step[]
export type ReplyStep = z.infer<typeof replySchema>
export type FailureStep = z.infer<typeof failureSchema>
export type ErrorEventStep = FailureStep & { readonly form?: 'failed' | undefined }
export type Malformation = (typeof MALFORMATIONS)[number]
export type ScriptBytes = z.infer<typeof bytesSchema>

/** Which requests a rule takes. `path` is a part of the path; `model` the requested name or the part before `--`; `key` the whole credential. */
const matchSchema = z.strictObject({
  path: z.string().optional(),
  model: z.string().optional(),
  key: z.string().optional(),
})

export const scriptRuleSchema = z.strictObject({
  match: matchSchema.default({}),
  /** How many requests it takes; without it, all. */
  times: z.int().min(1).optional(),
  /** Steps, one step, or the name of a scenario such as `429` or `cut`. */
  script: z.union([z.string(), scriptSchema, stepSchema]),
})

export type ScriptRule = z.input<typeof scriptRuleSchema>
export type ScriptMatch = z.infer<typeof matchSchema>

/** Steps from JSON; throws `ZodError` for anything else. */
export function parseScript(value: unknown): Script {
  return Array.isArray(value) ? scriptSchema.parse(value) : [stepSchema.parse(value)]
}

export function bytesOf(bytes: ScriptBytes): Uint8Array {
  return typeof bytes === 'string'
    ? new TextEncoder().encode(bytes)
    : Uint8Array.from(Buffer.from(bytes.base64, 'base64'))
}
