import { KorProxyError } from '#errors/korproxy-error.ts'
import { paint, type Terminal } from './terminal.ts'

/** Says on standard error what went wrong, by its code, and what to do about it. */
export function reportError(terminal: Terminal, thrown: unknown): void {
  const error = systemFailure(thrown) ?? thrown
  if (!(error instanceof KorProxyError)) {
    terminal.tell(`${paint(terminal, 'red', 'korproxy:')} ${error instanceof Error ? error.message : String(error)}\n`)
    return
  }
  terminal.tell(`${paint(terminal, 'red', 'korproxy:')} ${error.code} ${error.message}\n`)
  for (const step of error.entry.fix) terminal.tell(`  ${step}\n`)
  terminal.tell(`  More: korproxy explain ${error.code}\n`)
}

/** What Node says of addresses and files, by our codes. @see https://nodejs.org/api/errors.html#class-systemerror */
function systemFailure(thrown: unknown): KorProxyError | undefined {
  if (!(thrown instanceof Error && 'syscall' in thrown)) return undefined
  const member = (name: string): unknown => Object.getOwnPropertyDescriptor(thrown, name)?.value
  const reason = String(member('code') ?? thrown.message)
  if (thrown.syscall === 'listen') {
    return new KorProxyError(
      'KP-SYS-521',
      { address: `${member('address')}:${member('port')}`, reason },
      { cause: thrown },
    )
  }
  if (thrown.syscall === 'getaddrinfo') {
    return new KorProxyError('KP-SYS-521', { address: String(member('hostname')), reason }, { cause: thrown })
  }
  const path = member('path')
  return typeof path === 'string' ? new KorProxyError('KP-SYS-522', { path, reason }, { cause: thrown }) : undefined
}
