import { z } from 'zod'
import { itemName, OBJECT_NAME, objectName } from './name.ts'

const MAX_PREFIX_LENGTH = 253
const KEY_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const MAX_ANNOTATIONS_LENGTH = 256 * 1024

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
function isQualifiedName(key: string): boolean {
  const parts = key.split('/')
  const [prefix = '', name = ''] = parts.length === 1 ? ['korproxy.dev', ...parts] : parts
  return parts.length <= 2 && prefix.length <= MAX_PREFIX_LENGTH && OBJECT_NAME.test(prefix) && KEY_NAME.test(name)
}

const qualifiedName = z
  .string()
  .refine(isQualifiedName, 'is no valid key: [prefix/]name, name up to 63 letters, digits, "-", "_", "."')

const labels = z.record(
  qualifiedName,
  z
    .string()
    .max(63)
    .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, 'must be up to 63 letters, digits, "-", "_", "."'),
)

const annotations = z
  .record(qualifiedName, z.string())
  .refine(
    (entries) =>
      Object.entries(entries).reduce((sum, [key, value]) => sum + key.length + value.length, 0) <=
      MAX_ANNOTATIONS_LENGTH,
    'must not be longer than 256 KiB in all',
  )

/** Fields that the API server writes; read where they are of use, else passed over. */
const serverFields = {
  creationTimestamp: z.unknown().optional(),
  deletionGracePeriodSeconds: z.unknown().optional(),
  deletionTimestamp: z.unknown().optional(),
  finalizers: z.unknown().optional(),
  generateName: z.unknown().optional(),
  managedFields: z.unknown().optional(),
  ownerReferences: z.unknown().optional(),
  selfLink: z.unknown().optional(),
}

/** `metadata` as the API server accepts it. */
export const objectMetadata = z.strictObject({
  name: objectName(),
  namespace: itemName().optional(),
  labels: labels.optional(),
  annotations: annotations.optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.int().optional(),
  ...serverFields,
})
