import type { RequestEvent } from '#telemetry/request-event.ts'

/** A chat that went well; tests change what they are about. */
export const CHAT: RequestEvent = {
  startedAtMs: Date.UTC(2026, 10, 21, 12, 0, 0),
  correlationId: 'c-1',
  tenant: 'team',
  client: 'app-1',
  requestType: 'chat',
  format: 'openai-chat',
  stream: true,
  profile: 'default',
  rule: 'chat',
  group: 'pool',
  account: 'a',
  provider: 'openai',
  requestedModel: 'gpt-4o',
  model: 'gpt-4o',
  status: 200,
  errorCode: '',
  truncated: false,
  attempts: [
    { account: 'b', group: 'pool', provider: 'openai', outcome: 'rate-limited', durationMs: 20 },
    { account: 'a', group: 'pool', provider: 'openai', outcome: 'ok', durationMs: 1180 },
  ],
  durationMs: 1200,
  firstTokenMs: 300.4,
  usage: { input: 1000, cachedInput: 400, cacheWriteInput: 0, output: 50, reasoning: 0, estimated: false },
  costPicoUsd: 2_500_000_001,
  droppedParameters: ['logit_bias'],
  requestBytes: 4000,
  replyBytes: 900,
}
