export interface CurlCall {
  readonly url: string
  readonly init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string }
}

/** Options that change what curl prints, not what it sends. */
const PRINTING = /^-(?:[Nsi]+)$/

/** Reads a curl command of the documentation, so that it can be tried where there is no curl. @throws Error for an option it does not know */
export function parseCurl(command: string): CurlCall {
  const [program, ...words] = splitWords(command)
  const headers: Record<string, string> = {}
  let body: string | undefined
  const rest: string[] = []
  while (words.length > 0) {
    const word = words.shift() ?? ''
    if (word === '-H') addHeader(headers, words.shift() ?? '')
    else if (word === '-d') body = words.shift()
    else if (!PRINTING.test(word)) rest.push(word)
  }
  const [url, ...unknown] = rest
  if (program !== 'curl' || url === undefined || unknown.length > 0) throw new Error(`cannot read: ${command}`)
  return {
    url,
    init: { method: body === undefined ? 'GET' : 'POST', headers, ...(body === undefined ? {} : { body }) },
  }
}

function addHeader(headers: Record<string, string>, line: string): void {
  const colon = line.indexOf(':')
  headers[line.slice(0, colon)] = line.slice(colon + 1).trim()
}

/** Words as a shell sees them: single and double quotes, a backslash before a line break. */
function splitWords(command: string): string[] {
  const words = command.replaceAll(/\\\n/g, ' ').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)
  return [...words].map(([, single, double, plain]) => single ?? double ?? plain ?? '')
}

/** The fenced code blocks of a page in this language. */
export function codeBlocks(page: string, language: string): string[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```/gms)].flatMap(([, found, code = '']) =>
    found === language ? [code] : [],
  )
}

/** The curl commands among the lines of a page's shell blocks. */
export function curlCommands(page: string): string[] {
  const lines = codeBlocks(page, 'sh').flatMap((code) => code.replaceAll(/\\\n\s*/g, ' ').split('\n'))
  return lines.map((line) => line.trim()).filter((line) => line.startsWith('curl '))
}
