import type { GatewayCommand, LogLevelName } from '#table/messages.ts'
import type { ServingAccount } from '../serving-account.ts'

export interface CommandTarget {
  readonly accounts: () => Iterable<ServingAccount>
  /** Unix time, ms. */
  readonly now: () => number
  readonly setLogLevel: (component: string, level: LogLevelName) => void
  /** Tells the controller again what it should know. */
  readonly reportNow: () => void
}

/** Does what the controller asks for. */
export function runCommand(command: GatewayCommand, target: CommandTarget): void {
  switch (command.kind) {
    case 'health-reset':
      for (const { tenant, account, health } of target.accounts()) {
        const meant = [command.tenant ?? tenant, command.account ?? account.name]
        if (meant[0] === tenant && meant[1] === account.name) health.reset(target.now())
      }
      target.reportNow()
      return
    case 'log-level':
      target.setLogLevel(command.component, command.level)
      return
    case 'report':
      target.reportNow()
      return
  }
}
