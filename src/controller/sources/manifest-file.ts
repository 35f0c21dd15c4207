import { isRecord } from '#resources/finding.ts'
import { GROUP } from '#resources/kind-definition.ts'
import { isKind } from '#resources/kinds.ts'
import { nameOfObject, parseResource } from '#resources/parse-resource.ts'
import {
  type ObjectReference,
  type Problem,
  type Resource,
  type ResourceSource,
  referenceOf,
} from '#resources/resource.ts'
import { isSecret, parseSecret, type SecretManifest } from './parse-secret.ts'
import { readYaml } from './read-yaml.ts'
import type { YamlFinding, YamlObject } from './yaml-content.ts'

const API_VERSION = /^([a-z0-9.-]+\/)?v\d\w*$/

/** An object of a file: a resource or a Secret, or neither when it is invalid or not ours. */
export interface ManifestObject {
  readonly ref: ObjectReference
  readonly resource?: Resource
  readonly secret?: SecretManifest
  readonly problems: readonly Problem[]
  /** It is invalid, and was meant to be a GatewayClient for all that can be told. */
  readonly mayBeClient?: true
}
export interface ManifestFile {
  readonly objects: readonly ManifestObject[]
  /** Of the documents that are not readable; nobody knows what they hold. */
  readonly errors: readonly Problem[]
}

/** Reads the objects of one file. `namespace` is for objects that name none. */
export function parseManifests(text: string, file: string, namespace: string): ManifestFile {
  const content = readYaml(text, file.endsWith('.json') ? 'JSON' : 'YAML')
  const nothing = { kind: '', namespace, name: '' }
  return {
    errors: content.errors.map((error) => problemOf(error, nothing, file)),
    objects: content.objects.map((object) => parseObject(object, file, namespace)),
  }
}

function parseObject({ value, warnings, locate }: YamlObject, file: string, namespace: string): ManifestObject {
  const source: ResourceSource = { file, locate: (path) => ({ file, ...locate(path) }) }
  const ref = nameOfObject(value, namespace)
  const told = warnings.map((warning) => problemOf(warning, ref, file))
  if (isRecord(value) && isSecret(value)) {
    const parsed = parseSecret(value, { namespace, source })
    return 'secret' in parsed
      ? { ref, secret: parsed.secret, problems: told }
      : { ref, problems: [...told, ...parsed.problems] }
  }
  const foreign = foreignKind(value)
  if (foreign !== undefined) {
    const message = `${foreign} is none of KorProxy's and is left out`
    return {
      ref,
      problems: [...told, { ref, path: 'kind', message, code: 'KP-CONF-227', position: source.locate('kind') }],
    }
  }
  const parsed = parseResource(value, { namespace, source })
  return 'resource' in parsed
    ? { ref: referenceOf(parsed.resource), resource: parsed.resource, problems: told }
    : { ref, problems: [...told, ...parsed.problems], ...(mayBeClient(value) && { mayBeClient: true }) }
}

/** Of a Kubernetes API that has nothing to do with this one: files of a cluster stand beside each other. Undefined where it may be a slip. */
function foreignKind(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined
  const { kind, apiVersion } = value
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || kind === 'Secret' || isKind(kind)) return undefined
  return API_VERSION.test(apiVersion) && !apiVersion.includes('korproxy') ? `${kind} of ${apiVersion}` : undefined
}

/** The kind may be misspelled and the group forgotten; what another group or one of our other kinds names is no client. */
function mayBeClient(value: unknown): boolean {
  if (!isRecord(value)) return true
  const { kind, apiVersion } = value
  if (typeof kind === 'string' && (isKind(kind) || kind === 'Secret')) return kind === 'GatewayClient'
  return typeof apiVersion === 'string' ? apiVersion.startsWith(GROUP) : 'kind' in value || 'spec' in value
}

function problemOf({ code, message, path, line, column }: YamlFinding, ref: ObjectReference, file: string): Problem {
  return { ref, path, message, code, position: { file, line, column } }
}
