import { anthropicErrorMessage, anthropicErrorType } from './anthropic/anthropic-failure.ts'
import type { CallContext } from './call-context.ts'
import type { Failure, RenderedFailure } from './failure-kind.ts'
import { geminiErrorBody } from './gemini/gemini-failure.ts'
import { memberOf } from './json-value.ts'
import { ollamaErrorText } from './ollama/ollama-failure.ts'
import { openrouterMetadata } from './openai/openrouter-failure.ts'
import { renderFailure } from './render-failure.ts'
import type { WireEvent } from './wire-event.ts'

export interface StreamFailure extends Failure {
  /** Responses: `response.failed` instead of `error`. */
  readonly form?: 'failed' | undefined
}

/** An error on a stream whose status was 200, as this provider writes it. */
export function errorEventOf(failure: StreamFailure, context: CallContext, position: number): WireEvent {
  switch (context.operation) {
    case 'responses':
      return responsesErrorEvent(failure, context, position)
    case 'messages': {
      const error = { type: anthropicErrorType(failure), message: anthropicErrorMessage(failure) }
      return { kind: 'end', name: 'error', data: { type: 'error', error, request_id: context.mintId('req_') } }
    }
    case 'gemini-stream':
      return { kind: 'end', data: geminiErrorBody(failure, context) }
    case 'ollama-chat':
    case 'ollama-generate':
      return { kind: 'end', data: { error: ollamaErrorText(failure, context) } }
    default:
      return { kind: 'end', data: chatError(failure, context) }
  }
}

/** OpenRouter ends the choice with `error` as well: https://openrouter.ai/docs/api/reference/errors-and-debugging */
function chatError(failure: Failure, context: CallContext): unknown {
  const { body, status } = renderFailure(failure, context)
  if (context.dialect !== 'openrouter') return body
  return {
    id: context.mintId('gen-'),
    object: 'chat.completion.chunk',
    created: Math.floor(context.nowMs / 1000),
    model: context.model,
    provider: 'MockProvider',
    error: {
      code: status,
      message: memberOf(memberOf(body, 'error'), 'message'),
      metadata: openrouterMetadata(failure.kind),
    },
    choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error', native_finish_reason: 'error' }],
  }
}

function responsesErrorEvent(failure: StreamFailure, context: CallContext, position: number): WireEvent {
  const error = memberOf(renderFailure(failure, context).body, 'error')
  const code = memberOf(error, 'code') ?? memberOf(error, 'type')
  const message = memberOf(error, 'message')
  const sequence = { sequence_number: position }
  if (failure.form !== 'failed') {
    return { kind: 'end', name: 'error', data: { type: 'error', code, message, param: null, ...sequence } }
  }
  const response = {
    id: context.mintId('resp_'),
    object: 'response',
    created_at: Math.floor(context.nowMs / 1000),
    status: 'failed',
    error: { code, message },
    incomplete_details: null,
    model: context.model,
    output: [],
    usage: null,
  }
  return { kind: 'end', name: 'response.failed', data: { type: 'response.failed', ...sequence, response } }
}

/** A status of 200 over an error, without a stream. */
export function errorBodyOf(failure: Failure, context: CallContext): RenderedFailure {
  return { ...renderFailure(failure, context), status: 200 }
}
