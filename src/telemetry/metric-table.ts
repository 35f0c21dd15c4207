/** Every metric and label that KorProxy exports, as data: what is counted, rendered and documented is read from here. */

export type MetricType = 'counter' | 'gauge' | 'histogram'

export interface MetricDefinition {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly labels: readonly LabelName[]
  /** Upper bounds of a histogram, ascending, without +Inf. */
  readonly buckets?: readonly number[]
  /** Fewer series than the usual limit. */
  readonly maxSeries?: number
}

interface LabelDefinition {
  readonly help: string
  /** Values come from configuration or from providers; where there are too many of them they become `other`. */
  readonly bound: 'Fixed' | 'Free'
}

export const LABELS = {
  tenant: { bound: 'Free', help: 'Namespace of the client.' },
  profile: { bound: 'Free', help: 'RoutingProfile that routed the request; empty when none did.' },
  provider: { bound: 'Fixed', help: '`gen_ai.provider.name` of the last account tried, e.g. `openai`, `gcp.gemini`.' },
  account: { bound: 'Free', help: 'ProviderAccount; of a request the last one tried.' },
  model: {
    bound: 'Free',
    help: 'Model that answered, as the catalogue or the configuration names it; `other` when neither does.',
  },
  type: { bound: 'Fixed', help: '`chat`, `completion`, `embedding` or `other`.' },
  status: { bound: 'Fixed', help: 'HTTP status towards the client; 499 = the client left first.' },
  code: { bound: 'Fixed', help: 'KP code of the error.' },
  kind: {
    bound: 'Fixed',
    help: 'Of errors the kind of the code, e.g. `rate_limited`; of tokens `input`, `cached_input`, `cache_write`, `output`, `reasoning`.',
  },
  estimated: { bound: 'Fixed', help: '`true` where the provider gave no count and the gateway estimated.' },
  outcome: { bound: 'Fixed', help: 'What an attempt came to, e.g. `ok`, `rate-limited`, `server-error`.' },
  param: { bound: 'Free', help: 'Parameter that the target format cannot express, or does not know.' },
  state: { bound: 'Fixed', help: '`available`, `rate_limited`, `erroring` or `disabled`.' },
  version: { bound: 'Fixed', help: 'Version of the routing table.' },
  gen_ai_operation_name: { bound: 'Fixed', help: '`chat`, `text_completion`, `embeddings` or `other`.' },
  gen_ai_provider_name: { bound: 'Fixed', help: 'As `provider`.' },
  gen_ai_request_model: {
    bound: 'Free',
    help: 'Model that the client asked for; `other` when neither catalogue nor configuration names it.',
  },
  gen_ai_response_model: { bound: 'Free', help: 'As `model`.' },
  gen_ai_token_type: { bound: 'Fixed', help: '`input` or `output`.' },
  error_type: { bound: 'Fixed', help: 'KP code of the error; empty on success.' },
} as const satisfies Record<string, LabelDefinition>

export type LabelName = keyof typeof LABELS

/** Seconds: 50 ms for local answers and embeddings up to five minutes for long generations. */
const LATENCY_BUCKETS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
/** @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md */
const GEN_AI_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const GEN_AI_TOKENS = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
]
const REQUEST_LABELS = ['tenant', 'profile', 'provider', 'account', 'model', 'type'] as const
const LATENCY_LABELS = ['tenant', 'provider', 'account', 'model', 'type'] as const
const GEN_AI_LABELS = [
  'gen_ai_operation_name',
  'gen_ai_provider_name',
  'gen_ai_request_model',
  'gen_ai_response_model',
] as const

