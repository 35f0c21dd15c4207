import { KorProxyError } from '#errors/korproxy-error.ts'
import type { CacheHint, ImagePart, MediaSource, TextPart, ToolResult, UserPart } from '../ir/chat-request.ts'
import { readMediaUrl } from '../ir/data-url.ts'
import type { CacheControl, ToolMessage, UserMessagePart } from './request-schema.ts'

const DETAILS = ['auto', 'low', 'high', 'original'] as const

export function cacheHint(control: CacheControl): { readonly cache?: CacheHint } {
  if (control == null) return {}
  return { cache: control.ttl == null ? {} : { ttl: control.ttl } }
}

const CACHEABLE: ReadonlySet<string> = new Set(['text', 'image', 'document', 'tool-call'])

/** A cache hint on a message counts for its last part. */
export function withCache<P extends { readonly type: string }>(
  parts: readonly P[],
  control: CacheControl,
): readonly P[] {
  const last = parts.at(-1)
  if (control == null || last === undefined || !CACHEABLE.has(last.type)) return parts
  return [...parts.slice(0, -1), { ...last, ...cacheHint(control) }]
}

export function decodeTextContent(
  content: string | readonly { readonly text: string; readonly cache_control?: CacheControl }[],
): readonly TextPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part) => ({ type: 'text', text: part.text, ...cacheHint(part.cache_control) }))
}

/** @throws KorProxyError KP-SYS-516 */
export function decodeUserPart(part: UserMessagePart, path: string): UserPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...cacheHint(part.cache_control) }
    case 'image_url':
      return { ...decodeImage(part.image_url), ...cacheHint(part.cache_control) }
    case 'input_audio': {
      const { data, format } = part.input_audio
      return { type: 'audio', source: { kind: 'base64', mediaType: audioMediaType(format), data } }
    }
    case 'file': {
      const { filename } = part.file
      return {
        type: 'document',
        source: decodeFile(part.file, path),
        ...(filename != null && { title: filename }),
        ...cacheHint(part.cache_control),
      }
    }
  }
}

export function decodeImage(
  image: string | { readonly url: string; readonly detail?: string | null | undefined },
): ImagePart {
  if (typeof image === 'string') return { type: 'image', source: readMediaUrl(image) }
  const detail = DETAILS.find((it) => it === image.detail)
  return { type: 'image', source: readMediaUrl(image.url), ...(detail !== undefined && { detail }) }
}

export function decodeToolContent(message: ToolMessage): Pick<ToolResult, 'parts' | 'isError' | 'cache'> {
  const { content } = message
  const parts =
    content === null || content === undefined || typeof content === 'string'
      ? [{ type: 'text' as const, text: content ?? '' }]
      : content.map((part): TextPart | ImagePart => {
          if (part.type === 'text') return { type: 'text', text: part.text, ...cacheHint(part.cache_control) }
          return { ...decodeImage(part.image_url), ...cacheHint(part.cache_control) }
        })
  return { parts, isError: false, ...cacheHint(message.cache_control) }
}

/** @see https://platform.openai.com/docs/guides/audio (`wav` and `mp3` are what OpenAI takes) */
function audioMediaType(format: string): string {
  return format === 'mp3' ? 'audio/mpeg' : `audio/${format}`
}

/** @see https://platform.openai.com/docs/guides/pdf-files (`file_data` is a data URL; OpenRouter takes web addresses too) */
function decodeFile(
  file: { readonly file_id?: string | null | undefined; readonly file_data?: string | null | undefined },
  path: string,
): MediaSource {
  if (file.file_id != null) return { kind: 'file', id: file.file_id }
  const source = readMediaUrl(file.file_data ?? '')
  if (source.kind === 'url' && !/^https?:/.test(source.url)) {
    throw new KorProxyError('KP-SYS-516', { message: `${path}.file: expected a file_id or file_data with a data: URL` })
  }
  return source
}
