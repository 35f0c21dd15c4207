import type { ErrorCode } from '#errors/registry.ts'

/** Lines and columns count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}
export interface YamlFinding extends Position {
  readonly code: ErrorCode
  readonly message: string
  /** Field within the object; empty for the whole file. */
  readonly path: string
}
export interface YamlObject {
  readonly value: unknown
  /** Values that kubectl reads in another way than most tools. */
  readonly warnings: readonly YamlFinding[]
  /** Position of a field such as `spec.rules[2].name`, or of the closest thing around it that exists. */
  readonly locate: (path: string) => Position
}
export interface YamlContent {
  readonly objects: readonly YamlObject[]
  /** Of the documents that are not readable; none of their objects is there. */
  readonly errors: readonly YamlFinding[]
}
