import { KorProxyError } from '#errors/korproxy-error.ts'
import { paint, type Terminal } from './terminal.ts'

/** Says on standard error what went wrong, by its code, and what to do about it. */
export function reportError(terminal: Terminal, thrown: unknown): void {
  if (!(thrown instanceof KorProxyError)) {
    terminal.tell(
      `${paint(terminal, 'red', 'korproxy:')} ${thrown instanceof Error ? thrown.message : String(thrown)}\n`,
    )
    return
  }
  terminal.tell(`${paint(terminal, 'red', 'korproxy:')} ${thrown.code} ${thrown.message}\n`)
  for (const step of thrown.entry.fix) terminal.tell(`  ${step}\n`)
  terminal.tell(`  More: korproxy explain ${thrown.code}\n`)
}
