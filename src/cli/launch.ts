#!/usr/bin/env node
import * as modules from 'node:module'
import { basename } from 'node:path'
import { setFlagsForStart } from './v8-flags.ts'

const NEEDED_MAJOR = 24

const SERVERS: ReadonlySet<string | undefined> = new Set(['serve', 'gateway', 'controller', 'mock-provider'])

/** What a server loads of Node itself, and what these load. Loaded later, under flags that are not Node's own, they take twice the time. */
const BUILTINS_OF_SERVERS = [
  'child_process',
  'crypto',
  'dns/promises',
  'fs/promises',
  'http',
  'tls',
  'worker_threads',
  'zlib',
]

// Without this an older Node would end in a TypeError or at an import that it does not have.
if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(`korproxy needs Node ${NEEDED_MAJOR} or later, this is ${process.version}\n`)
  process.exit(1)
}

// V8 takes compiled code only under the flags that it was compiled under: first what Node brings compiled, then flags, then our own.
if (SERVERS.has(process.argv[2])) for (const name of BUILTINS_OF_SERVERS) process.getBuiltinModule(name)
setFlagsForStart()

// Compiled code is kept between starts: the second start takes two thirds of the time.
modules.enableCompileCache()
const { main } = await import('./main.ts')

export { main }

if (import.meta.main) {
  const [, path = '', ...args] = process.argv
  // kubectl runs a plugin by this name.
  const program = basename(path).startsWith('kubectl-') ? 'kubectl korproxy' : 'korproxy'
  process.exitCode = await main(args, { program })
}
