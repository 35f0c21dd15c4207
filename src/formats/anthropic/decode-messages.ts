import { appendAll } from '../ir/append-all.ts'
import { readCallSignature } from '../ir/call-signature.ts'
import type {
  AssistantPart,
  CacheHint,
  DocumentPart,
  ImagePart,
  MediaSource,
  Signature,
  SystemTurn,
  TextPart,
  ToolResult,
  Turn,
  UserPart,
} from '../ir/chat-request.ts'
import { TurnList } from '../ir/turn-list.ts'
import { readBlockSignature } from './block-signature.ts'
import type { Losses } from './losses.ts'
import {
  type Block,
  type CacheControl,
  type DocumentBlock,
  type ImageBlock,
  isKnownBlock,
  type KnownBlock,
  type Message,
  type ResultBlock,
  type SearchResultBlock,
  type ToolResultBlock,
} from './request-schema.ts'

const MESSAGE_KEYS = new Set(['role', 'content'])
const BLOCK_KEYS = new Set(['type', 'text', 'source', 'title', 'content', 'cache_control', 'tool_use_id', 'is_error'])

export function decodeMessages(messages: readonly Message[], losses: Losses): Turn[] {
  const list = new TurnList()
  for (const message of messages) {
    losses.addUnknownKeys(message, MESSAGE_KEYS, 'messages.')
    const blocks = contentBlocks(message.content)
    if (message.role === 'assistant') list.push({ role: 'assistant', parts: readAssistantMessage(blocks, losses) })
    else if (message.role === 'system') list.push(readSystemMessage(blocks, losses))
    else pushUser(list, blocks, losses)
  }
  return list.turns
}

export function decodeCache(control: CacheControl): { cache?: CacheHint } {
  if (control === null || control === undefined) return {}
  const { ttl } = control
  return { cache: ttl === '5m' || ttl === '1h' ? { ttl } : {} }
}

function contentBlocks(content: string | Block[]): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function readSystemMessage(blocks: readonly Block[], losses: Losses): SystemTurn {
  const parts: TextPart[] = []
  for (const block of blocks) {
    if (isKnownBlock(block) && block.type === 'text') parts.push(readTextBlock(block))
    else losses.add(`messages.system.${block.type}`)
  }
  return { role: 'system', parts }
}

/** Tool results stand first in Anthropic's user messages; here they are a turn of their own before the rest. */
function pushUser(list: TurnList, blocks: readonly Block[], losses: Losses): void {
  let hasResult = false
  const parts: UserPart[] = []
  for (const block of blocks) {
    if (!isKnownBlock(block)) losses.add(`messages.${block.type}`)
    else if (block.type === 'tool_result') {
      list.addResult(readToolResult(block, losses))
      hasResult = true
    } else appendAll(parts, decodeUserBlock(block, losses))
  }
  if (parts.length > 0 || !hasResult) list.push({ role: 'user', parts })
}

function decodeUserBlock(block: Exclude<KnownBlock, ToolResultBlock>, losses: Losses): UserPart[] {
  switch (block.type) {
    case 'text':
    case 'image':
    case 'document':
    case 'search_result':
      return decodeContentBlock(block, losses)
    case 'thinking':
    case 'redacted_thinking':
    case 'tool_use':
      losses.add(`messages.user.${block.type}`)
      return []
  }
}

type ContentBlock = Extract<KnownBlock, { type: 'text' | 'image' | 'document' | 'search_result' }>

function decodeContentBlock(block: ContentBlock, losses: Losses): (TextPart | ImagePart | DocumentPart)[] {
  losses.addUnknownKeys(block, BLOCK_KEYS, `messages.${block.type}.`)
  switch (block.type) {
    case 'text':
      return [readTextBlock(block)]
    case 'image':
      return [readImageBlock(block)]
    case 'document':
      return readDocumentBlock(block)
    case 'search_result':
      return [decodeSearchResult(block)]
  }
}

function readTextBlock(block: { readonly text: string; readonly cache_control?: CacheControl }): TextPart {
  return { type: 'text', text: block.text, ...decodeCache(block.cache_control) }
}

function readImageBlock(block: ImageBlock): ImagePart {
  return { type: 'image', source: readMediaSource(block.source), ...decodeCache(block.cache_control) }
}

