import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHART_FOLDERS, chartFiles } from './chart-files.ts'
import { GENERATED_DOCS_FOLDER, generatedDocs } from './generated-docs.ts'
import { GENERATED_FOLDERS, generatedFiles } from './generated-files.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** Writes what is made from the kinds, the errors, the commands and the metrics, and removes what is no longer made. */
const ofKinds = generatedFiles()
const files = new Map([...ofKinds, ...generatedDocs(), ...chartFiles(ofKinds)])
for (const [path, content] of files) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), content)
}
for (const folder of [...GENERATED_FOLDERS, GENERATED_DOCS_FOLDER, ...CHART_FOLDERS]) {
  for (const name of readdirSync(join(ROOT, folder))) {
    if (!files.has(`${folder}/${name}`)) rmSync(join(ROOT, folder, name))
  }
}
console.log(`${files.size} files written`)
