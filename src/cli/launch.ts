#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { basename } from 'node:path'
import { holdYoungGeneration } from './young-generation.ts'

// Before all else: V8 takes compiled code only under the flags that it was compiled under.
holdYoungGeneration()
// Compiled code is kept between starts: the second start takes two thirds of the time.
enableCompileCache()
const { main } = await import('./main.ts')

export { main }

if (import.meta.main) {
  const [, path = '', ...args] = process.argv
  // kubectl runs a plugin by this name.
  const program = basename(path).startsWith('kubectl-') ? 'kubectl korproxy' : 'korproxy'
  process.exitCode = await main(args, { program })
}
