import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar as ScalarNode,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { ErrorCode } from '#errors/registry.ts'
import { formatFieldPath } from '#resources/field-path.ts'
import { coreScalar, kubectlScalar, type Scalar } from './kubectl-scalar.ts'

const MAX_DEPTH = 100
/** Nodes that aliases may stand for in one document: enough for every honest file, too few for an alias bomb. */
const MAX_ALIASED_NODES = 10_000
const TAG_PREFIX = 'tag:yaml.org,2002:'

/** Offsets in the text, in the shape of the value. */
export interface Offsets {
  /** Of the key, or of the item of a list. */
  readonly offset: number
  readonly fields: ReadonlyMap<string, Offsets>
  readonly items: readonly Offsets[]
}
export interface ValueFinding {
  readonly code: ErrorCode
  readonly message: string
  readonly path: string
  readonly offset: number
}
export interface YamlValue {
  readonly value: unknown
  readonly offsets: Offsets
  readonly findings: readonly ValueFinding[]
}

interface Reading {
  readonly anchors: Map<string, Node>
  /** Anchors whose content is being read: an alias to one of them would never end. */
  readonly open: Set<Node>
  readonly findings: ValueFinding[]
  aliasDepth: number
  aliasedNodes: number
}
type Path = readonly (string | number)[]
interface Read {
  readonly value: unknown
  readonly offsets: Offsets
}

/** The value of a document as kubectl reads it. Expects nodes of the failsafe schema, where every scalar is still text. */
export function yamlValue(root: Node): YamlValue {
  const reading: Reading = { anchors: new Map(), open: new Set(), findings: [], aliasDepth: 0, aliasedNodes: 0 }
  const { value, offsets } = readNode(root, [], reading)
  return { value, offsets, findings: reading.findings }
}

function readNode(node: Node | null | undefined, path: Path, reading: Reading): Read {
  if (node === null || node === undefined) return leaf(null, 0)
  if (reading.aliasDepth > 0) reading.aliasedNodes++
  if (path.length > MAX_DEPTH) return refuse(node, path, reading, 'is nested too deep')
  if (isAlias(node)) return readAlias(node, path, reading)
  if (reading.aliasDepth === 0 && 'anchor' in node && typeof node.anchor === 'string')
    reading.anchors.set(node.anchor, node)
  reading.open.add(node)
  const read = readContent(node, path, reading)
  reading.open.delete(node)
  return read
}

function readContent(node: Node, path: Path, reading: Reading): Read {
  if (isMap(node)) return readMap(node, path, reading)
  if (isSeq(node)) return readList(node, path, reading)
  if (isScalar(node)) return leaf(readScalar(node, path, reading), offsetOf(node))
  return refuse(node, path, reading, 'is not readable')
}

function readAlias(alias: Alias, path: Path, reading: Reading): Read {
  const target = reading.anchors.get(alias.source)
  if (target === undefined) return refuse(alias, path, reading, `alias *${alias.source} has no anchor before it`)
  if (reading.open.has(target)) return refuse(alias, path, reading, `alias *${alias.source} contains itself`)
  if (reading.aliasedNodes > MAX_ALIASED_NODES) return refuse(alias, path, reading, 'aliases stand for too much')
  reading.aliasDepth++
  const { value, offsets } = readNode(target, path, reading)
  reading.aliasDepth--
  return { value, offsets: { ...offsets, offset: offsetOf(alias) } }
}

function readMap(node: YAMLMap, path: Path, reading: Reading): Read {
  const entries = new Map<string, unknown>()
  const fields = new Map<string, Offsets>()
  const merged: Read[] = []
  for (const pair of node.items) {
    // Parsed documents hold nodes on both sides of a pair.
    const [keyNode, valueNode] = [pair.key as Node, pair.value as Node | null]
    if (isMergeKey(keyNode)) {
      merged.push(...readMerge(valueNode, path, reading))
      continue
    }
    const key = readKey(keyNode, path, reading)
    if (key === undefined) continue
    if (entries.has(key)) refuse(keyNode, [...path, key], reading, 'is given twice')
    const { value, offsets } = readNode(valueNode, [...path, key], reading)
    entries.set(key, value)
    fields.set(key, { ...offsets, offset: offsetOf(keyNode) })
  }
  for (const source of merged) addMissing(entries, fields, source)
  return { value: Object.fromEntries(entries), offsets: { offset: offsetOf(node), fields, items: [] } }
}

