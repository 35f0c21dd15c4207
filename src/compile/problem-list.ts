import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import type { Problem, Resource } from '#resources/resource.ts'
import { referenceOf } from '#resources/resource.ts'

/** What is wrong across objects, collected while the rest is compiled. */
export class ProblemList {
  readonly all: Problem[] = []

  /** Nothing is wrong with any object, but nothing can be served. */
  addNoAccount(namespace: string): void {
    const ref = { kind: 'Namespace', namespace, name: namespace }
    this.all.push({ ref, path: '', code: 'KP-CONF-218', message: ERRORS['KP-CONF-218'].message })
  }

  add(resource: Resource, path: string, code: ErrorCode, message: string): void {
    const position = resource.source?.locate(path)
    this.all.push({ ref: referenceOf(resource), path, code, message, ...(position && { position }) })
  }
}
