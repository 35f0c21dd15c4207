import { Option } from 'commander'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export type ChosenLogLevel = (typeof LEVELS)[number]

export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'least severity that is logged').choices(LEVELS).default('info')
}
