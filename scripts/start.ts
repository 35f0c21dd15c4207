import type { ListeningGateway } from '../src/cli/cli-command.ts'
import { buildProgram } from './build.ts'

interface Program {
  main(args: readonly string[], options: { listening(gateway: ListeningGateway): void }): Promise<number>
}

function welcome({ url, managementTokenPath }: ListeningGateway): string {
  return `
KorProxy listens on ${url}. Try it:

  curl ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'

OpenAI SDKs:    base URL ${url}/v1, any key
Anthropic SDKs: base URL ${url}
Gemini SDKs:    base URL ${url}
Metrics:        ${url}/metrics
Management:     ${url}/_korproxy/status, token in ${managementTokenPath}
`
}

/** `npm start`: standalone on the quick-start manifests, with the simulator and whatever accounts the environment offers. */
await buildProgram()
const program: Program = await import(new URL('../dist/korproxy.js', import.meta.url).href)
const arguments_ = ['--mock-provider', '--discover', '--log-level', 'warn', ...process.argv.slice(2)]
process.exitCode = await program.main(['serve', '--config', 'examples/quickstart', ...arguments_], {
  listening: (gateway) => console.log(welcome(gateway)),
})