/** A merged map gives only what the map itself does not say. */
function addMissing(entries: Map<string, unknown>, fields: Map<string, Offsets>, { value, offsets }: Read): void {
  for (const [key, part] of Object.entries(value ?? {})) {
    if (entries.has(key)) continue
    entries.set(key, part)
    const position = offsets.fields.get(key)
    if (position !== undefined) fields.set(key, position)
  }
}

function isMergeKey(node: Node): boolean {
  return isScalar(node) && node.type === 'PLAIN' && node.source === '<<'
}

/** @see https://yaml.org/type/merge.html */
function readMerge(node: Node | null, path: Path, reading: Reading): Read[] {
  const sources = isSeq(node) ? node.items : [node]
  return sources.flatMap((source) => {
    // Parsed lists hold nodes.
    const read = readNode(source as Node | null, path, reading)
    if (typeof read.value === 'object' && read.value !== null && !Array.isArray(read.value)) return [read]
    refuse(node, path, reading, '<< needs a map')
    return []
  })
}

/** JSON knows only text as keys: kubectl turns `on:` into "true" and `1:` into "1". */
function readKey(node: Node, path: Path, reading: Reading): string | undefined {
  const { value } = isAlias(node)
    ? readAlias(node, path, reading)
    : leaf(isScalar(node) ? readScalar(node, path, reading) : null, 0)
  if (value !== null && typeof value !== 'object') return String(value)
  refuse(node, path, reading, 'a key must be text')
  return undefined
}

function readList(node: YAMLSeq, path: Path, reading: Reading): Read {
  // Parsed lists hold nodes.
  const items = node.items.map((item, index) => readNode(item as Node, [...path, index], reading))
  return {
    value: items.map(({ value }) => value),
    offsets: { offset: offsetOf(node), fields: new Map(), items: items.map(({ offsets }) => offsets) },
  }
}

function readScalar(node: ScalarNode, path: Path, reading: Reading): Scalar {
  const text = node.source ?? String(node.value)
  const tag = node.tag?.startsWith(TAG_PREFIX) ? node.tag.slice(TAG_PREFIX.length) : node.tag
  if (tag === undefined) return node.type === 'PLAIN' ? readPlain(node, text, path, reading) : text
  if (tag === 'binary') return Buffer.from(text, 'base64').toString('utf8')
  const wanted = TYPE_OF_TAG[tag]
  if (wanted === undefined) return text
  const value = kubectlScalar(text)
  if (wanted !== (value === null ? 'null' : typeof value)) refuse(node, path, reading, `is no !!${tag}`)
  return value
}

const TYPE_OF_TAG: Readonly<Record<string, string>> = { int: 'number', float: 'number', bool: 'boolean', null: 'null' }

function readPlain(node: ScalarNode, text: string, path: Path, reading: Reading): Scalar {
  const value = kubectlScalar(text)
  if (typeof value === 'number' && !Number.isFinite(value))
    refuse(node, path, reading, 'kubectl reads no infinite numbers')
  else if (!Object.is(value, coreScalar(text)) && reading.aliasDepth === 0) {
    reading.findings.push({
      code: 'KP-CONF-211',
      message: `unquoted, kubectl reads this as ${KUBECTL_READS[typeof value] ?? `${value}; write ${value}`} or put it in quotes`,
      path: formatFieldPath(path),
      offset: offsetOf(node),
    })
  }
  return value
}

/** The value itself may be a secret; only true, false and null are told. */
const KUBECTL_READS: Readonly<Record<string, string>> = {
  number: 'a number of another form (octal, binary, with "_"); write it in decimal',
  string: 'text; write a plain number',
}

function refuse(node: Node | null, path: Path, reading: Reading, message: string): Read {
  const offset = node === null ? 0 : offsetOf(node)
  reading.findings.push({ code: 'KP-CONF-201', message, path: formatFieldPath(path), offset })
  return leaf(null, offset)
}

function leaf(value: unknown, offset: number): Read {
  return { value, offsets: { offset, fields: new Map(), items: [] } }
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0
}
