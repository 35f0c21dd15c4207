import { isRecord } from '#resources/finding.ts'
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

/** An object of a file: a resource or a Secret, or neither when it is invalid. */
export interface ManifestObject {
  readonly ref: ObjectReference
  readonly resource?: Resource
  readonly secret?: SecretManifest
  readonly problems: readonly Problem[]
}
export interface ManifestFile {
  readonly objects: readonly ManifestObject[]
  /** Not empty: the file as a whole is not readable, and there are no objects. */
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
  const parsed = parseResource(value, { namespace, source })
  return 'resource' in parsed
    ? { ref: referenceOf(parsed.resource), resource: parsed.resource, problems: told }
    : { ref, problems: [...told, ...parsed.problems] }
}

function problemOf({ code, message, path, line, column }: YamlFinding, ref: ObjectReference, file: string): Problem {
  return { ref, path, message, code, position: { file, line, column } }
}
