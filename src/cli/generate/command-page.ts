import type { Argument, Option } from 'commander'
import { CliCommand } from '../cli-command.ts'
import { createProgram } from '../program.ts'
import { markdownTable } from './markdown-table.ts'

const NOTICE = '<!-- Made by `npm run generate` from the commands themselves (src/cli/commands); change it there. -->'

/** Every command with its arguments, options and examples. */
export function commandPage(): string {
  const silent = { print: () => undefined, tell: () => undefined, color: 'Never' } as const
  const program = createProgram({ terminal: silent, environment: {}, program: 'korproxy', fail: () => undefined })
  return `${[
    '# Commands',
    NOTICE,
    'Exit codes: 0 it is done; 1 it failed, or found faults; 2 the command line is wrong. Results go to standard output, everything else to standard error.',
    ...leavesOf(program).flatMap(({ command, name }) => commandSection(command, name)),
  ].join('\n\n')}\n`
}

interface NamedCommand {
  readonly command: CliCommand
  /** With the names of its parents: `korproxy config validate`. */
  readonly name: string
}

function leavesOf(program: CliCommand, parents = ''): NamedCommand[] {
  const name = `${parents}${program.name()}`
  const children = program.commands.filter((child) => child instanceof CliCommand)
  return children.length === 0 ? [{ command: program, name }] : children.flatMap((child) => leavesOf(child, `${name} `))
}

function commandSection(command: CliCommand, name: string): string[] {
  const parameters = command.registeredArguments.map((argument) => `${argumentUsage(argument)}`)
  const usage = [name, ...(command.options.length === 0 ? [] : ['[options]']), ...parameters].join(' ')
  return [
    `## ${name}`,
    command.description(),
    `\`\`\`\n${usage}\n\`\`\``,
    ...table(
      'Argument',
      command.registeredArguments.map((argument) => [
        `\`${argument.name()}\``,
        defaultOf(argument),
        describe(argument),
      ]),
    ),
    ...table(
      'Option',
      command.options.map((option) => [`\`${option.flags}\``, defaultOf(option), describe(option)]),
    ),
    ...(command.examples.length === 0 ? [] : [`\`\`\`sh\n${command.examples.join('\n')}\n\`\`\``]),
  ]
}

function table(head: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [markdownTable([head, 'Default', 'Meaning'], rows)]
}

function argumentUsage(argument: Argument): string {
  const name = argument.variadic ? `${argument.name()}...` : argument.name()
  return argument.required ? `<${name}>` : `[${name}]`
}

function defaultOf({ defaultValue, defaultValueDescription }: Argument | Option): string {
  if (defaultValueDescription !== undefined) return `\`${defaultValueDescription}\``
  if (defaultValue === undefined) return ''
  return `\`${Array.isArray(defaultValue) ? defaultValue.join(' ') : String(defaultValue)}\``
}

function describe(parameter: Argument | Option): string {
  const choices =
    parameter.argChoices === undefined ? '' : `: ${parameter.argChoices.map((choice) => `\`${choice}\``).join(', ')}`
  const variable = 'envVar' in parameter && parameter.envVar !== undefined ? `; also \`${parameter.envVar}\`` : ''
  return `${parameter.description}${choices}${variable}`
}
