import type { Problem } from '#resources/resource.ts'

/** `file:line:column KP-CONF-2nn field: message`; an object without a file is named by kind and name. */
export function formatProblem({ ref, path, message, code, position }: Problem): string {
  const object = ref.name === '' ? ref.kind : `${ref.kind}/${ref.name}`
  const where = position === undefined ? object : `${position.file}:${position.line}:${position.column}`
  const field = path === '' && position !== undefined ? object : path
  return `${where} ${code} ${field === '' ? '' : `${field}: `}${message}`
}
