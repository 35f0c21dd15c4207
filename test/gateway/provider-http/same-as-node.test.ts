import { deepStrictEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { SEED } from '../../formats/pairs/mutate.ts'
import { type AnyReply, anyReply } from './any-reply.ts'
import { NodeClient } from './node-client.ts'
import { type Read, readReply } from './read-reply.ts'

const RUNS = 3_000

/** What Node forgives. Whoever reads these in another way would see another reply. */
const STRICTER: ReadonlySet<string> = new Set([
  // Node takes any version.
  'it does not begin with HTTP/1',
  // Node takes version 1.9, and a status of 020.
  'its status line is none',
  // Node reads what it cannot decode until the end of the connection.
  'its Transfer-Encoding is not chunked',
  // Nobody asked for one.
  'it changes to another protocol',
  // Node takes any number of zeros before a size.
  'a chunk is too large',
  // Node takes `;;a` and `;a=`.
  'an extension or a trailer is none',
])

/** To Node, a Content-Length among trailers is a second one; to RFC 9112 (6.3) it says nothing. */
function isOddTrailer({ headers }: Read, nodeEnd: string): boolean {
  const isChunked = headers.some((line) => line.toLowerCase() === 'transfer-encoding: chunked')
  return isChunked && nodeEnd === 'HPE_INVALID_CONTENT_LENGTH'
}

function inPieces({ text, cuts }: AnyReply): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((one, other) => one - other)
  return [0, ...places].map((from, at) => text.slice(from, places[at] ?? text.length)).filter((piece) => piece !== '')
}

t.test('property: what is read of any reply, cut anywhere, Node reads too', async (t) => {
  const node = await NodeClient.start(t)
  const outcomes = { whole: 0, lost: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(anyReply, async (it) => {
      const { method, text } = it
      const closes = readReply([text], { method }).end !== 'whole'
      const read = readReply([text], { method, closes })
      deepStrictEqual(readReply(inPieces(it), { method, closes }), read)
      const { rest, ...own } = read
      const theirs = await node.read(text.slice(0, text.length - rest.length), method, closes)
      if (own.end !== 'whole' && own.end !== 'lost') {
        outcomes.refused += 1
        ok(theirs.end.startsWith('HPE_') || STRICTER.has(own.end), `refused: ${own.end}; Node: ${theirs.end}`)
        return
      }
      outcomes[own.end] += 1
      // Of a head that is not all there, Node may know that it will be none.
      if (own.status === 0) deepStrictEqual([own.end, theirs.status], ['lost', 0])
      else if (!isOddTrailer(read, theirs.end)) deepStrictEqual(own, theirs)
    }),
    { seed: SEED, numRuns: RUNS },
  )
  const { whole, lost, refused } = outcomes
  t.ok(Math.min(whole, refused) > RUNS / 5 && lost > RUNS / 20, `${whole} whole, ${lost} lost, ${refused} refused`)
})
