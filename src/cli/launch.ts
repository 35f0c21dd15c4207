#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { basename } from 'node:path'
import { holdYoungGeneration, letYoungGenerationGrow } from './young-generation.ts'

// Compiled code is kept between starts: the second start takes two thirds of the time.
enableCompileCache()
holdYoungGeneration()
const { main } = await import('./main.ts')
letYoungGenerationGrow()

export { main }

if (import.meta.main) {
  const [, path = '', ...args] = process.argv
  // kubectl runs a plugin by this name.
  const program = basename(path).startsWith('kubectl-') ? 'kubectl korproxy' : 'korproxy'
  process.exitCode = await main(args, { program })
}
