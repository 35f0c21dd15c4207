import { buildProgram } from './build.ts'

const PORT = 1337

/** `npm start`: standalone on the quick-start manifests, with the simulator and whatever accounts the environment offers. */
await buildProgram()
console.log(`
KorProxy listens on http://127.0.0.1:${PORT}. Try it:

  curl http://127.0.0.1:${PORT}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'

OpenAI SDKs:    base URL http://127.0.0.1:${PORT}/v1, any key
Anthropic SDKs: base URL http://127.0.0.1:${PORT}
Gemini SDKs:    base URL http://127.0.0.1:${PORT}
Metrics:        http://127.0.0.1:${PORT}/metrics
`)
const program: { main(args: readonly string[]): Promise<number> } = await import(
  new URL('../dist/korproxy.js', import.meta.url).href
)
process.exitCode = await program.main([
  'serve',
  '--config',
  'examples/quickstart',
  '--mock-provider',
  '--discover',
  '--port',
  String(PORT),
  ...process.argv.slice(2),
])
