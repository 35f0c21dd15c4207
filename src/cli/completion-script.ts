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
      return `#compdef korproxy\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(nodes)}`
    case 'fish':
      return fishScript(nodes)
  }
}

function nodesOf(command: Command, path: readonly string[]): Node[] {
  const own: Node = {
    path,
    commands: command.commands.map((child) => ({ name: child.name(), description: child.description() })),
    options: [
      ...command.options.map(({ long, short, description, argChoices }) => ({
        long: long ?? '',
        short: short ?? '',
        description,
        choices: argChoices ?? [],
      })),
      { long: '--help', short: '-h', description: 'print the help', choices: [] },
    ],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }
  return [own, ...command.commands.flatMap((child) => nodesOf(child, [...path, child.name()]))]
}

function bashScript(nodes: readonly Node[]): string {
  const words = nodes.map(({ path, commands, options, choices }) => {
    const all = [...commands.map(({ name }) => name), ...choices, ...options.map(({ long }) => long)]
    return `    '${path.join(' ')}') words='${all.join(' ')}' ;;`
  })
  const values = nodes.flatMap(({ path, options }) =>
    options
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
  if [[ -z $words ]]; then
    case "$path" in
${words.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -gt 0 || $current == -* ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _korproxy korproxy
`
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options, choices }) => {
    const when =
      path.length === 0
        ? '__fish_use_subcommand'
        : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ')
    return [
      ...commands.map(
        ({ name, description }) => `complete -c korproxy -n ${quote(when)} -f -a ${name} -d ${quote(description)}`,
      ),
      ...choices.map((choice) => `complete -c korproxy -n ${quote(when)} -f -a ${choice}`),
      ...options.map(
        ({ long, description, choices: values }) =>
          `complete -c korproxy -n ${quote(when)} -l ${long.slice(2)} -d ${quote(description)}${values.length === 0 ? '' : ` -x -a ${quote(values.join(' '))}`}`,
      ),
    ]
  })
  return `${lines.join('\n')}\n`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
