import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { GENERATED_FOLDERS, generatedFiles } from '../../../src/cli/generate/generated-files.ts'
import { structuralSchema } from '../../../src/cli/generate/structural-schema.ts'

const ROOT = new URL('../../../', import.meta.url)

type Node = Record<string, unknown>

function schemaOf(crd: string): Node {
  return parse(crd).spec.versions[0].schema.openAPIV3Schema
}

function crds(): [string, string][] {
  return [...generatedFiles()].filter(([path]) => path.startsWith('crds/'))
}

/** Every part of a schema with its path. */
function nodesOf(node: Node, path: string): [string, Node][] {
  const children = Object.entries((node['properties'] ?? {}) as Record<string, Node>).flatMap(([name, child]) =>
    nodesOf(child, `${path}.${name}`),
  )
  const inner = ['items', 'additionalProperties'].flatMap((keyword) =>
    node[keyword] === undefined ? [] : nodesOf(node[keyword] as Node, `${path}[]`),
  )
  return [[path, node], ...children, ...inner]
}

function allNodes(): [string, Node][] {
  return crds().flatMap(([path, text]) => nodesOf(schemaOf(text), path))
}

/** Parts of `spec` and `status`; the rest is the same for every kind. */
function ownNodes(): [string, Node][] {
  return allNodes().filter(([path]) => /\.yaml\.(spec|status)/.test(path))
}

t.test('R4.1 CRDs, editor schemas and pages are what `npm run generate` would write', (t) => {
  const files = generatedFiles()
  for (const [path, content] of files) t.equal(readFileSync(new URL(path, ROOT), 'utf8'), content, path)
  const committed = GENERATED_FOLDERS.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT)).map((name) => `${folder}/${name}`),
  )
  t.strictSame(committed.sort(), [...files.keys()].sort(), 'no leftover')
  t.end()
})

t.test('R4.1 all seven kinds have a CRD', (t) => {
  t.strictSame(
    crds().map(([path]) => path),
    [
      'crds/korproxy.dev_provideraccounts.yaml',
      'crds/korproxy.dev_providergroups.yaml',
      'crds/korproxy.dev_routingprofiles.yaml',
      'crds/korproxy.dev_gatewayclients.yaml',
      'crds/korproxy.dev_usagepolicies.yaml',
      'crds/korproxy.dev_modelcatalogs.yaml',
      'crds/korproxy.dev_gatewayconfigs.yaml',
    ],
  )
  t.end()
})

t.test('R4.1 the schemas are structural', (t) => {
  const offences = allNodes().filter(
    ([, node]) =>
      typeof node['type'] !== 'string' ||
      ['$ref', 'anyOf', 'oneOf', 'allOf', 'not', 'const'].some((keyword) => keyword in node) ||
      (node['additionalProperties'] !== undefined && node['properties'] !== undefined),
  )
  t.strictSame(
    offences.map(([path]) => path),
    [],
  )
  t.end()
})

t.test('R4.1 no pattern needs more than Go can match', (t) => {
  const patterns = allNodes().filter(([, node]) => /\(\?[=!<]|\\\//.test(String(node['pattern'] ?? '')))
  t.strictSame(patterns, [])
  t.end()
})

t.test('R4.1 every list, map and text is bounded, so that the rules stay within their cost', (t) => {
  const unbounded = ownNodes().filter(
    ([, node]) =>
      (node['type'] === 'array' && node['maxItems'] === undefined) ||
      (node['type'] === 'object' &&
        node['additionalProperties'] !== undefined &&
        node['maxProperties'] === undefined) ||
      (node['type'] === 'string' &&
        node['maxLength'] === undefined &&
        node['enum'] === undefined &&
        node['format'] !== 'date-time'),
  )
  t.strictSame(
    unbounded.map(([path]) => path),
    [],
  )
  t.end()
})

t.test('R4.1 every list says how it merges', (t) => {
  const lists = ownNodes().filter(([, node]) => node['type'] === 'array')
  t.strictSame(
    lists
      .filter(([, node]) => !['set', 'map', 'atomic'].includes(String(node['x-kubernetes-list-type'])))
      .map(([path]) => path),
    [],
  )
  t.end()
})

t.test('R4.1 every field says what it is for', (t) => {
  const silent = ownNodes().flatMap(([path, node]) =>
    Object.entries((node['properties'] ?? {}) as Record<string, Node>)
      .filter(([, child]) => typeof child['description'] !== 'string')
      .map(([name]) => `${path}.${name}`),
  )
  t.strictSame(silent, [])
  t.end()
})

t.test('R4.1 no field and no value has a name that YAML 1.1 reads as a boolean', (t) => {
  const names = allNodes().flatMap(([, node]) => [
    ...Object.keys((node['properties'] ?? {}) as object),
    ...((node['enum'] ?? []) as string[]),
  ])
  t.strictSame(
    names.filter((name) => /^(y|n|yes|no|on|off)$/i.test(name)),
    [],
  )
  t.end()
})

t.test('R4.1 no number is a float', (t) => {
  t.strictSame(
    ownNodes()
      .filter(([, node]) => node['type'] === 'number')
      .map(([path]) => path),
    [],
  )
  t.end()
})

t.test('R4.1 what a CRD cannot say stops the generator', (t) => {
  t.throws(() => structuralSchema(z.object({ a: z.union([z.string(), z.int()]) })), /anyOf at \.a/)
  t.throws(() => structuralSchema(z.object({ a: z.string().regex(/^(?!x)/) })), /lookaround pattern at \.a/)
  t.throws(() => structuralSchema(z.object({ a: z.unknown() })), /no single type at \.a/)
  t.end()
})
