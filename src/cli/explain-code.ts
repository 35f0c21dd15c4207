import type { ErrorEntry } from '#errors/error-entry.ts'
import { ERRORS, type ErrorCode } from '#errors/registry.ts'
import { DOCS_URL } from './version.ts'

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text)
}

/** The page of an error code, for a terminal. */
export function codePage(code: ErrorCode): string {
  const { title, message, status, severity, description, fix }: ErrorEntry = ERRORS[code]
  return `${code}  ${title}

  ${description}

  Message    ${message}
  Status     HTTP ${status}
  Severity   ${severity}

What to do
${fix.map((step, index) => `  ${index + 1}. ${step}\n`).join('')}
${DOCS_URL}/errors/${code}
`
}
