import { z } from 'zod'
import { KorProxyError } from '#errors/korproxy-error.ts'
import type { ChatRequest, JsonObject } from '../ir/chat-request.ts'
import { jsonObject } from '../ir/json-fields.ts'
import { parseRequestBody } from '../ir/parse-with.ts'
import { decodeSampling } from '../openai-chat/decode-sampling.ts'

/** @see https://platform.openai.com/docs/api-reference/completions/create */
const schema = z.object({
  model: z.string(),
  prompt: z.union([z.string(), z.array(z.string()), z.array(z.number()), z.array(z.array(z.number()))]),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  n: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  seed: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  logit_bias: jsonObject.nullish(),
  user: z.string().nullish(),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  best_of: z.number().nullish(),
  logprobs: z.number().nullish(),
})
type CompletionBody = z.output<typeof schema>

/** A prompt becomes one user turn. Only called to translate: same-format requests pass through whole. @throws KorProxyError KP-SYS-516, KP-PROV-112 */
export function decodeCompletionRequest(body: JsonObject): ChatRequest {
  const completion = parseRequestBody(schema, body)
  refuseUntranslatable(completion)
  return {
    model: completion.model,
    stream: completion.stream ?? false,
    includeUsage: completion.stream_options?.include_usage ?? false,
    system: [],
    turns: [{ role: 'user', parts: [{ type: 'text', text: readPrompt(completion) }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    // `logprobs` is another field in chat; here it was refused.
    sampling: decodeSampling({ ...completion, logprobs: undefined }),
    maxOutputTokens: completion.max_tokens ?? undefined,
    responseFormat: undefined,
    reasoning: undefined,
    user: completion.user ?? undefined,
    serviceTier: undefined,
    promptCacheKey: undefined,
    dropped: Object.keys(body).filter((key) => body[key] !== null && !Object.hasOwn(schema.shape, key)),
  }
}

/** Each would change what the answer is, and no chat format has a word for it. */
function refuseUntranslatable(completion: CompletionBody): void {
  if (completion.suffix) throw untranslatable(completion, 'suffix')
  if (completion.echo === true) throw untranslatable(completion, 'echo')
  if (completion.best_of != null && completion.best_of > 1) throw untranslatable(completion, 'best_of')
  if (completion.logprobs != null) throw untranslatable(completion, 'logprobs')
}

function readPrompt(completion: CompletionBody): string {
  const { prompt } = completion
  if (typeof prompt === 'string') return prompt
  const [only, ...others] = prompt
  if (typeof only === 'string' && others.length === 0) return only
  throw untranslatable(completion, typeof only === 'string' ? 'several prompts' : 'a prompt of token ids')
}

function untranslatable({ model }: CompletionBody, parameter: string): KorProxyError {
  const reason = 'it exists only in the OpenAI completions format, and the provider speaks another'
  return new KorProxyError('KP-PROV-112', { parameter, target: model, reason })
}
