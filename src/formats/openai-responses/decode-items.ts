import { KorProxyError } from '#errors/korproxy-error.ts'
import { appendAll } from '../ir/append-all.ts'
import { readCallSignature } from '../ir/call-signature.ts'
import type { AssistantPart, Signature, TextPart, Tool, Turn } from '../ir/chat-request.ts'
import { TurnList } from '../ir/turn-list.ts'
import { wrapCustomInput } from './custom-input.ts'
import { decodeAssistantContent, decodeSystemContent, decodeToolOutput, decodeUserContent } from './decode-content.ts'
import { decodeReasoning } from './decode-reasoning.ts'
import type { InputItem } from './request-schema.ts'
import { ToolFinder } from './tool-finder.ts'

/** Records of tools that OpenAI ran itself: what came of them stands in the messages after them. */
const HOSTED_ITEMS = new Set([
  'additional_tools',
  'apply_patch_call',
  'apply_patch_call_output',
  'code_interpreter_call',
  'computer_call',
  'computer_call_output',
  'file_search_call',
  'image_generation_call',
  'local_shell_call',
  'local_shell_call_output',
  'mcp_approval_request',
  'mcp_approval_response',
  'mcp_call',
  'mcp_list_tools',
  'program',
  'program_output',
  'shell_call',
  'shell_call_output',
  'tool_search_call',
  'tool_search_output',
  'web_search_call',
])

interface Draft {
  readonly system: TextPart[]
  readonly list: TurnList
  /** Of the call that comes next. */
  callSignature: Signature | undefined
}
export interface Conversation {
  readonly system: TextPart[]
  readonly turns: Turn[]
}

/**
 * Items into turns: what an assistant said, thought and called in a row is one turn, and so are the results of its calls.
 * @throws KorProxyError KP-PROV-112 for items that stand for content kept elsewhere
 */
export function decodeItems(items: readonly InputItem[], tools: readonly Tool[], dropped: Set<string>): Conversation {
  const draft: Draft = { system: [], list: new TurnList(), callSignature: undefined }
  const names = new ToolFinder(tools)
  for (const [at, item] of items.entries()) addItem(draft, item, `input[${at}]`, { names, dropped })
  return { system: draft.system, turns: draft.list.turns }
}

function addItem(
  draft: Draft,
  item: InputItem,
  field: string,
  { names, dropped }: { readonly names: ToolFinder; readonly dropped: Set<string> },
): void {
  const { list, callSignature } = draft
  const signature = callSignature === undefined ? {} : { signature: callSignature }
  draft.callSignature = item.type === 'reasoning' ? readCallSignature(item.encrypted_content ?? '') : undefined
  switch (item.type) {
    case 'message':
      addMessage(draft, item, `${field}.content`)
      return
    case 'function_call':
      addAssistantParts(list, [
        {
          type: 'tool-call',
          id: item.call_id,
          name: names.nameOf(item.namespace, item.name),
          arguments: item.arguments,
          ...signature,
        },
      ])
      return
    case 'custom_tool_call':
      addAssistantParts(list, [
        {
          type: 'tool-call',
          id: item.call_id,
          name: names.nameOf(item.namespace, item.name),
          arguments: wrapCustomInput(item.input),
          ...signature,
        },
      ])
      return
    case 'function_call_output':
    case 'custom_tool_call_output':
      list.addResult({
        callId: item.call_id,
        parts: decodeToolOutput(item.output, `${field}.output`),
        isError: false,
      })
      return
    case 'reasoning':
      if (draft.callSignature === undefined) addAssistantParts(list, decodeReasoning(item))
      return
    case 'item_reference':
      // The AI SDK refers to reasoning even where it sends the call after it; without the reasoning the answer is still sound.
      if (!item.id.startsWith('rs_')) throw storedItem(`${field} (${item.type})`)
      dropped.add('input.reasoning')
      return
    case 'compaction':
    case 'compaction_summary':
    case 'compaction_trigger':
      throw storedItem(`${field} (${item.type})`)
    case 'unknown':
      dropped.add(HOSTED_ITEMS.has(item.name) ? `input.${item.name}` : 'input.unknown')
      return
  }
}

function storedItem(parameter: string): KorProxyError {
  const reason = 'KorProxy stores no responses. Send the items themselves (the AI SDK does with store: false).'
  return new KorProxyError('KP-PROV-112', { parameter, target: 'a translated request', reason })
}

function addMessage({ system, list }: Draft, message: Extract<InputItem, { type: 'message' }>, field: string): void {
  switch (message.role) {
    case 'system':
    case 'developer': {
      const parts = decodeSystemContent(message.content, field)
      if (list.isEmpty) appendAll(system, parts)
      else list.push({ role: 'system', parts })
      return
    }
    case 'user':
      list.push({ role: 'user', parts: decodeUserContent(message.content, field) })
      return
    case 'assistant':
      addAssistantParts(list, decodeAssistantContent(message.content, field))
      return
  }
}

function addAssistantParts(list: TurnList, parts: readonly AssistantPart[]): void {
  if (parts.length > 0) appendAll(list.assistantParts(), parts)
}
