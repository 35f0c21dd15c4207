import type { z } from 'zod'

/**
 * A rule over several fields, said twice: `holds` for manifests in a folder, `cel` for the API server.
 * The two must agree on every value that the plain schema accepts, defaults filled in. In `cel` a field with a default still needs
 * `has()`: the API server evaluates the rule on `default: {}` before nested defaults are there.
 */
export interface Rule<Value> {
  readonly message: string
  readonly cel: string
  /** The field of this object to blame; without it the object itself. */
  readonly field?: string
  readonly holds: (value: Value) => boolean
}

/** A rule between the old and the new form of an object; only the API server sees both. */
export interface TransitionRule {
  readonly message: string
  readonly cel: string
  readonly field?: string
}

export const VALIDATIONS = 'x-kubernetes-validations'

export function withRules<Schema extends z.ZodType>(schema: Schema, rules: readonly Rule<z.output<Schema>>[]): Schema {
  const checked = schema.superRefine((value, context) => {
    for (const rule of rules) {
      if (!rule.holds(value)) {
        context.addIssue({ code: 'custom', message: rule.message, path: rule.field === undefined ? [] : [rule.field] })
      }
    }
  })
  return withTransitionRules(checked, rules)
}

export function withTransitionRules<Schema extends z.ZodType>(
  schema: Schema,
  rules: readonly TransitionRule[],
): Schema {
  const before = schema.meta()?.[VALIDATIONS]
  const added = rules.map((rule) => ({
    rule: rule.cel,
    message: rule.message,
    ...(rule.field === undefined ? {} : { fieldPath: `.${rule.field}` }),
  }))
  return schema.meta({ ...schema.meta(), [VALIDATIONS]: [...(Array.isArray(before) ? before : []), ...added] })
}
