import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GENERATED_FOLDERS, generatedFiles } from './generated-files.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** Writes what is made from the kinds, and removes what is no longer made. */
const files = generatedFiles()
for (const [path, content] of files) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), content)
}
for (const folder of GENERATED_FOLDERS) {
  for (const name of readdirSync(join(ROOT, folder))) {
    if (!files.has(`${folder}/${name}`)) rmSync(join(ROOT, folder, name))
  }
}
console.log(`${files.size} files written`)
