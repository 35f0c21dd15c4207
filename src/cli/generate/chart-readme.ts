import { asNode, isNode, type SchemaNode } from './structural-schema.ts'

interface Row {
  readonly path: string
  readonly type: string
  readonly preset: string
  readonly description: string
}

/** Values of these are specs of resources, which have pages of their own. */
const RESOURCE_VALUES = new Set([
  'accounts',
  'groups',
  'profiles',
  'clients',
  'usagePolicies',
  'modelCatalogs',
  'gatewayConfig',
])

/** README of the chart: a table of the values, from their schema and their defaults. */
export function chartReadme(schema: SchemaNode, defaults: unknown): string {
  const rows = rowsOf(schema, defaults, '').map(
    ({ path, type, preset, description }) => `| \`${path}\` | ${type} | ${preset} | ${description} |`,
  )
  return [
    '<!-- Made by `npm run generate`. -->',
    '# Helm chart of KorProxy',
    '',
    'A controller and gateways. [Installation](../../docs/install.md), [operation](../../docs/operations.md) and',
    '[GitOps](../../docs/gitops.md) have pages of their own.',
    '',
    '```sh',
    'helm install korproxy charts/korproxy --namespace korproxy --create-namespace',
    '```',
    '',
    '## Values',
    '',
    '`accounts`, `groups`, `profiles`, `clients`, `usagePolicies`, `modelCatalogs` and `gatewayConfig` hold specs of the',
    '[resources](../../docs/reference/resources/README.md). Unknown values are refused.',
    '',
    '| Value | Type | Default | |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function rowsOf(node: SchemaNode, defaults: unknown, prefix: string): Row[] {
  const properties = isNode(node['properties']) ? node['properties'] : {}
  return Object.entries(properties).flatMap(([name, value]) => {
    const child = asNode(value)
    const path = prefix === '' ? name : `${prefix}.${name}`
    const preset = isNode(defaults) ? defaults[name] : undefined
    const isLeaf = RESOURCE_VALUES.has(path) || !isNode(child['properties'])
    return isLeaf ? [row(path, child, preset)] : rowsOf(child, preset, path)
  })
}

function row(path: string, node: SchemaNode, preset: unknown): Row {
  const choices = Array.isArray(node['enum']) ? node['enum'].map((choice) => `\`${choice}\``).join(', ') : undefined
  const type = typeof node['type'] === 'string' ? node['type'] : 'integer or string'
  return {
    path,
    type: choices ?? type,
    preset: preset === undefined || preset === '' ? '' : `\`${JSON.stringify(preset)}\``,
    description: String(node['description'] ?? '').replaceAll('|', '\\|'),
  }
}
