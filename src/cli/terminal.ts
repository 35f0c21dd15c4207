/** Where a command writes. Results go to `print`, everything else to `tell`, so that pipes carry results only. */
export interface Terminal {
  print(text: string): void
  tell(text: string): void
  readonly color: 'Always' | 'Never'
}

/** Standard output and error of this process. @see https://no-color.org/ */
export function processTerminal(environment: Readonly<Record<string, string | undefined>>): Terminal {
  process.stdout.once('error', endWithOutput)
  const plain = (environment['NO_COLOR'] ?? '') !== '' || !process.stdout.isTTY
  return {
    print: (text) => void process.stdout.write(text),
    tell: (text) => void process.stderr.write(text),
    color: plain ? 'Never' : 'Always',
  }
}

/** `korproxy logs | head`: who reads has had enough, which is no failure. A disk that is full is one. */
function endWithOutput(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`korproxy: standard output cannot be written: ${error.message}\n`)
  process.exit(1)
}

const CODES = { bold: 1, red: 31, green: 32, yellow: 33 } as const

export type Color = keyof typeof CODES

/** The text as it is where the terminal shows no colours. */
export function paint(terminal: Terminal, color: Color, text: string): string {
  return terminal.color === 'Always' ? `\u001B[${CODES[color]}m${text}\u001B[0m` : text
}
