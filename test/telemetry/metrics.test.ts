import t from 'tap'
import { GatewayMetrics } from '#telemetry/metrics.ts'
import { CHAT } from './request-events.ts'

const KNOWN = new Set(['gpt-4o', 'claude-sonnet-4-5'])

function metrics(): GatewayMetrics {
  let nowMs = 0
  return new GatewayMetrics({
    knownModel: (_tenant, model) => KNOWN.has(model),
    now: () => {
      nowMs += 1_000
      return nowMs
    },
  })
}

async function lines(from: GatewayMetrics, prefix: string): Promise<string[]> {
  const { text } = await from.render()
  return text.split('\n').filter((line) => line.startsWith(prefix))
}

t.test('R7.1 a request is counted under its tenant, profile, provider, account, model and type', async (t) => {
  const counted = metrics()
  counted.record(CHAT)
  counted.record(CHAT)
  counted.record({ ...CHAT, status: 429, errorCode: 'KP-PROV-110', usage: undefined, costPicoUsd: undefined })
  const base = 'tenant="team",profile="default",provider="openai",account="a",model="gpt-4o",type="chat"'
  t.strictSame(await lines(counted, 'korproxy_requests_total'), [
    `korproxy_requests_total{${base},status="200"} 2`,
    `korproxy_requests_total{${base},status="429"} 1`,
  ])
  t.strictSame(await lines(counted, 'korproxy_tokens_total'), [
    `korproxy_tokens_total{${base},kind="input",estimated="false"} 2000`,
    `korproxy_tokens_total{${base},kind="cached_input",estimated="false"} 800`,
    `korproxy_tokens_total{${base},kind="output",estimated="false"} 100`,
  ])
  t.strictSame(await lines(counted, 'korproxy_errors_total'), [
    'korproxy_errors_total{tenant="team",provider="openai",account="a",code="KP-PROV-110",kind="rate_limited"} 1',
  ])
  t.strictSame(await lines(counted, 'korproxy_attempts_total'), [
    'korproxy_attempts_total{tenant="team",provider="openai",account="b",outcome="rate-limited"} 3',
    'korproxy_attempts_total{tenant="team",provider="openai",account="a",outcome="ok"} 3',
  ])
  t.strictSame(await lines(counted, 'korproxy_conversion_dropped_params_total'), [
    'korproxy_conversion_dropped_params_total{param="logit_bias"} 3',
  ])
})

t.test('R7.1 times go into buckets of seconds', async (t) => {
  const counted = metrics()
  counted.record(CHAT)
  counted.record({ ...CHAT, durationMs: 500_000, firstTokenMs: undefined })
  const labels = 'tenant="team",provider="openai",account="a",model="gpt-4o",type="chat"'
  const found = await lines(counted, 'korproxy_request_duration_seconds')
  t.ok(found.includes(`korproxy_request_duration_seconds_bucket{le="1",${labels}} 0`))
  t.ok(found.includes(`korproxy_request_duration_seconds_bucket{le="2",${labels}} 1`))
  t.ok(found.includes(`korproxy_request_duration_seconds_bucket{le="300",${labels}} 1`))
  t.ok(found.includes(`korproxy_request_duration_seconds_bucket{le="+Inf",${labels}} 2`))
  t.ok(found.includes(`korproxy_request_duration_seconds_sum{${labels}} 501.2`))
  t.ok(found.includes(`korproxy_request_duration_seconds_count{${labels}} 2`))
  t.strictSame(await lines(counted, 'korproxy_time_to_first_token_seconds_count'), [
    `korproxy_time_to_first_token_seconds_count{${labels}} 1`,
  ])
})

t.test('R7.9 cost is summed exactly, and a request without a price is counted apart', async (t) => {
  const counted = metrics()
  for (let index = 0; index < 3; index += 1) counted.record({ ...CHAT, costPicoUsd: 333_333_333_333 })
  counted.record({ ...CHAT, costPicoUsd: 1 })
  counted.record({ ...CHAT, costPicoUsd: undefined })
  const [cost = ''] = await lines(counted, 'korproxy_cost_usd_total')
  t.match(cost, /\} 1$/)
  t.match((await lines(counted, 'korproxy_unpriced_requests_total'))[0], /\} 1$/)
})

