import type { BodyName } from './bodies.ts'

/** What the mock sends per streamed answer. */
export interface StreamShape {
  readonly chunks: number
  readonly gapUs: number
}

/** One way of loading a gateway; what it measures is said in docs/performance.md. */
export interface Scenario {
  readonly name: string
  readonly body: BodyName
  readonly connections: number
  /** Missing = each connection sends its next request when the last one is answered. */
  readonly steady?: true
  readonly stream?: StreamShape
  readonly translated?: true
  readonly warmupS: number
}

const PACED: StreamShape = { chunks: 50, gapUs: 20_000 }
const FLOOD: StreamShape = { chunks: 200, gapUs: 0 }
const FIRST_TOKEN: StreamShape = { chunks: 3, gapUs: 0 }

/** Translation is code of its own, which V8 has not seen before these. */
const TRANSLATION_WARMUP_S = 4

/** A paced stream takes a second: the window opens when all streams run. */
const STREAM_WARMUP_S = 1.2

export const SCENARIOS = [
  { name: 'request1KB', body: 'small', connections: 64, warmupS: 0.3 },
  { name: 'request100KB', body: 'large', connections: 16, warmupS: 0.5 },
  { name: 'oneConnection', body: 'small', connections: 1, warmupS: 0.2 },
  { name: 'steadyRate', body: 'small', connections: 32, steady: true, warmupS: 0.5 },
  { name: 'firstToken', body: 'small-stream', connections: 1, stream: FIRST_TOKEN, warmupS: 0.2 },
  { name: 'pacedStreams', body: 'small-stream', connections: 100, stream: PACED, warmupS: STREAM_WARMUP_S },
  { name: 'floodStreams', body: 'small-stream', connections: 100, stream: FLOOD, warmupS: 0.5 },
  { name: 'translated1KB', body: 'small', connections: 64, translated: true, warmupS: TRANSLATION_WARMUP_S },
  { name: 'translated100KB', body: 'large', connections: 16, translated: true, warmupS: TRANSLATION_WARMUP_S },
  {
    name: 'translatedFlood',
    body: 'small-stream',
    connections: 100,
    stream: FLOOD,
    translated: true,
    warmupS: 1,
  },
] as const satisfies readonly Scenario[]

export type ScenarioName = (typeof SCENARIOS)[number]['name']
