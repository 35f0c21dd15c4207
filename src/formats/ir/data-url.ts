import type { MediaSource } from './chat-request.ts'

const DATA_URL = /^data:([^;,]*)(?:;[^;,]*)*;base64,/

/** Reads the URL of an image or file: `data:` with base64 becomes the bytes, anything else stays a URL. */
export function readMediaUrl(url: string): MediaSource {
  const [prefix, mediaType] = DATA_URL.exec(url.slice(0, 256)) ?? []
  if (prefix === undefined || mediaType === undefined) return { kind: 'url', url }
  return {
    kind: 'base64',
    mediaType: mediaType === '' ? 'application/octet-stream' : mediaType,
    data: url.slice(prefix.length),
  }
}

export function writeDataUrl(mediaType: string, data: string): string {
  return `data:${mediaType};base64,${data}`
}
