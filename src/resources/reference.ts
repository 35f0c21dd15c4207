import { z } from 'zod'
import { objectName } from './name.ts'

/** A reference to an object of the same namespace; references never cross namespaces. */
export function objectReference(target: string) {
  return z.strictObject({ name: objectName().describe(`Name of a ${target} of this namespace.`) })
}

/** One key of a Secret of the same namespace. */
export function secretKeyReference(defaultKey: string) {
  return z.strictObject({
    name: objectName().describe('Name of a Secret of this namespace.'),
    key: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[-._a-zA-Z0-9]+$/, 'must be letters, digits, "-", "_" and "."')
      .default(defaultKey)
      .describe('Key within the Secret.'),
  })
}
