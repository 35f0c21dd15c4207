import { buildProgram } from './build.ts'

const PORT = 1337
const ORIGIN = `http://127.0.0.1:${PORT}`

const WELCOME = `
KorProxy listens on ${ORIGIN}. Try it:

  curl ${ORIGIN}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'

OpenAI SDKs:    base URL ${ORIGIN}/v1, any key
Anthropic SDKs: base URL ${ORIGIN}
Gemini SDKs:    base URL ${ORIGIN}
Metrics:        ${ORIGIN}/metrics
Management:     ${ORIGIN}/_korproxy/status, token in ~/.local/state/korproxy/management-token
`

/** Resolves once the gateway answers; a start that fails ends the process with its own message. */
async function gatewayAnswers(): Promise<void> {
  for (;;) {
    const isReady = await fetch(`${ORIGIN}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** `npm start`: standalone on the quick-start manifests, with the simulator and whatever accounts the environment offers. */
await buildProgram()
const program: { main(args: readonly string[]): Promise<number> } = await import(
  new URL('../dist/korproxy.js', import.meta.url).href
)
const running = program.main([
  'serve',
  '--config',
  'examples/quickstart',
  '--mock-provider',
  '--discover',
  '--port',
  String(PORT),
  '--log-level',
  'warn',
  ...process.argv.slice(2),
])
void gatewayAnswers().then(() => console.log(WELCOME))
process.exitCode = await running
// The waiting above may still be under way when the start failed.
process.exit()
