import { KorProxyError } from '#errors/korproxy-error.ts'
import {
  decodeCountTokensRequest as decodeAnthropic,
  encodeCountTokensReply as encodeAnthropic,
} from '#formats/anthropic/decode-count-tokens.ts'
import {
  decodeCountTokensRequest as decodeGemini,
  encodeCountTokensReply as encodeGemini,
} from '#formats/gemini/decode-count-tokens.ts'
import type { JsonObject } from '#formats/ir/chat-request.ts'
import { estimateTokens } from '#formats/ir/estimate-tokens.ts'
import { AttemptLoop } from './attempt-loop.ts'
import type { Exchange } from './exchange.ts'
import type { ClientReply } from './reply/client-reply.ts'
import type { GatewayRuntime } from './runtime.ts'
import { parsedBody } from './stages/encode.ts'

/** Asks the provider where it counts in the client's format; else estimates and says so in a header. */
export async function countTokens(runtime: GatewayRuntime, exchange: Exchange, client: ClientReply): Promise<void> {
  try {
    await new AttemptLoop(runtime, exchange, client).run()
  } catch (error) {
    if (!(error instanceof KorProxyError) || error.code !== 'KP-PROV-113') throw error
    const body = Buffer.from(JSON.stringify(estimate(exchange)))
    client.send(200, ['content-type', 'application/json', 'x-korproxy-estimated', 'true'], body)
  }
}

function estimate(exchange: Exchange): JsonObject {
  const body = parsedBody(exchange)
  return exchange.surface.family === 'gemini'
    ? encodeGemini(estimateTokens(decodeGemini(body, { model: exchange.requestedModel })))
    : encodeAnthropic(estimateTokens(decodeAnthropic(body)))
}
