import { stringify } from 'yaml'
import { GROUP, type KindDefinition } from '#resources/kind-definition.ts'
import { KINDS } from '#resources/kinds.ts'
import { customResourceDefinition } from './custom-resource-definition.ts'
import { editorSchema } from './editor-schema.ts'
import { kebabCase, pageName, resourceIndex, resourcePage } from './resource-page.ts'

/** Folders that hold nothing but generated files. */
export const GENERATED_FOLDERS = ['crds', 'schemas', 'docs/reference/resources'] as const

/** Everything that is made from the kinds: content by path from the root of the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const definitions: readonly KindDefinition[] = Object.values(KINDS)
  return new Map([
    ...definitions.flatMap(filesOfKind),
    ['docs/reference/resources/README.md', resourceIndex(definitions)] as const,
  ])
}

function filesOfKind(definition: KindDefinition): (readonly [string, string])[] {
  return [
    [`crds/${GROUP}_${definition.plural}.yaml`, manifest(customResourceDefinition(definition))],
    [`schemas/${kebabCase(definition.kind)}.json`, `${JSON.stringify(editorSchema(definition), null, 2)}\n`],
    [`docs/reference/resources/${pageName(definition.kind)}`, resourcePage(definition)],
  ]
}

/** YAML 1.1, so that every reader takes text for text. */
function manifest(object: object): string {
  const notice = '# Made by `npm run generate` from src/resources; change it there.\n'
  return notice + stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}
