import { buildProgram } from './build.ts'

/** `npm run korproxy -- ARGS`: the command line as it is shipped. */
await buildProgram()
const program: { main(args: readonly string[]): Promise<number> } = await import(
  new URL('../dist/korproxy.js', import.meta.url).href
)
process.exitCode = await program.main(process.argv.slice(2))
