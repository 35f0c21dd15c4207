import { z } from 'zod'
import { API_VERSION, type KindDefinition } from '#resources/kind-definition.ts'
import { asNode, isNode, omit, type SchemaNode } from './structural-schema.ts'

/**
 * What an editor checks and completes manifests with: `# yaml-language-server: $schema=…`. Unlike the API server it refuses unknown fields.
 */
export function editorSchema(definition: KindDefinition): SchemaNode {
  const spec = asNode(z.toJSONSchema(definition.spec, { target: 'draft-7', io: 'input', reused: 'inline' }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: definition.kind,
    description: definition.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { const: API_VERSION },
      kind: { const: definition.kind },
      metadata: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', minLength: 1, maxLength: 253 } },
      },
      spec: withoutClusterKeywords(spec),
      status: { type: 'object' },
    },
    additionalProperties: false,
  }
}

export function withoutClusterKeywords(node: SchemaNode): SchemaNode {
  const cluster = Object.keys(node).filter((keyword) => keyword.startsWith('x-kubernetes-') || keyword === '$schema')
  return Object.fromEntries(
    Object.entries(omit(node, cluster)).map(([keyword, value]) => [
      keyword,
      isNode(value) ? withoutClusterKeywords(value) : value,
    ]),
  )
}
