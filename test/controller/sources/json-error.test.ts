import t from 'tap'
import { locateJsonError } from '../../../src/controller/sources/json-error.ts'

const place = (text: string) => {
  const found = locateJsonError(text)
  return found === undefined ? 'JSON' : `${found.line}:${found.column}`
}

t.test('R4.7 every error in JSON has its line and column', (t) => {
  const cases: readonly (readonly [text: string, place: string])[] = [
    ['', '1:1'],
    [' \n ', '2:2'],
    ['{', '1:2'],
    ['{"a": 1', '1:8'],
    ['{\n  "apiKey": "x",\n}', '3:1'],
    ['{"a": 1,, "b": 2}', '1:9'],
    ['{"a" 1}', '1:6'],
    ['{a: 1}', '1:2'],
    ["{'a': 1}", '1:2'],
    ['{\n "a": nonsense}', '2:8'],
    ['{\n "a": tru}', '2:10'],
    ['[1, 2', '1:6'],
    ['[1, 2}', '1:6'],
    ['[1,\n]', '2:1'],
    ['[01]', '1:3'],
    ['[-]', '1:2'],
    ['[1.]', '1:3'],
    ['[+1]', '1:2'],
    ['["a\nb"]', '1:4'],
    ['["a\\xb"]', '1:4'],
    ['["unended', '1:10'],
    ['{} {}', '1:4'],
    ['[]]', '1:3'],
    ['# no JSON', '1:1'],
    ['\u00a0{}', '1:1'],
    [']', '1:1'],
  ]
  for (const [text, expected] of cases) t.equal(place(text), expected, JSON.stringify(text))
  t.end()
})

t.test('R4.7 what is JSON has no error', (t) => {
  const texts = ['{}', ' [ ] ', '"a"', '-1.5e+3', 'null', '{"a":[true,false,null,{"b":"\\u00e9\\/"}],"c":0}\r\n\t']
  for (const text of texts) t.equal(place(text), 'JSON', text)
  t.end()
})
