import type { KorProxyError } from '#errors/korproxy-error.ts'
import { FAMILY_SHAPES } from '#formats/registry.ts'

export interface PlainErrorContext {
  readonly correlationId: string
  readonly docsUrl: string
}

export interface PlainError {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: Buffer
}

/** The answer to what never became an exchange, in OpenAI's shape, which every tool can print; its connection ends. */
export function plainError(error: KorProxyError, { correlationId, docsUrl }: PlainErrorContext): PlainError {
  const rendered = FAMILY_SHAPES.openai.encodeError({
    error,
    correlationId,
    docsUrl: `${docsUrl}/errors/${error.code}`,
  })
  const body = Buffer.from(JSON.stringify(rendered.body))
  return {
    status: rendered.status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'x-korproxy-error': error.code,
      'x-correlation-id': correlationId,
      'x-request-id': correlationId,
      connection: 'close',
    },
    body,
  }
}
