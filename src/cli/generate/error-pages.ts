import type { ErrorEntry } from '#errors/error-entry.ts'
import { ERRORS } from '#errors/registry.ts'
import { markdownTable } from './markdown-table.ts'

const NOTICE = '<!-- Made by `npm run generate` from src/errors/registry.ts; change it there. -->'

/** What the middle of a code stands for. */
const RANGES: Readonly<Record<string, string>> = {
  AUTH: 'Who calls, and what the caller may do',
  PROV: 'Providers and their accounts',
  CONF: 'Configuration',
  NET: 'Connections',
  RATE: 'Limits and budgets of clients',
  SYS: 'The gateway and the request itself',
}

/** A page for every code, and the one that lists them; content by file name. */
export function errorPages(): ReadonlyMap<string, string> {
  const entries: readonly (readonly [string, ErrorEntry])[] = Object.entries(ERRORS)
  return new Map([
    ...entries.map(([code, entry]) => [`${code}.md`, errorPage(code, entry)] as const),
    ['README.md', errorIndex(entries)] as const,
  ])
}

function errorPage(code: string, { title, status, severity, message, description, fix }: ErrorEntry): string {
  return `${[
    `# ${code}: ${title}`,
    NOTICE,
    description,
    markdownTable(
      ['', ''],
      [
        ['Message', message.replaceAll(/\{(\w+)\}/g, '`{$1}`')],
        ['HTTP status', String(status)],
        ['Severity', severity],
        ['Header', `\`x-korproxy-error: ${code}\``],
      ],
    ),
    '## What to do',
    fix.map((step, index) => `${index + 1}. ${step}`).join('\n'),
    `\`korproxy explain ${code}\` prints this page. [All codes](README.md)`,
  ].join('\n\n')}\n`
}

function errorIndex(entries: readonly (readonly [string, ErrorEntry])[]): string {
  const sections = Object.entries(RANGES).flatMap(([range, heading]) => {
    const rows = entries
      .filter(([code]) => code.startsWith(`KP-${range}-`))
      .map(([code, { title, status, severity }]) => [`[${code}](${code}.md)`, title, String(status), severity])
    return rows.length === 0 ? [] : [`## ${heading}`, markdownTable(['Code', 'Title', 'HTTP status', 'Severity'], rows)]
  })
  const lead =
    'Every error of KorProxy has a code. A client finds it in the header `x-korproxy-error` and in the body of the error, an operator in the log, the status of a resource, and the output of the command line.'
  return `${['# Errors', NOTICE, lead, ...sections].join('\n\n')}\n`
}
