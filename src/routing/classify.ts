import type { ModelFamily, RequestType } from '#table/routing-table.ts'
import { firstCommonBit } from './bit-set.ts'
import { TextIndex } from './text-index.ts'

/** The families of a tenant, ready for look-ups by model. */
export interface FamilyIndex {
  readonly families: readonly ModelFamily[]
  readonly patterns: TextIndex
}

/** Top-level keys of the JSON body. */
type BodyKeys = Pick<ReadonlySet<string>, 'has'>

export interface ClassifyFacts {
  /** `X-KorProxy-Request-Type`, where the caller may set it. */
  readonly override?: RequestType | undefined
  /** Undefined = the path leaves it open. */
  readonly pathType: RequestType | undefined
  readonly model: string | undefined
  readonly bodyKeys: BodyKeys
}

export interface ClassifiedType {
  readonly type: RequestType
  readonly by: 'header' | 'path' | 'family' | 'body' | 'default'
}

/** @param families in order of precedence: the first with a matching pattern is the model's */
export function buildFamilyIndex(families: readonly ModelFamily[]): FamilyIndex {
  const patterns = new TextIndex(families.length)
  families.forEach((family, index) => {
    for (const pattern of family.patterns) patterns.acceptGlob(index, pattern)
  })
  return { families, patterns }
}

export function familyOf(model: string | undefined, index: FamilyIndex): string | undefined {
  return findFamily(model, index)?.name
}

/** The type of a request: header > path > model family > body > `other`. */
export function classify(facts: ClassifyFacts, families: FamilyIndex): ClassifiedType {
  if (facts.override !== undefined) return { type: facts.override, by: 'header' }
  if (facts.pathType !== undefined) return { type: facts.pathType, by: 'path' }
  const familyType = findFamily(facts.model, families)?.requestType
  if (familyType !== undefined) return { type: familyType, by: 'family' }
  const bodyType = typeOfBody(facts.bodyKeys)
  return bodyType === undefined ? { type: 'other', by: 'default' } : { type: bodyType, by: 'body' }
}

function findFamily(model: string | undefined, { families, patterns }: FamilyIndex): ModelFamily | undefined {
  if (model === undefined) return undefined
  const index = firstCommonBit([patterns.lookUp(model)], () => true)
  return index === undefined ? undefined : families[index]
}

function typeOfBody(keys: BodyKeys): RequestType | undefined {
  if (keys.has('messages')) return 'chat'
  if (keys.has('prompt')) return 'completion'
  return keys.has('input') ? 'embedding' : undefined
}
