import t from 'tap'
import { readMedia } from '#formats/gemini/read-media.ts'

t.test('R3.3 media in the URL-safe alphabet, padded or not, become standard base64', async (t) => {
  const read = (data: string) => readMedia({ inlineData: { mimeType: 'image/png', data } }, 'contents[0].parts[0]')
  const source = { kind: 'base64', mediaType: 'image/png', data: '+/+/+w==' }
  t.strictSame(read('-_-_-w=='), { type: 'image', source })
  t.strictSame(read('-_-_-w'), { type: 'image', source })
  t.strictSame(read('+/+/+w=='), { type: 'image', source })
})
