import t from 'tap'
import { runCli } from './run-cli.ts'

t.test('R10.2 a wrong command line is exit code 2, on standard error', async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['explian'], /^error: unknown command 'explian'\n\(Did you mean explain\?\)\n/],
    [['version', '--outptu', 'json'], /^error: unknown option '--outptu'\n\(Did you mean --output\?\)\n/],
    [
      ['version', '-o', 'xml'],
      /^error: option '-o, --output <format>' argument 'xml' is invalid\. Allowed choices are table, json, yaml\.\n/,
    ],
    [
      ['serve', '--port', '70000'],
      /^error: option '--port <number>' argument '70000' is invalid\. It must be a port, 0 to 65535\.\n/,
    ],
    [['logs', '--since', 'yesterday'], /It must be a day or a time such as 2026-11-21/],
    [['explain', '--model', 'x', '--header', 'novalue'], /It must be name=value\./],
    [['config', 'import'], /^error: missing required argument 'file'\n/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish\./],
    [
      ['explain', 'gpt-4o'],
      /^error: GPT-4O is not an error code; for the way of a request give its model with --model\n/,
    ],
    [['provider', 'test'], /^error: name an account, or give --all\n/],
    [['serve', '--log-level', 'loud'], /'loud' is invalid\. Allowed choices are debug, info, warn, error\./],
    [['controller', '--log-level', 'loud'], /Allowed choices are debug, info, warn, error\./],
    [
      ['gateway', '--controller', 'https://c:8443', '--log-level', 'loud'],
      /Allowed choices are debug, info, warn, err/,
    ],
    [['gateway', '--controller', 'nonsense'], /'nonsense' is invalid\. It must be an address such as http:\/\//],
    [['gateway', '--controller', 'ftp://c:8443'], /It must be an address such as http:\/\//],
    [['status', '--server', 'nonsense'], /It must be an address such as http:\/\//],
    [['status', '--server', '127.0.0.1:1337'], /It must be an address such as http:\/\//],
    [['self-test', '--server', 'nonsense'], /It must be an address such as http:\/\//],
    [['logs', '--status', 'abc'], /It must be a status such as 404, or a class such as 5xx\./],
    [['logs', '--status', '9xx'], /It must be a status such as 404, or a class such as 5xx\./],
    [
      ['logs', '--since', '2026-11-21', '--until', '2026-11-20'],
      /^error: --since is not before --until: no request can be in between\n/,
    ],
  ]
  for (const [args, message] of cases) {
    const { code, out, err } = await runCli(args)
    t.equal(code, 2, args.join(' '))
    t.equal(out, '', args.join(' '))
    t.match(err, message)
  }
})

t.test('a command that only has commands shows them, with exit code 2', async (t) => {
  const { code, out, err } = await runCli(['provider'])
  t.equal(code, 2)
  t.equal(out, '')
  t.match(err, /^Usage: korproxy provider \[options\] \[command\]\n/)
})

t.test('R10.2 every command has help with examples, on standard output', async (t) => {
  const commands = [
    'serve',
    'mock-provider',
    'config validate',
    'config import',
    'config export',
    'explain',
    'provider list',
    'profile list',
    'profile switch',
    'provider test',
    'self-test',
    'status',
    'logs',
    'completion',
    'version',
  ]
  for (const command of commands) {
    const { code, out, err } = await runCli([...command.split(' '), '--help'])
    t.equal(code, 0)
    t.equal(err, '')
    t.match(out, `Usage: korproxy ${command}`)
    t.match(out, /\nExamples:\n {2}\S*.*korproxy /, command)
  }
})

t.test('the help of the program tells the exit codes', async (t) => {
  const { code, out } = await runCli(['--help'])
  t.equal(code, 0)
  t.match(out, '\nExit codes: 0 it is done; 1 it failed, or found faults; 2 the command line is wrong.\n')
})

t.test('version says what runs, in every form', async (t) => {
  t.match((await runCli(['version'])).out, /^korproxy 0\.1\.0 \(Node\.js v24\.\S+, \S+\/\S+\)\n$/)
  t.match(JSON.parse((await runCli(['version', '-o', 'json'])).out), { version: '0.1.0', node: /^v24\./ })
  t.match((await runCli(['version', '-o', 'yaml'])).out, /^version: 0\.1\.0\nnode: v24\./)
  t.equal((await runCli(['--version'])).out, '0.1.0\n')
})

t.test('completion offers commands, options and choices', async (t) => {
  const bash = (await runCli(['completion', 'bash'])).out
  t.match(bash, "    'config') words='validate import export' ;;\n")
  t.match(bash, "    'config') words='--help' ;;\n")
  t.match(bash, "    'config import --from') words='desktop litellm' ;;\n")
  t.match(bash, "    'status --output'|'status -o') words='table json yaml' ;;\n")
  t.match(bash, /\ncomplete -o default -F _korproxy korproxy\n$/)
  const zsh = (await runCli(['completion', 'zsh'])).out
  t.match(zsh, /^#compdef korproxy\n/)
  t.match(zsh, /; then _bash_complete -o default -F _korproxy; fi\n$/, 'the first completion is answered too')
  const fish = (await runCli(['completion', 'fish'])).out
  t.match(fish, "complete -c korproxy -n '__fish_use_subcommand' -f -a explain -d ")
  t.match(fish, "-l from -d 'what the file is of; absent: as it looks' -x -a 'desktop litellm'\n")
  t.match(
    fish,
    "-n '__fish_seen_subcommand_from config; and not __fish_seen_subcommand_from validate import export' -f -a export -d ",
  )
  t.match(fish, "-n '__fish_seen_subcommand_from serve' -l config -d 'folder (or file) of manifests' -r\n")
})
