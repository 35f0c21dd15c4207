import { Command, type HelpContext } from 'commander'
import type { Terminal } from './terminal.ts'

export interface ListeningGateway {
  readonly url: string
  /** File with the token of `/_korproxy/*`. */
  readonly managementTokenPath: string
}

/** What a command needs of the process that runs it. */
export interface CommandContext {
  readonly terminal: Terminal
  /** What people type to get here. */
  readonly program: 'korproxy' | 'kubectl korproxy'
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The command found faults: the exit code will be 1. */
  fail(): void
  /** `serve` answers from now on. */
  listening?(gateway: ListeningGateway): void
}

/** A command whose help ends with examples; the reference page prints them too. */
export class CliCommand extends Command {
  readonly examples: string[] = []

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name)
  }

  /** Command lines without prompt, each with what it is for. */
  example(line: string): this {
    this.examples.push(line)
    return this
  }

  override helpInformation(context?: HelpContext): string {
    const help = super.helpInformation(context)
    if (this.examples.length === 0) return help
    const name = rootOf(this).name()
    const lines = this.examples.map((line) => `  ${line.replaceAll(/\bkorproxy (?=[a-z])/g, `${name} `)}\n`)
    return `${help}\nExamples:\n${lines.join('')}`
  }
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}
