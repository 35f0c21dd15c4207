import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url))

/** npm starts each script with `sh -c` and signals that shell only; not every shell passes a signal on. */
t.test('the shell that npm starts becomes the script, so that its signals arrive', (t) => {
  const folder = t.testdir({})
  writeFileSync(join(folder, 'node'), '#!/bin/sh\necho $$\n')
  chmodSync(join(folder, 'node'), 0o755)
  const { scripts } = JSON.parse(readFileSync(PACKAGE, 'utf8'))
  t.ok('start' in scripts)
  for (const [name, line] of Object.entries(scripts)) {
    const { pid, stdout } = spawnSync('sh', ['-c', String(line)], {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env['PATH']}` },
    })
    t.equal(stdout, `${pid}\n`, name)
  }
  t.end()
})
