import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { asNode, isNode, type SchemaNode } from './structural-schema.ts'

/** In front of the description, as helm-docs wants it: `--` for a row of its table, and a type instead of the one of the default. */
const MARK = /^-- (?:\([^)]*\) )?/

/**
 * The schema with the comments of a file of values as descriptions.
 * @param schema - of the whole file
 * @param text - of the file
 * @throws Error for a value of the schema that the file does not have, or has without a comment right above it, or with one that
 * gives other choices than the schema.
 */
export function describeValues(schema: SchemaNode, text: string): SchemaNode {
  const lines = text.split('\n')
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })

  function described(node: SchemaNode, values: unknown, path: string): SchemaNode {
    const { properties } = node
    if (!isNode(properties) || !isMap(values) || values.items.length === 0) return node
    const children = Object.keys(properties).map((name) => {
      const pair = values.items.find(({ key }) => isScalar(key) && key.value === name)
      const start = isScalar(pair?.key) ? pair.key.range?.[0] : undefined
      const comment = start === undefined ? '' : commentAbove(lines, counter.linePos(start).line)
      if (comment === '') throw new Error(`values.yaml does not describe ${path}${name}`)
      const child = asNode(properties[name])
      const choices = Array.isArray(child['enum']) ? `(${child['enum'].join(', ')})` : ''
      if (!comment.startsWith(choices, '-- '.length)) {
        throw new Error(`values.yaml does not say of ${path}${name} that it is ${choices}`)
      }
      const description = comment.replace(MARK, '')
      return [name, { ...described(child, pair?.value, `${path}${name}.`), description }] as const
    })
    return { ...node, properties: Object.fromEntries(children) }
  }

  return described(schema, document.contents, '')
}

/** Text of the comment that ends right above a line (counted from 1). */
function commentAbove(lines: readonly string[], line: number): string {
  const above = lines.slice(0, line - 1)
  const start = above.findLastIndex((text) => !text.trimStart().startsWith('#')) + 1
  const words = above.slice(start).map((text) => text.trimStart().slice(1).trim())
  return words.join(' ')
}
