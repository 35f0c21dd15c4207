import { enableCompileCache } from 'node:module'

// Compiled code is kept between starts: the second start takes two thirds of the time.
enableCompileCache()
const { main } = await import('./main.ts')

export { main }

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
