import { homedir } from 'node:os'
import { join } from 'node:path'
import { Option } from 'commander'

/** `--state-dir`: where a standalone gateway keeps what survives a restart, and where the command line looks for it. */
export function stateDirectoryOption(): Option {
  return new Option('--state-dir <path>', 'folder for what survives a restart').default(
    join(homedir(), '.local', 'state', 'korproxy'),
    '~/.local/state/korproxy',
  )
}
