import { itemsOf, readFullYaml } from './full-yaml.ts'
import { locateJsonError } from './json-error.ts'
import { readPlainYaml } from './plain-yaml.ts'
import type { Position, YamlContent, YamlObject } from './yaml-content.ts'

/** Reads all objects of a text as kubectl does: several documents, lists of objects, JSON. Error messages quote no values. */
export function readYaml(text: string, syntax: 'YAML' | 'JSON'): YamlContent {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text
  const error = syntax === 'JSON' ? locateJsonError(content) : undefined
  if (error !== undefined) {
    return { objects: [], errors: [{ code: 'KP-CONF-201', message: 'is not valid JSON', path: '', ...error }] }
  }
  const positions = new Positions(content)
  const plain = readPlainYaml(content)
  if (plain === undefined) {
    const { objects, errors } = readFullYaml(content)
    positions.remember(objects)
    return {
      errors,
      objects: objects.map(({ value, warnings }, at) => ({ value, warnings, locate: positions.of(at) })),
    }
  }
  const values = plain.flatMap((value) => itemsOf(value) ?? [value])
  return { errors: [], objects: values.map((value, at) => ({ value, warnings: [], locate: positions.of(at) })) }
}

/** Finds positions by reading the text once more: few are ever asked for, and all of them take many times the memory of the text. */
class Positions {
  readonly #content: string
  #objects: WeakRef<readonly YamlObject[]> | undefined

  constructor(content: string) {
    this.#content = content
  }

  remember(objects: readonly YamlObject[]): void {
    this.#objects = new WeakRef(objects)
  }

  /** Of the fields of one object of the text. */
  of(at: number): (path: string) => Position {
    return (path) => this.#read()[at]?.locate(path) ?? { line: 1, column: 1 }
  }

  #read(): readonly YamlObject[] {
    const known = this.#objects?.deref()
    if (known !== undefined) return known
    const { objects } = readFullYaml(this.#content)
    this.remember(objects)
    return objects
  }
}
