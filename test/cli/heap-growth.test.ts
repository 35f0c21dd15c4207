import { spawnSync } from 'node:child_process'
import t from 'tap'

const MODULE = new URL('../../src/cli/heap-growth.ts', import.meta.url).href

/** Largest size of a space of the heap, in MiB, of a process that keeps much of what it allocates for a while. */
function largestMiB(start: string, space = 'new_space'): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { setImmediate } from 'node:timers/promises'
    import { holdYoungGeneration, limitOldGeneration, limitYoungGeneration } from '${MODULE}'
    ${start}
    const kept = []
    let largest = 0
    for (let round = 0; round < 2000; round++) {
      for (let k = 0; k < 400; k++) kept[(round * 400 + k) % 200_000] = { list: new Array(20).fill(k), text: 'x' + k }
      await setImmediate()
      largest = Math.max(largest, getHeapSpaceStatistics().find((space) => space.space_name === '${space}').space_size)
    }
    console.log(Math.round(largest / 1024 / 1024))
  `
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  return Number(stdout)
}

/** Pages of a collection that is under way count too, so the sizes are no exact ones. */
const BETWEEN_MIB = 40

t.test('the young generation of V8 stays small during the start, and is limited afterwards', (t) => {
  const sizes = {
    held: largestMiB('holdYoungGeneration()'),
    limited: largestMiB('holdYoungGeneration(); limitYoungGeneration()'),
    byItself: largestMiB(''),
  }
  t.ok(sizes.held > 0 && sizes.held < BETWEEN_MIB, `held: ${sizes.held} MiB`)
  t.ok(sizes.limited > 0 && sizes.limited < BETWEEN_MIB, `limited: ${sizes.limited} MiB`)
  t.ok(sizes.byItself > BETWEEN_MIB, `by itself: ${sizes.byItself} MiB`)
  t.end()
})

t.test('the old generation of V8 is collected before it has become much larger than what is alive', (t) => {
  const limited = largestMiB('limitOldGeneration()', 'old_space')
  const byItself = largestMiB('', 'old_space')
  t.ok(limited > 0 && limited < byItself * 0.8, `${limited} MiB, by itself ${byItself} MiB`)
  t.end()
})
