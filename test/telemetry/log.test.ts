import t from 'tap'
import { KorProxyError } from '#errors/korproxy-error.ts'
import { type ComponentLoggers, createLogger } from '#telemetry/log.ts'

function captured(): {
  readonly loggers: ComponentLoggers
  readonly lines: () => Record<string, unknown>[]
  readonly text: () => string
} {
  const written: string[] = []
  const loggers = createLogger({ level: 'info', destination: { write: (line: string) => written.push(line) } })
  return { loggers, lines: () => written.map((line) => JSON.parse(line)), text: () => written.join('') }
}

t.test('R7.5 a line is JSON with time, level, component and message', (t) => {
  const { loggers, lines } = captured()
  loggers.component('gateway').info({ correlationId: 'c-1' }, 'hello\n"world"')
  const [line = {}] = lines()
  t.strictSame(Object.keys(line), ['level', 'time', 'component', 'correlationId', 'msg'])
  t.match(line, { level: 'info', component: 'gateway', correlationId: 'c-1', msg: 'hello\n"world"' })
  t.match(line['time'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.end()
})

t.test('R7.5 the level of a component changes at run time and touches no other', (t) => {
  const { loggers, lines } = captured()
  const gateway = loggers.component('gateway')
  const cli = loggers.component('cli')
  gateway.debug('1')
  loggers.setLevel('gateway', 'debug')
  gateway.debug('2')
  cli.debug('3')
  loggers.setLevel('gateway', 'error')
  gateway.warn('4')
  t.strictSame(
    lines().map(({ msg }) => msg),
    ['2'],
  )
  t.strictSame(loggers.levels(), { gateway: 'error', cli: 'info' })
  t.equal(loggers.component('gateway'), gateway)
  loggers.setLevel('controller', 'debug')
  t.equal(loggers.component('controller').level, 'debug')
  t.end()
})

t.test('R7.5 an error is its type, message, code, own frames and causes, and nothing that hangs on it', (t) => {
  const { loggers, lines, text } = captured()
  const cause = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    config: { apiKey: 'canary-1' },
  })
  const error = new KorProxyError('KP-NET-300', { account: 'a', reason: 'refused' }, { cause })
  loggers
    .component('gateway')
    .error({ err: Object.assign(error, { headers: { authorization: 'canary-2' } }) }, 'failed')
  const [line = {}] = lines()
  t.match(line['err'], {
    type: 'KorProxyError',
    message: 'The provider of account a could not be reached: refused.',
    code: 'KP-NET-300',
    stack: /^at .*log\.test\.ts/,
    cause: { type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
  })
  t.notMatch(text(), 'canary')
  t.notMatch(text(), 'node:internal')
  t.end()
})

t.test('R7.5 credentials that libraries repeat in messages are redacted', (t) => {
  const { loggers, text } = captured()
  for (const message of [
    'bad header Bearer canary-a.b',
    'GET /v1/models?key=canary-b&x=1',
    'key sk-canary-0123456789',
    'AIzacanary0123456789abcdefghij',
  ]) {
    loggers.component('gateway').warn({ err: new Error(message) }, 'failed')
  }
  t.notMatch(text(), 'canary')
  t.match(text(), 'x=1')
  t.end()
})

t.test('R7.5 headers, bodies, prompts and credentials do not get into a line by their names', (t) => {
  const { loggers, text } = captured()
  const headers = { authorization: 'canary' }
  loggers.component('gateway').info(
    {
      headers,
      body: 'canary',
      messages: ['canary'],
      prompt: 'canary',
      apiKey: 'canary',
      credential: { apiKey: 'canary' },
      account: { name: 'a', headers, credential: { apiKey: 'canary' } },
      req: { headers },
      request: { headers },
      reply: { headers },
      refreshToken: 'canary',
    },
    'careless',
  )
  t.notMatch(text(), 'canary')
  t.match(text(), '"name":"a"')
  t.end()
})
