import type { Sampling } from '../ir/chat-request.ts'
import type { ChatBody } from './request-schema.ts'

type SamplingFields = Partial<
  Pick<
    ChatBody,
    | 'temperature'
    | 'top_p'
    | 'top_k'
    | 'seed'
    | 'presence_penalty'
    | 'frequency_penalty'
    | 'stop'
    | 'n'
    | 'logprobs'
    | 'top_logprobs'
    | 'logit_bias'
  >
>

/** The fields that chat and completions share. */
export function decodeSampling(chat: SamplingFields): Sampling {
  const stop = typeof chat.stop === 'string' ? [chat.stop] : chat.stop
  return {
    ...(chat.temperature != null && { temperature: chat.temperature }),
    ...(chat.top_p != null && { topP: chat.top_p }),
    ...(chat.top_k != null && { topK: chat.top_k }),
    ...(chat.seed != null && { seed: chat.seed }),
    ...(chat.presence_penalty != null && { presencePenalty: chat.presence_penalty }),
    ...(chat.frequency_penalty != null && { frequencyPenalty: chat.frequency_penalty }),
    ...(stop != null && stop.length > 0 && { stop }),
    ...(chat.n != null && { n: chat.n }),
    ...(chat.logprobs != null && { logprobs: chat.logprobs }),
    ...(chat.top_logprobs != null && { topLogprobs: chat.top_logprobs }),
    ...(chat.logit_bias != null && { logitBias: chat.logit_bias }),
  }
}
