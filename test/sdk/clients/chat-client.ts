/** What a developer reads from the client's own objects. */
interface Answer {
  readonly text: string
  /** The finish reason in the client's words. */
  readonly finish: unknown
  /** Tokens as the client counts them, the cached ones among the input. */
  readonly input: number | undefined
  readonly output: number | undefined
}

interface ToolTurn {
  readonly calls: readonly (readonly [name: string, input: unknown])[]
  readonly finish: unknown
  /** The text after the results were sent. */
  readonly text: string
}

export interface Connection {
  readonly url: string
  readonly key: string
}

/** The same six tasks in the words of one SDK. */
export interface ChatClient {
  readonly name: string
  readonly words: { readonly stop: string; readonly tools: string }
  /** Status of a provider that is down, where it is not 503. */
  readonly overloadedStatus?: number
  /** How other formats show a tool's result that this client sends as an object: their results are texts. */
  readonly shownResult?: (name: string, text: string) => string
  /** Asks for JSON by forcing a call. Ollama knows no `tool_choice`, so nothing forces its model. */
  readonly forcesJsonTool?: true
  text(connection: Connection, model: string): Promise<Answer>
  stream(connection: Connection, model: string): Promise<Answer>
  /** Asks with `prompt`, answers each call with `<name> of <city>`, asks again. */
  tools(connection: Connection, model: string, prompt: string): Promise<ToolTurn>
  /** The same, every answer streamed. */
  streamTools(connection: Connection, model: string, prompt: string): Promise<ToolTurn>
  image(connection: Connection, model: string): Promise<string>
  /** A person by JSON schema. */
  person(connection: Connection, model: string): Promise<unknown>
}

export const CITY_SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Name of the city' } },
  required: ['city'],
  additionalProperties: false,
} as const

export const PERSON_SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
} as const

export const TOOLS = [
  { name: 'get_weather', description: 'Weather of a city' },
  { name: 'get_time', description: 'Local time of a city' },
] as const

/** What both tools of the test answer. */
export function runTool(name: string, input: unknown): string {
  const city = typeof input === 'object' && input !== null && 'city' in input ? String(input.city) : 'nowhere'
  return `${name} of ${city}`
}

/** One transparent pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
