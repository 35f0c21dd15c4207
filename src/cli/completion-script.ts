import type { Command } from 'commander'

export type Shell = 'bash' | 'zsh' | 'fish'

interface Node {
  /** Names of the commands on the way, without the program itself. */
  readonly path: readonly string[]
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly {
    readonly long: string
    /** Empty where there is none. */
    readonly short: string
    readonly description: string
    readonly choices: readonly string[]
    readonly value: 'Taken' | 'None'
  }[]
  readonly choices: readonly string[]
}

/** A completion script made from the definitions of the commands. It asks nobody: completing starts no process. */
export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program, [])
  switch (shell) {
    case 'bash':
      return bashScript(nodes)
    case 'zsh':
      return zshScript(nodes)
    case 'fish':
      return fishScript(nodes)
  }
}

function nodesOf(command: Command, path: readonly string[]): Node[] {
  const own: Node = {
    path,
    commands: command.commands.map((child) => ({ name: child.name(), description: child.description() })),
    options: [
      ...command.options.map(({ long, short, description, argChoices, required, optional }) => ({
        long: long ?? '',
        short: short ?? '',
        description,
        choices: argChoices ?? [],
        value: required || optional ? ('Taken' as const) : ('None' as const),
      })),
      { long: '--help', short: '-h', description: 'print the help', choices: [], value: 'None' },
    ],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }
  return [own, ...command.commands.flatMap((child) => nodesOf(child, [...path, child.name()]))]
}

/** Names of files are offered by the shell itself, where there is nothing else. */
function bashScript(nodes: readonly Node[]): string {
  const words = nodes.flatMap(({ path, commands, choices }) => {
    const all = [...commands.map(({ name }) => name), ...choices]
    return all.length === 0 ? [] : [`    '${path.join(' ')}') words='${all.join(' ')}' ;;`]
  })
  const options = nodes.map(
    ({ path, options: own }) => `    '${path.join(' ')}') words='${own.map(({ long }) => long).join(' ')}' ;;`,
  )
  const values = nodes.flatMap(({ path, options: own }) =>
    own
      .filter(({ choices }) => choices.length > 0)
      .map(({ long, short, choices }) => {
        const flags = [long, short].filter((flag) => flag !== '').map((flag) => `'${[...path, flag].join(' ')}'`)
        return `    ${flags.join('|')}) words='${choices.join(' ')}' ;;`
      }),
  )
  const names = [...new Set(nodes.flatMap(({ commands }) => commands.map(({ name }) => name)))]
  return `_korproxy() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in
    ${names.join('|')}) path="\${path:+$path }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "\${path:+$path }$previous" in
${values.join('\n')}
  esac
  if [[ -z $words && $current == -* ]]; then
    case "$path" in
${options.join('\n')}
    esac
  elif [[ -z $words && $previous != -* ]]; then
    case "$path" in
${words.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _korproxy korproxy
`
}

/** As a file of the `fpath` it is run by the first completion, which it must answer too. */
function zshScript(nodes: readonly Node[]): string {
  return `#compdef korproxy
autoload -U +X bashcompinit && bashcompinit
${bashScript(nodes)}if [[ \${funcstack[1]} == _korproxy ]]; then _bash_complete -o default -F _korproxy; fi
`
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options, choices }) => {
    const when =
      path.length === 0
        ? '__fish_use_subcommand'
        : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ')
    const names = commands.map(({ name }) => name)
    const undecided =
      path.length === 0 || names.length === 0 ? when : `${when}; and not __fish_seen_subcommand_from ${names.join(' ')}`
    return [
      ...commands.map(
        ({ name, description }) =>
          `complete -c korproxy -n ${quote(undecided)} -f -a ${name} -d ${quote(firstSentence(description))}`,
      ),
      ...choices.map((choice) => `complete -c korproxy -n ${quote(when)} -f -a ${choice}`),
      ...options.map((option) => `complete -c korproxy -n ${quote(when)} ${fishOption(option)}`),
    ]
  })
  return `${lines.join('\n')}\n`
}

function fishOption({ long, short, description, choices, value }: Node['options'][number]): string {
  const names = `${short === '' ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  return `${names} -d ${quote(description)}${fishArgument(choices, value)}`
}

function fishArgument(choices: readonly string[], value: 'Taken' | 'None'): string {
  if (choices.length > 0) return ` -x -a ${quote(choices.join(' '))}`
  return value === 'Taken' ? ' -r' : ''
}

function firstSentence(text: string): string {
  return text.replace(/\. .*/s, '')
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
