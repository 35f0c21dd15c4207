import { z } from 'zod'
import { checkPart, unknownField } from '#resources/finding.ts'
import { objectMetadata } from '#resources/object-metadata.ts'
import { metadataOf, nameOfObject } from '#resources/parse-resource.ts'
import type { ObjectMetadata, Problem, ResourceSource } from '#resources/resource.ts'

/** A Secret as its manifest says it; who reads it again and again gives it a version. */
export interface SecretManifest {
  readonly metadata: ObjectMetadata
  readonly data: Readonly<Record<string, string>>
  readonly source: ResourceSource
}
export type SecretResult = { readonly secret: SecretManifest } | { readonly problems: readonly Problem[] }

const FIELDS = ['apiVersion', 'kind', 'metadata', 'type', 'immutable', 'data', 'stringData']
const key = z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/, 'must be letters, digits, "-", "_" and "."')
const data = z.record(key, z.base64('must be base64')).optional()
const stringData = z.record(key, z.string()).optional()

export function isSecret(value: Readonly<Record<string, unknown>>): boolean {
  return value['apiVersion'] === 'v1' && value['kind'] === 'Secret'
}

/** Reads a `v1` Secret. `stringData` is stronger than `data`. No message quotes a value. @see https://kubernetes.io/docs/concepts/configuration/secret/ */
export function parseSecret(
  value: Readonly<Record<string, unknown>>,
  { namespace, source }: { namespace: string; source: ResourceSource },
): SecretResult {
  const metadata = checkPart(objectMetadata, value['metadata'], 'metadata')
  const encoded = checkPart(data, value['data'] ?? undefined, 'data')
  const plain = checkPart(stringData, value['stringData'] ?? undefined, 'stringData')
  const unknownFields = Object.keys(value).filter((field) => !FIELDS.includes(field))
  const findings = [
    ...unknownFields.map((field) => unknownField([field], FIELDS)),
    ...metadata.findings,
    ...encoded.findings,
    ...plain.findings,
  ]
  if (findings.length > 0 || metadata.value === undefined) {
    const ref = nameOfObject(value, namespace)
    return { problems: findings.map((finding) => ({ ref, ...finding, position: source.locate(finding.path) })) }
  }
  const decoded = Object.entries(encoded.value ?? {}).map(([name, text]) => [
    name,
    Buffer.from(text, 'base64').toString('utf8'),
  ])
  return {
    secret: {
      metadata: metadataOf(metadata.value, namespace),
      data: { ...Object.fromEntries(decoded), ...plain.value },
      source,
    },
  }
}
