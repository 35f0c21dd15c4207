import { Option } from 'commander'
import { stringify } from 'yaml'
import type { Terminal } from './terminal.ts'

export type OutputFormat = 'table' | 'json' | 'yaml'

export interface OutputFlags {
  readonly output: OutputFormat
}

/** `-o table|json|yaml` */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'form of the result').choices(['table', 'json', 'yaml']).default('table')
}

/** Writes a result as asked: `table` for people, the value itself for programs. */
export function printResult(terminal: Terminal, format: OutputFormat, value: unknown, table: () => string): void {
  terminal.print(renderResult(format, value, table))
}

function renderResult(format: OutputFormat, value: unknown, table: () => string): string {
  switch (format) {
    case 'table':
      return table()
    case 'json':
      return `${JSON.stringify(value, null, 2)}\n`
    case 'yaml':
      return toYaml(value)
  }
}

/** YAML 1.1, so that every reader takes text for text. */
export function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}

/** Columns as wide as their widest cell, two spaces between them; the heads in capitals as kubectl writes them. */
export function renderTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads.map((head) => head.toUpperCase()), ...rows]
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

/** `3 ProviderAccounts`, `1 RoutingProfile`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
