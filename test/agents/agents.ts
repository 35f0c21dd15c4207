import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface AgentRun {
  /** Where KorProxy listens. */
  readonly url: string
  readonly key: string
  readonly model: string
  readonly prompt: string
  /** Scratch folder that is `HOME`. */
  readonly home: string
}

/** What starts one turn of an agent without a terminal. */
interface Command {
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

export interface Agent {
  readonly name: string
  readonly package: string
  readonly version: string
  readonly binary: string
  /** Accounts of the upstreams it is run against: its own format first, then translated ones. */
  readonly upstreams: readonly string[]
  /** Writes the agent's settings into `home`. */
  prepare(run: AgentRun): Command
}

export const AGENTS: readonly Agent[] = [
  {
    name: 'Claude Code',
    package: '@anthropic-ai/claude-code',
    version: '2.1.197',
    binary: 'claude',
    upstreams: ['anthropic', 'compatible', 'google', 'ollama', 'coder'],
    prepare: ({ url, key, model, prompt }) => ({
      args: ['-p', prompt, '--dangerously-skip-permissions'],
      environment: {
        ANTHROPIC_BASE_URL: url,
        ANTHROPIC_AUTH_TOKEN: key,
        ANTHROPIC_MODEL: model,
        ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        // Its own word for "root in a container is fine".
        IS_SANDBOX: '1',
      },
    }),
  },
  {
    name: 'Codex CLI',
    package: '@openai/codex',
    version: '0.169.0',
    binary: 'codex',
    upstreams: ['coder', 'openai', 'compatible', 'anthropic', 'google', 'ollama'],
    prepare: ({ url, key, model, prompt, home }) => {
      write(
        home,
        '.codex/config.toml',
        `model_provider = "korproxy"\n[model_providers.korproxy]\nname = "KorProxy"\nbase_url = "${url}/v1"\nenv_key = "KORPROXY_KEY"\nwire_api = "responses"\n`,
      )
      const args = ['exec', '--skip-git-repo-check', '--json', '-s', 'danger-full-access', '-m', model, prompt]
      return { args, environment: { KORPROXY_KEY: key } }
    },
  },
  {
    name: 'Gemini CLI',
    package: '@google/gemini-cli',
    version: '0.61.0',
    binary: 'gemini',
    upstreams: ['google', 'compatible', 'anthropic'],
    prepare: ({ url, key, model, prompt, home }) => {
      writeJson(home, '.gemini/settings.json', {
        security: { auth: { selectedType: 'gemini-api-key' } },
        privacy: { usageStatisticsEnabled: false },
      })
      return {
        args: ['--skip-trust', '-y', '-m', model, '-p', prompt],
        environment: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: key },
      }
    },
  },
  {
    name: 'Qwen Code',
    package: '@qwen-code/qwen-code',
    version: '0.15.10',
    binary: 'qwen',
    upstreams: ['compatible', 'anthropic', 'google', 'ollama'],
    prepare: ({ url, key, model, prompt, home }) => {
      writeJson(home, '.qwen/settings.json', {
        security: { auth: { selectedType: 'openai' } },
        privacy: { usageStatisticsEnabled: false },
      })
      return {
        args: ['-y', '-p', prompt],
        environment: { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: key, OPENAI_MODEL: model },
      }
    },
  },
  {
    name: 'opencode',
    package: 'opencode-ai',
    version: '1.18.33',
    binary: 'opencode',
    upstreams: ['compatible', 'anthropic', 'google', 'ollama'],
    prepare: ({ url, key, model, prompt, home }) => {
      writeJson(home, '.config/opencode/opencode.json', {
        $schema: 'https://opencode.ai/config.json',
        autoupdate: false,
        share: 'disabled',
        permission: { bash: 'allow', edit: 'allow' },
        small_model: `korproxy/${model}`,
        provider: {
          korproxy: {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: `${url}/v1`, apiKey: key },
            models: { [model]: { name: model } },
          },
        },
      })
      return {
        args: ['run', '-m', `korproxy/${model}`, prompt],
        environment: { OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_AUTOUPDATE: '1' },
      }
    },
  },
]

function write(home: string, path: string, text: string): void {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function writeJson(home: string, path: string, value: unknown): void {
  write(home, path, `${JSON.stringify(value, null, 2)}\n`)
}
