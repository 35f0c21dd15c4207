import { toYaml } from './output.ts'

/** Manifests as one file of several documents. */
export function renderManifests(objects: readonly object[]): string {
  return objects.map(toYaml).join('---\n')
}
