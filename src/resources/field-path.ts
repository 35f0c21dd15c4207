/** A field's name as people write it: `spec.rules[2].name`, `metadata.labels["korproxy.dev/team"]`. */
export function formatFieldPath(segments: readonly PropertyKey[]): string {
  let path = ''
  for (const segment of segments) {
    const text = String(segment)
    if (typeof segment === 'number') path += `[${text}]`
    else if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(text)) path += `[${JSON.stringify(text)}]`
    else path += path === '' ? text : `.${text}`
  }
  return path
}

/** Undoes `formatFieldPath`. */
export function parseFieldPath(path: string): (string | number)[] {
  const segments: (string | number)[] = []
  for (const [, name, index, quoted] of path.matchAll(
    /([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]/g,
  )) {
    if (name !== undefined) segments.push(name)
    else if (index !== undefined) segments.push(Number(index))
    else if (quoted !== undefined) segments.push(String(JSON.parse(quoted)))
  }
  return segments
}
