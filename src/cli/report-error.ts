import { KorProxyError } from '#errors/korproxy-error.ts'
import { paint, type Terminal } from './terminal.ts'

/** Says on standard error what went wrong, by its code, and what to do about it. */
export function reportError(terminal: Terminal, thrown: unknown): void {
  const error = listenFailure(thrown) ?? thrown
  if (!(error instanceof KorProxyError)) {
    terminal.tell(`${paint(terminal, 'red', 'korproxy:')} ${error instanceof Error ? error.message : String(error)}\n`)
    return
  }
  terminal.tell(`${paint(terminal, 'red', 'korproxy:')} ${error.code} ${error.message}\n`)
  for (const step of error.entry.fix) terminal.tell(`  ${step}\n`)
  terminal.tell(`  More: korproxy explain ${error.code}\n`)
}

/** @see https://nodejs.org/api/errors.html#class-systemerror */
function listenFailure(thrown: unknown): KorProxyError | undefined {
  if (!(thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'listen')) return undefined
  const text = (name: string): string => String(Object.getOwnPropertyDescriptor(thrown, name)?.value ?? '?')
  const details = { address: `${text('address')}:${text('port')}`, reason: text('code') }
  return new KorProxyError('KP-SYS-521', details, { cause: thrown })
}
