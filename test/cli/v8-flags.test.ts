import { spawnSync } from 'node:child_process'
import t from 'tap'

const MODULE = new URL('../../src/cli/v8-flags.ts', import.meta.url).href

/** Largest size of the young generation, in MiB, of a process that keeps much of what it allocates. */
function largestMiB(start: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { setImmediate } from 'node:timers/promises'
    import { setFlagsForStart, setFlagsForServing } from '${MODULE}'
    ${start}
    const kept = []
    let largest = 0
    for (let round = 0; round < 2000; round++) {
      for (let k = 0; k < 400; k++) kept[(round * 400 + k) % 200_000] = { list: new Array(20).fill(k), text: 'x' + k }
      await setImmediate()
      largest = Math.max(largest, getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size)
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
    held: largestMiB('setFlagsForStart()'),
    limited: largestMiB('setFlagsForStart(); setFlagsForServing()'),
    byItself: largestMiB(''),
  }
  t.ok(sizes.held > 0 && sizes.held < BETWEEN_MIB, `held: ${sizes.held} MiB`)
  t.ok(sizes.limited > 0 && sizes.limited < BETWEEN_MIB, `limited: ${sizes.limited} MiB`)
  t.ok(sizes.byItself > BETWEEN_MIB, `by itself: ${sizes.byItself} MiB`)
  t.end()
})

/** How often the old generation is collected while 600 MB go through it. */
function majorCollections(start: string): number {
  const script = `
    import { PerformanceObserver, constants } from 'node:perf_hooks'
    import { setImmediate } from 'node:timers/promises'
    import { setFlagsForServing } from '${MODULE}'
    ${start}
    let major = 0
    new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) major += 1
    }).observe({ entryTypes: ['gc'] })
    const kept = []
    for (let at = 0; at < 3_000_000; at++) {
      kept[at % 100_000] = { list: new Array(20).fill(at), text: 'x' + at }
      if (at % 400 === 0) await setImmediate()
    }
    await setImmediate()
    console.log(major)
  `
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  return Number(stdout)
}

t.test('the old generation of V8 is collected before it has become much larger than what is alive', (t) => {
  const [limited, byItself] = [majorCollections('setFlagsForServing()'), majorCollections('')]
  t.ok(byItself > 0 && limited > byItself * 1.3, `${limited} collections, by itself ${byItself}`)
  t.end()
})

/** Bit of V8's optimisation status that says that a function is optimised, by whichever compiler. */
const OPTIMIZED = 1 << 4

t.test(
  'what runs a little is not optimised during the start, what runs much is; while the process serves both are',
  (t) => {
    const script = `
    import { setTimeout } from 'node:timers/promises'
    import { setFlagsForServing, setFlagsForStart } from '${MODULE}'
    async function becomesOptimized(calls) {
      const add = new Function('a', 'b', 'return a + b')
      for (let at = 0; at < calls; at++) add(at, 1)
      // The compilers work beside; a function takes what they made at its next call.
      await setTimeout(100)
      add(1, 1)
      return (%GetOptimizationStatus(add) & ${OPTIMIZED}) !== 0
    }
    const measure = async () => ({ little: await becomesOptimized(3_000), much: await becomesOptimized(30_000) })
    setFlagsForStart()
    const start = await measure()
    setFlagsForServing()
    console.log(JSON.stringify({ start, serving: await measure() }))
  `
    const args = ['--allow-natives-syntax', '--input-type=module', '--eval', script]
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    t.strictSame(JSON.parse(stdout), {
      start: { little: false, much: true },
      serving: { little: true, much: true },
    })
    t.end()
  },
)
