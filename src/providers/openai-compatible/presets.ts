import type { TargetQuirks } from '#formats/format.ts'
import type { FailureDialect } from '../classify-failure.ts'

/** What differs between servers that speak OpenAI's chat format. */
export interface Preset {
  readonly telemetryName: string
  /** Absent: the account must give its own. */
  readonly baseUrl?: string
  /** Where servers of this kind have their API, for a base URL that names only the host. */
  readonly apiPath?: string
  readonly quirks?: Omit<TargetQuirks, 'onUnsupported'>
  readonly embeddings?: 'None'
  readonly completions?: 'None'
  readonly failures?: Omit<FailureDialect, 'readError'>
}

/**
 * Each model is counted by itself, and tokens a minute are told in OpenAI's words for a spent quota.
 * @see https://www.alibabacloud.com/help/en/model-studio/rate-limiting-best-practices
 */
const QWEN_FAILURES: Preset['failures'] = {
  rateLimitCode: /insufficient_quota|throttling|limit_requests/i,
  rateLimitScope: 'model',
}

/** By the name in `spec.preset`. Base URLs as the vendors document them in November 2026. */
export const PRESETS: Readonly<Record<string, Preset>> = {
  Qwen: {
    telemetryName: 'qwen',
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
    quirks: { replayReasoning: true },
    failures: QWEN_FAILURES,
  },
  QwenInternational: {
    telemetryName: 'qwen',
    baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    quirks: { replayReasoning: true },
    failures: QWEN_FAILURES,
  },
  IFlow: { telemetryName: 'iflow', baseUrl: 'https://apis.iflow.cn/v1', quirks: { replayReasoning: true } },
  Groq: { telemetryName: 'groq', baseUrl: 'https://api.groq.com/openai/v1', completions: 'None', embeddings: 'None' },
  Mistral: {
    telemetryName: 'mistral_ai',
    baseUrl: 'https://api.mistral.ai/v1',
    // The stream carries usage unasked and `stream_options` is refused.
    quirks: { streamUsage: false },
    completions: 'None',
  },
  DeepSeek: {
    telemetryName: 'deepseek',
    baseUrl: 'https://api.deepseek.com/v1',
    quirks: { replayReasoning: true },
    embeddings: 'None',
  },
  XAI: { telemetryName: 'x_ai', baseUrl: 'https://api.x.ai/v1' },
  Together: { telemetryName: 'together', baseUrl: 'https://api.together.xyz/v1' },
  Fireworks: { telemetryName: 'fireworks', baseUrl: 'https://api.fireworks.ai/inference/v1' },
  Cerebras: { telemetryName: 'cerebras', baseUrl: 'https://api.cerebras.ai/v1', embeddings: 'None' },
  Nvidia: { telemetryName: 'nvidia', baseUrl: 'https://integrate.api.nvidia.com/v1' },
  Moonshot: {
    telemetryName: 'moonshot',
    baseUrl: 'https://api.moonshot.ai/v1',
    quirks: { replayReasoning: true },
    embeddings: 'None',
  },
  Zhipu: {
    telemetryName: 'zhipu',
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    quirks: { replayReasoning: true },
    // Balance, calls of the day, allowance or end of a plan. @see https://docs.bigmodel.cn/cn/api/api-code
    failures: { quota: /^(?:1113|1304|1308|1309|1310)\b|insufficient balance/i },
  },
  VLLM: { telemetryName: 'vllm', apiPath: '/v1' },
  SGLang: { telemetryName: 'sglang', apiPath: '/v1' },
  LMStudio: { telemetryName: 'lmstudio', baseUrl: 'http://localhost:1234/v1' },
  LlamaCpp: { telemetryName: 'llamacpp', baseUrl: 'http://localhost:8080/v1' },
  LiteLLM: { telemetryName: 'litellm', apiPath: '/v1' },
}
