/** An object may be 1.5 MiB in etcd, and grows a little on its way. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024

/**
 * Splits bytes into lines of JSON; a line, and a character, may be cut anywhere. An unfinished last line is left out: the
 * stream broke off there.
 * @throws SyntaxError for a line that is no JSON, RangeError for one that never ends.
 */
export async function* readJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let pending = ''
  for await (const chunk of chunks) {
    const lines = (pending + decoder.decode(chunk, { stream: true })).split('\n')
    pending = lines.pop() ?? ''
    if (pending.length > MAX_LINE_CHARACTERS)
      throw new RangeError('a line of the watch is longer than 16 Mi characters')
    for (const line of lines) {
      if (line.trim() === '') continue
      const value: unknown = JSON.parse(line)
      yield value
    }
  }
}
