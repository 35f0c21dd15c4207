import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Linux reports CPU time in ticks of 10 ms (`getconf CLK_TCK` is 100 on every platform that Node supports). */
const TICKS_PER_SECOND = 100

/** A process and all its descendants, as they are now. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    const parent = /^\d+$/.test(entry) ? Number(statFields(Number(entry))[1]) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const tree = [root]
  // The array grows while it is walked: children are appended behind their parent.
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** User and system time that these processes have used, all threads included, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => Number(statFields(pid)[11] ?? 0) + Number(statFields(pid)[12] ?? 0))
  return ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND
}

/** Memory of these processes in MB: shared pages are counted once (Pss). */
export function memoryMB(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(readProc(`${pid}/smaps_rollup`))?.[1] ?? 0))
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024
}

/** CPU time that all processes of the machine have used, in seconds. */
export function machineBusySeconds(): number {
  const [user, nice, system, idle, wait, ...interrupts] =
    readProc('stat').split('\n')[0]?.split(/\s+/).slice(1, 9) ?? []
  if (idle === undefined || wait === undefined) throw new Error('/proc/stat has an unknown form')
  const busy = [user, nice, system, ...interrupts].reduce((sum, value) => sum + Number(value), 0)
  return busy / TICKS_PER_SECOND
}

export function machineDescription(): string {
  const model = /^model name\s*:\s*(.+)$/m.exec(readProc('cpuinfo'))?.[1] ?? process.arch
  return `${availableParallelism()} CPUs (${model}), Node ${process.versions.node}`
}

/** The fields of /proc/PID/stat after the name, which may itself hold spaces; empty when the process is gone. */
function statFields(pid: number): string[] {
  const text = readProc(`${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** A process may end while it is looked at: what cannot be read counts as nothing. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
