import { z } from 'zod'

/**
 * Names as Kubernetes defines them.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
export const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** Name of an object: an RFC 1123 subdomain. */
export function objectName() {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(
      OBJECT_NAME,
      'must be lower-case letters, digits, "-" and "."; first, last and beside a "." a letter or digit',
    )
}

/** Name of an item within an object: an RFC 1123 label. */
export function itemName() {
  return z
    .string()
    .min(1)
    .max(63)
    .regex(LABEL_NAME, 'must be lower-case letters, digits and "-"; first and last a letter or digit')
}

/** Name shown to people. */
export function displayName() {
  return z.string().max(64).describe('Name shown to people; the object name when absent.')
}

/** Name of a model as a provider or a client writes it. */
export function modelName() {
  return z.string().min(1).max(128)
}

/** Model names with `*` for any run of characters, `/` included. */
export function modelGlob() {
  return z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9._:/@*+-]+$/, 'must be a model name, "*" standing for any run of characters')
}

const REQUEST_TYPES = ['chat', 'completion', 'embedding', 'other'] as const

export function requestType() {
  return z.enum(REQUEST_TYPES)
}
