import { z } from 'zod'
import { API_VERSION, type KindDefinition } from '#resources/kind-definition.ts'
import { VALIDATIONS } from '#resources/rule.ts'
import { asNode, isNode, type SchemaNode } from './structural-schema.ts'

const NOTICE = '<!-- Made by `npm run generate` from src/resources; change it there. -->'

interface Field {
  readonly path: string
  readonly node: SchemaNode
  readonly required: boolean
}

/** The page of one kind in the reference. */
export function resourcePage(definition: KindDefinition): string {
  const spec = schemaOf(definition.spec)
  const fields = fieldsOf(spec, '')
  return `${[
    `# ${definition.kind}`,
    NOTICE,
    definition.description,
    identity(definition),
    '## Spec',
    '`*` marks a required field. Durations are written `500ms`, `30s`, `5m`, `1h30m`; decimals in quotes.',
    fieldTable(fields),
    ...ruleSection([{ path: '', node: spec, required: true }, ...fields]),
    '## Status',
    'Written by the controller.',
    statusTable(fieldsOf(schemaOf(definition.status), '')),
    '## Columns of `kubectl get`',
    table(
      ['Column', 'Shows'],
      definition.columns.map(({ name, jsonPath, priority }) => [
        name,
        `\`${jsonPath}\`${priority ? ' (with `-o wide`)' : ''}`,
      ]),
    ),
  ].join('\n\n')}\n`
}

/** The page that leads to the pages of the kinds. */
export function resourceIndex(definitions: readonly KindDefinition[]): string {
  const rows = definitions.map(({ kind, shortName, description }) => [
    `[${kind}](${pageName(kind)})`,
    `\`${shortName}\``,
    description,
  ])
  return `# Resources\n\n${NOTICE}\n\nKinds of \`${API_VERSION}\`. All of them live in a namespace, and refer only to objects of the same namespace.\n\n${table(['Kind', 'Short name', 'Says'], rows)}\n`
}

/** e.g. `provider-account.md` */
export function pageName(kind: string): string {
  return `${kebabCase(kind)}.md`
}

export function kebabCase(kind: string): string {
  return kind.replaceAll(/(?<!^)[A-Z]/g, '-$&').toLowerCase()
}

function schemaOf(schema: z.ZodType): SchemaNode {
  return asNode(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }))
}

function identity({ kind, plural, shortName }: KindDefinition): string {
  return table(
    ['', ''],
    [
      ['apiVersion', `\`${API_VERSION}\``],
      ['kind', `\`${kind}\``],
      ['kubectl', `\`kubectl get ${plural}\` or \`kubectl get ${shortName}\``],
    ],
  )
}

function fieldsOf(node: SchemaNode, prefix: string): Field[] {
  const { properties, required } = node
  if (!isNode(properties)) return []
  const needed = Array.isArray(required) ? required : []
  return Object.entries(properties).flatMap(([name, value]) => {
    const child = asNode(value)
    const path = prefix === '' ? name : `${prefix}.${name}`
    const items = child['items']
    return [
      { path, node: child, required: needed.includes(name) },
      ...fieldsOf(child, path),
      ...(isNode(items) ? fieldsOf(items, `${path}[]`) : []),
    ]
  })
}

function fieldTable(fields: readonly Field[]): string {
  const rows = fields.map(({ path, node, required }) => [
    `\`${path}\`${required ? ' *' : ''}`,
    typeOf(node),
    defaultOf(node),
    String(node['description'] ?? ''),
    constraintsOf(node),
  ])
  return table(['Field', 'Type', 'Default', 'Meaning', 'Constraints'], rows)
}

function statusTable(fields: readonly Field[]): string {
  return table(
    ['Field', 'Type', 'Meaning'],
    fields.map(({ path, node }) => [`\`${path}\``, typeOf(node), String(node['description'] ?? '')]),
  )
}

function ruleSection(fields: readonly Field[]): string[] {
  const rules = fields.flatMap(({ path, node }) => {
    const own = rulesOf(node)
    const items = isNode(node['items']) ? rulesOf(node['items']) : []
    return [
      ...own.map((message) => `- \`${path === '' ? 'spec' : path}\`: ${message}`),
      ...items.map((message) => `- \`${path}[]\`: ${message}`),
    ]
  })
  return rules.length === 0 ? [] : ['### Rules', rules.join('\n')]
}

function rulesOf(node: SchemaNode): string[] {
  const rules = node[VALIDATIONS]
  return Array.isArray(rules) ? rules.map((rule) => String(asNode(rule)['message'])) : []
}

function typeOf(node: SchemaNode): string {
  const { title, type, items, format, additionalProperties } = node
  if (Array.isArray(node['enum'])) return node['enum'].map((value) => `\`${String(value)}\``).join(', ')
  if (isNode(items)) return `list of ${typeOf(items)}`
  if (isNode(additionalProperties)) return `map of ${typeOf(additionalProperties)}`
  if (typeof title === 'string') return title
  return format === 'date-time' ? 'time (RFC 3339)' : String(type)
}

function defaultOf(node: SchemaNode): string {
  const value = node['default']
  if (value === undefined || node['type'] === 'object') return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

const LIST_WORDS: Readonly<Record<string, string>> = { set: 'no duplicates', atomic: 'ordered' }

function constraintsOf(node: SchemaNode): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties, pattern } = node
  const listType = node['x-kubernetes-list-type']
  const keys = node['x-kubernetes-list-map-keys']
  return [
    minimum === undefined ? '' : `${String(minimum)} … ${String(maximum)}`,
    Number(minLength ?? 0) > 1 ? `at least ${String(minLength)} characters` : '',
    maxLength === undefined || typeof node['title'] === 'string' ? '' : `at most ${String(maxLength)} characters`,
    minItems === undefined ? '' : `at least ${String(minItems)}`,
    maxItems === undefined ? '' : `at most ${String(maxItems)}`,
    maxProperties === undefined ? '' : `at most ${String(maxProperties)}`,
    typeof pattern === 'string' && node['title'] === undefined && node['format'] === undefined ? `\`${pattern}\`` : '',
    typeof listType === 'string' ? (LIST_WORDS[listType] ?? '') : '',
    Array.isArray(keys) ? `unique by ${keys.map((key) => `\`${String(key)}\``).join(', ')}` : '',
  ]
    .filter((text) => text !== '')
    .join('; ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