function readMediaSource(source: ImageBlock['source']): MediaSource {
  switch (source.type) {
    case 'base64':
      return { kind: 'base64', mediaType: source.media_type, data: source.data }
    case 'url':
      return { kind: 'url', url: source.url }
    case 'file':
      return { kind: 'file', id: source.file_id }
  }
}

function readDocumentBlock(block: DocumentBlock): (DocumentPart | TextPart | ImagePart)[] {
  const { source } = block
  const about = { ...(typeof block.title === 'string' && { title: block.title }), ...decodeCache(block.cache_control) }
  if (source.type === 'text') return [{ type: 'document', source: { kind: 'text', text: source.data }, ...about }]
  if (source.type !== 'content') return [{ type: 'document', source: readMediaSource(source), ...about }]
  if (typeof source.content === 'string') {
    return [{ type: 'document', source: { kind: 'text', text: source.content }, ...about }]
  }
  const title: TextPart[] = about.title === undefined ? [] : [{ type: 'text', text: about.title }]
  return [
    ...title,
    ...source.content.map((part) => (part.type === 'text' ? readTextBlock(part) : readImageBlock(part))),
  ]
}

function decodeSearchResult(block: SearchResultBlock): TextPart {
  const lines = [block.title, block.source, '', ...block.content.map(({ text }) => text)]
  return { type: 'text', text: lines.join('\n'), ...decodeCache(block.cache_control) }
}

function readToolResult(block: ToolResultBlock, losses: Losses): ToolResult {
  losses.addUnknownKeys(block, BLOCK_KEYS, 'messages.tool_result.')
  const content = block.content ?? []
  const blocks: ResultBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return {
    callId: block.tool_use_id,
    parts: blocks.flatMap((part) => decodeResultBlock(part, losses)),
    isError: block.is_error === true,
    ...decodeCache(block.cache_control),
  }
}

function decodeResultBlock(block: ResultBlock, losses: Losses): ToolResult['parts'] {
  if (block.type === 'tool_reference' && typeof block['tool_name'] === 'string') {
    // The tool itself is among the tools already: deferred ones are sent expanded.
    return [{ type: 'text', text: block['tool_name'] }]
  }
  if (isKnownBlock(block) && isContentBlock(block)) return decodeContentBlock(block, losses)
  losses.add(`messages.tool_result.${block.type}`)
  return []
}

function isContentBlock(block: KnownBlock): block is ContentBlock {
  return ['text', 'image', 'document', 'search_result'].includes(block.type)
}

function readAssistantMessage(blocks: readonly Block[], losses: Losses): AssistantPart[] {
  const parts: AssistantPart[] = []
  let callSignature: Signature | undefined
  for (const block of blocks) {
    if (!isKnownBlock(block)) {
      losses.add(`messages.${block.type}`)
      continue
    }
    if (block.type === 'thinking') {
      callSignature = readCallSignature(block.signature ?? '')
      if (callSignature !== undefined) continue
    }
    const part = decodeAssistantBlock(block, losses)
    if (part === undefined) continue
    if (part.type === 'tool-call' && callSignature !== undefined) parts.push({ ...part, signature: callSignature })
    else parts.push(part)
    callSignature = undefined
  }
  return parts
}

function decodeAssistantBlock(block: KnownBlock, losses: Losses): AssistantPart | undefined {
  switch (block.type) {
    case 'text':
      if (Array.isArray(block['citations']) && block['citations'].length > 0) losses.add('messages.text.citations')
      return readTextBlock(block)
    case 'image':
      return readImageBlock(block)
    case 'thinking':
      return {
        type: 'thinking',
        text: block.thinking,
        ...(block.signature ? { signature: readBlockSignature(block.signature) } : {}),
      }
    case 'redacted_thinking':
      return { type: 'redacted-thinking', data: readBlockSignature(block.data) }
    case 'tool_use':
      return {
        type: 'tool-call',
        id: block.id,
        name: block.name,
        arguments: JSON.stringify(block.input),
        ...decodeCache(block.cache_control),
      }
    case 'document':
    case 'search_result':
    case 'tool_result':
      losses.add(`messages.assistant.${block.type}`)
      return undefined
  }
}