t.test('R7.1 the same requests stand under the names of OpenTelemetry', async (t) => {
  const counted = metrics()
  counted.record({ ...CHAT, requestedModel: 'claude-sonnet-4-5' })
  const labels =
    'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="claude-sonnet-4-5",gen_ai_response_model="gpt-4o"'
  t.strictSame(
    (await lines(counted, 'gen_ai_')).filter((line) => /_(?:sum|count)\{/.test(line)),
    [
      `gen_ai_client_operation_duration_seconds_sum{${labels},error_type=""} 1.2`,
      `gen_ai_client_operation_duration_seconds_count{${labels},error_type=""} 1`,
      `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${labels}} 0.3004`,
      `gen_ai_client_operation_time_to_first_chunk_seconds_count{${labels}} 1`,
      `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 1000`,
      `gen_ai_client_token_usage_count{${labels},gen_ai_token_type="input"} 1`,
      `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 50`,
      `gen_ai_client_token_usage_count{${labels},gen_ai_token_type="output"} 1`,
    ],
  )
})

t.test('R7.1 a hundred thousand models nobody knows add one series', async (t) => {
  const counted = metrics()
  counted.record(CHAT)
  const before = (await lines(counted, 'korproxy_requests_total')).length
  for (let index = 0; index < 100_000; index += 1) {
    counted.record({ ...CHAT, requestedModel: `random-${index}`, model: `random-${index}` })
  }
  const after = await lines(counted, 'korproxy_requests_total')
  t.equal(after.length, before + 1)
  t.match(after[1], /model="other".*\} 100000$/)
})

t.test('a dated, prefixed or suffixed name counts as the model it is', async (t) => {
  const counted = metrics()
  for (const model of ['gpt-4o-2024-08-06', 'openai/gpt-4o', 'openai/gpt-4o:free', 'gpt-4o[1m]']) {
    counted.record({ ...CHAT, model })
  }
  t.match(await lines(counted, 'korproxy_requests_total'), [/model="gpt-4o".*\} 4$/])
})

t.test('R7.1 a metric never has more than about two thousand series', async (t) => {
  const counted = metrics()
  for (let index = 0; index < 5_000; index += 1) counted.record({ ...CHAT, account: `account-${index}` })
  const requests = await lines(counted, 'korproxy_requests_total')
  t.equal(requests.length, 2_001)
  t.match(
    requests[2_000],
    'korproxy_requests_total{tenant="other",profile="other",provider="openai",account="other",model="other",type="chat",status="200"} 3000',
  )
  t.ok((await lines(counted, 'korproxy_request_duration_seconds')).length <= 2_015)
})

t.test('R7.5 what a client sends as a name never becomes a label', async (t) => {
  const counted = metrics()
  const canary = 'sk-canary-7f3a'
  counted.record({
    ...CHAT,
    requestedModel: canary,
    model: canary,
    droppedParameters: [`x ${canary}`, `{"${canary}": 1}`],
  })
  t.notMatch((await counted.render()).text, 'canary')
})

t.test('names of unknown parameters are bounded', async (t) => {
  const counted = metrics()
  for (let index = 0; index < 1_000; index += 1) counted.record({ ...CHAT, droppedParameters: [`p${index}`] })
  t.equal((await lines(counted, 'korproxy_conversion_dropped_params_total')).length, 201)
})

