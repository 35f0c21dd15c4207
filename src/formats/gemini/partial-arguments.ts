import type { JsonValue } from '../ir/chat-request.ts'
import { brokenReply, type PartialArg } from './reply-chunk.ts'

type Container = Record<string, JsonValue> | JsonValue[]

/** Arguments of a function call that comes in pieces, each with the JSON path of its value. */
export class PartialArguments {
  // Without a prototype a key such as __proto__ is a key like any other.
  readonly #root: Record<string, JsonValue> = Object.create(null)

  /** @throws KorProxyError KP-PROV-109 for a path or value that cannot be read */
  add(piece: PartialArg): void {
    const path = parsePath(piece.jsonPath ?? '')
    const last = path.pop()
    if (last === undefined) throw brokenReply('a partial argument has no path')
    let container: Container = this.#root
    for (const [at, step] of path.entries()) container = descend(container, step, path[at + 1] ?? last)
    const before = read(container, last)
    const value = readValue(piece)
    write(container, last, typeof before === 'string' && typeof value === 'string' ? before + value : value)
  }

  toJson(): string {
    return JSON.stringify(this.#root)
  }
}

const STEP = /\.([^.[\]'"]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/y

function parsePath(path: string): (string | number)[] {
  const steps: (string | number)[] = []
  let at = path.startsWith('$') ? 1 : 0
  while (at < path.length) {
    STEP.lastIndex = at
    const match = STEP.exec(path)
    if (match === null) throw brokenReply('the path of a partial argument cannot be read')
    const [whole, name, index, quoted, doubleQuoted] = match
    steps.push(index === undefined ? (name ?? quoted ?? doubleQuoted ?? '') : Number(index))
    at += whole.length
  }
  return steps
}

function descend(container: Container, step: string | number, next: string | number): Container {
  const found = read(container, step)
  // Whatever is an object here was made by this class, so it may be written to.
  if (typeof found === 'object' && found !== null) return found as Container
  const made: Container = typeof next === 'number' ? [] : Object.create(null)
  write(container, step, made)
  return made
}

function read(container: Container, step: string | number): JsonValue | undefined {
  if (Array.isArray(container)) return typeof step === 'number' ? container[step] : undefined
  return container[step]
}

function write(container: Container, step: string | number, value: JsonValue): void {
  if (!Array.isArray(container)) container[String(step)] = value
  else if (typeof step === 'number' && step <= container.length) container[step] = value
  else throw brokenReply('a partial argument leaves a gap in a list')
}

function readValue(piece: PartialArg): JsonValue {
  if (piece.stringValue !== undefined) return piece.stringValue
  if (piece.numberValue !== undefined) return piece.numberValue
  if (piece.boolValue !== undefined) return piece.boolValue
  if (piece.nullValue !== undefined) return null
  return ''
}