export const METRICS = {
  requests: {
    name: 'korproxy_requests_total',
    type: 'counter',
    help: 'Requests of clients, by how they ended.',
    labels: [...REQUEST_LABELS, 'status'],
  },
  duration: {
    name: 'korproxy_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the arrival of a request to the end of its answer, all attempts included.',
    labels: LATENCY_LABELS,
    buckets: LATENCY_BUCKETS,
  },
  firstToken: {
    name: 'korproxy_time_to_first_token_seconds',
    type: 'histogram',
    help: 'Time from the arrival of a request to the first content that went to the client.',
    labels: LATENCY_LABELS,
    buckets: LATENCY_BUCKETS,
  },
  tokens: {
    name: 'korproxy_tokens_total',
    type: 'counter',
    help: 'Tokens used. cached_input and cache_write are parts of input, reasoning is a part of output.',
    labels: [...REQUEST_LABELS, 'kind', 'estimated'],
  },
  cost: {
    name: 'korproxy_cost_usd_total',
    type: 'counter',
    help: 'Cost of requests whose price is known, US dollars; summed without rounding.',
    labels: REQUEST_LABELS,
  },
  unpriced: {
    name: 'korproxy_unpriced_requests_total',
    type: 'counter',
    help: 'Requests that used tokens of a model whose price is not known; they are in no cost.',
    labels: REQUEST_LABELS,
  },
  errors: {
    name: 'korproxy_errors_total',
    type: 'counter',
    help: 'Requests that ended in an error, by its code.',
    labels: ['tenant', 'provider', 'account', 'code', 'kind'],
  },
  attempts: {
    name: 'korproxy_attempts_total',
    type: 'counter',
    help: 'Calls to providers; a request that was retried made more than one.',
    labels: ['tenant', 'provider', 'account', 'outcome'],
  },
  truncated: {
    name: 'korproxy_streams_truncated_total',
    type: 'counter',
    help: 'Answers that had begun and then broke off.',
    labels: ['tenant', 'provider', 'account', 'model'],
  },
  dropped: {
    name: 'korproxy_conversion_dropped_params_total',
    type: 'counter',
    help: 'Parameters that a translation between formats left out.',
    labels: ['param'],
    // The names of unknown parameters are the client's.
    maxSeries: 200,
  },
  inFlight: {
    name: 'korproxy_requests_in_flight',
    type: 'gauge',
    help: 'Requests under way.',
    labels: [],
  },
  accountState: {
    name: 'korproxy_account_state',
    type: 'gauge',
    help: '1 for the state that an account is in, 0 for the others.',
    labels: ['tenant', 'provider', 'account', 'state'],
  },
  accountInFlight: {
    name: 'korproxy_account_in_flight',
    type: 'gauge',
    help: 'Calls under way to an account.',
    labels: ['tenant', 'provider', 'account'],
  },
  configInfo: {
    name: 'korproxy_config_info',
    type: 'gauge',
    help: '1 for the version of the routing table that serves.',
    labels: ['version'],
  },
  configApplied: {
    name: 'korproxy_config_applied_timestamp_seconds',
    type: 'gauge',
    help: 'When the serving routing table was applied, Unix time; `time()` minus it is its age.',
    labels: [],
  },
  genAiDuration: {
    name: 'gen_ai_client_operation_duration_seconds',
    type: 'histogram',
    help: 'OpenTelemetry name of korproxy_request_duration_seconds.',
    labels: [...GEN_AI_LABELS, 'error_type'],
    buckets: GEN_AI_SECONDS,
  },
  genAiFirstChunk: {
    name: 'gen_ai_client_operation_time_to_first_chunk_seconds',
    type: 'histogram',
    help: 'OpenTelemetry name of korproxy_time_to_first_token_seconds; streams only.',
    labels: GEN_AI_LABELS,
    buckets: GEN_AI_SECONDS,
  },
  genAiTokens: {
    name: 'gen_ai_client_token_usage',
    type: 'histogram',
    help: 'OpenTelemetry: input and output tokens of a request.',
    labels: [...GEN_AI_LABELS, 'gen_ai_token_type'],
    buckets: GEN_AI_TOKENS,
  },
} as const satisfies Record<string, MetricDefinition>