t.test('R7.1 accounts, requests under way and the configuration are read at the scrape', async (t) => {
  const counted = new GatewayMetrics({
    now: () => 5_000,
    gateway: {
      inFlight: 7,
      table: undefined,
      registry: {
        all: () => [
          {
            tenant: 'team',
            account: { name: 'a' },
            provider: { telemetryName: 'openai' },
            inFlight: 2,
            health: { summary: (nowMs) => ({ state: nowMs === 5_000 ? 'erroring' : 'available' }) },
          },
        ],
      },
    },
  })
  counted.setConfigVersion('sha256:abc', 1_800_000_000_500)
  counted.setConfigVersion('sha256:abc', 1_900_000_000_000)
  const account = 'tenant="team",provider="openai",account="a"'
  t.strictSame(
    [
      ...(await lines(counted, 'korproxy_account_')),
      ...(await lines(counted, 'korproxy_requests_in_flight')),
      ...(await lines(counted, 'korproxy_config_')),
    ],
    [
      `korproxy_account_state{${account},state="available"} 0`,
      `korproxy_account_state{${account},state="rate_limited"} 0`,
      `korproxy_account_state{${account},state="erroring"} 1`,
      `korproxy_account_state{${account},state="disabled"} 0`,
      `korproxy_account_in_flight{${account}} 2`,
      'korproxy_requests_in_flight 7',
      'korproxy_config_info{version="sha256:abc"} 1',
      'korproxy_config_applied_timestamp_seconds 1800000000.5',
    ],
  )
})

t.test('models that the configuration of a tenant names are known, and only to this tenant', async (t) => {
  const counted = new GatewayMetrics({
    gateway: {
      inFlight: 0,
      registry: { all: () => [] },
      table: {
        tenants: new Map([
          [
            'team',
            {
              tenant: {
                models: { 'gpt-4o': {} },
                modelAliases: { fast: 'gpt-4o' },
                accounts: {
                  a: { models: { allow: ['my-*', 'my-model'], aliases: { smart: 'o-9' }, list: ['listed'] } },
                },
              },
            },
          ],
        ]),
      },
    },
  })
  for (const model of ['gpt-4o', 'fast', 'my-model', 'smart', 'o-9', 'listed', 'my-other', 'my-*', 'toString']) {
    counted.record({ ...CHAT, model })
  }
  counted.record({ ...CHAT, tenant: 'else', model: 'my-model' })
  const models = (await lines(counted, 'korproxy_requests_total')).map((line) => line.match(/model="([^"]*)"/)?.[1])
  t.strictSame(models, ['gpt-4o', 'fast', 'my-model', 'smart', 'o-9', 'listed', 'other', 'other'])
})

t.test('a render is used for a second', async (t) => {
  let nowMs = 0
  const counted = new GatewayMetrics({ now: () => nowMs, knownModel: () => true })
  t.equal((await lines(counted, 'korproxy_requests_total')).length, 0)
  counted.record(CHAT)
  nowMs = 999
  t.equal((await lines(counted, 'korproxy_requests_total')).length, 0)
  nowMs = 1_000
  t.equal((await lines(counted, 'korproxy_requests_total')).length, 1)
})

t.test(
  'the exposition is valid: each metric with HELP and TYPE, each line a name, labels and a number, none twice',
  async (t) => {
    const counted = metrics()
    counted.record(CHAT)
    counted.record({
      ...CHAT,
      account: 'quote " back \\ line\n',
      truncated: true,
      errorCode: 'KP-PROV-111',
      status: 200,
    })
    const { contentType, text } = await counted.render()
    t.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
    t.ok(text.endsWith('\n'))
    const typed = new Set<string>()
    const seen = new Set<string>()
    for (const line of text.split('\n').filter((line) => line !== '')) {
      if (line.startsWith('#')) {
        t.match(line, /^# (?:HELP [a-z_0-9]+ \S.*|TYPE [a-z_0-9]+ (?:counter|gauge|histogram|summary))$/)
        typed.add(line.split(' ')[2] ?? '')
        continue
      }
      const [, name = '', labels = ''] =
        line.match(
          /^([a-z_0-9]+)((?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})?) (?:N[aA][nN]|\+Inf|-?\d[\d.e+-]*)$/,
        ) ?? []
      t.not(name, '', line)
      t.ok(typed.has(name) || typed.has(name.replace(/_(?:bucket|sum|count)$/, '')), `${name} has a type`)
      t.notOk(seen.has(name + labels), line)
      seen.add(name + labels)
    }
  },
)
