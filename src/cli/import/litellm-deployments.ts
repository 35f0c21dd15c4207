import type { ImportNotes } from './import-result.ts'
import { type FoundProvider, findLitellmProvider } from './litellm-providers.ts'
import type { LitellmConfig, LitellmEntry } from './litellm-schema.ts'
import { type LitellmValue, readNumber, readPositive, readText, readValue, type ValueSource } from './litellm-values.ts'

/** One entry of `model_list`: a model at a provider, by the name that clients use. */
export interface Deployment {
  /** Place in `model_list`. */
  readonly index: number
  readonly publicName: string
  readonly upstream: string
  readonly found: FoundProvider
  readonly baseURL?: string
  readonly apiVersion?: string
  readonly organization?: string
  readonly key: LitellmValue | undefined
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly maxInFlight?: number
  readonly weight?: number
  /** 1 is used first. */
  readonly order?: number
}

const PARAMS = [
  'model',
  'api_key',
  'api_base',
  'base_url',
  'api_version',
  'organization',
  'rpm',
  'tpm',
  'max_parallel_requests',
  'weight',
  'order',
  'custom_llm_provider',
  'litellm_credential_name',
  'input_cost_per_token',
  'output_cost_per_token',
  'cache_read_input_token_cost',
  'cache_creation_input_token_cost',
]
const INFO = [
  'id',
  'mode',
  'description',
  'max_tokens',
  'max_input_tokens',
  'max_output_tokens',
  'input_cost_per_token',
  'output_cost_per_token',
  'cache_read_input_token_cost',
  'cache_creation_input_token_cost',
]

/** The entries that KorProxy has a provider for; the others become notes. */
export function readDeployments(config: LitellmConfig, source: ValueSource, notes: ImportNotes): Deployment[] {
  const credentials = new Map(
    (config.credential_list ?? []).map(({ credential_name, credential_values }) => [
      credential_name,
      credential_values ?? {},
    ]),
  )
  return (config.model_list ?? []).flatMap((entry, index) => {
    const path = ['model_list', index]
    notes.unknownFields(entry, ['model_name', 'litellm_params', 'model_info'], path)
    notes.unknownFields(entry.litellm_params, PARAMS, [...path, 'litellm_params'])
    notes.unknownFields(entry.model_info ?? {}, INFO, [...path, 'model_info'])
    return readDeployment({ ...entry, litellm_params: withCredential(entry, credentials) }, index, source, notes) ?? []
  })
}

type Params = LitellmEntry['litellm_params']

function withCredential(
  { litellm_params }: LitellmEntry,
  credentials: ReadonlyMap<string, Record<string, unknown>>,
): Params {
  const name = litellm_params['litellm_credential_name']
  return typeof name === 'string' ? { ...credentials.get(name), ...litellm_params } : litellm_params
}

function readDeployment(
  { model_name, litellm_params: params }: LitellmEntry,
  index: number,
  source: ValueSource,
  notes: ImportNotes,
): Deployment | undefined {
  const place = ['model_list', index, 'litellm_params', 'model']
  const model = readText(params.model, source) ?? params.model
  const found = findLitellmProvider(model, readText(params['custom_llm_provider'], source))
  if (found === undefined) {
    notes.add(place, `${model}: KorProxy has no such provider; the entry was left out`)
    return undefined
  }
  const address = readAddress(params, found, source)
  if (address.missing !== undefined) {
    notes.add(['model_list', index, 'litellm_params'], `${model}: ${address.missing}; the entry was left out`)
    return undefined
  }
  const { provider } = address.found
  const key = readValue(params['api_key'], source) ?? standardKey(provider.keyVariable)
  return {
    index,
    publicName: model_name,
    upstream: found.model,
    found: address.found,
    key,
    ...optional('baseURL', address.baseURL),
    ...optional(
      'apiVersion',
      provider.provider === 'AzureOpenAI' ? readText(params['api_version'], source) : undefined,
    ),
    ...optional('organization', readText(params['organization'], source)),
    ...optional('requestsPerMinute', readPositive(params['rpm'])),
    ...optional('tokensPerMinute', readPositive(params['tpm'])),
    ...optional('maxInFlight', readPositive(params['max_parallel_requests'])),
    ...optional('weight', readNumber(params['weight'])),
    ...optional('order', readPositive(params['order'])),
  }
}

interface Address {
  readonly found: FoundProvider
  readonly baseURL?: string
  readonly missing?: string
}

/** `openai/…` with an address of its own is any server that speaks that API. */
function readAddress(params: Params, found: FoundProvider, source: ValueSource): Address {
  const given = params['api_base'] ?? params['base_url']
  const baseURL = readText(given, source)?.replace(/\/+$/, '')
  if (given !== undefined && baseURL === undefined) {
    const { variable } = { variable: '', ...readValue(given, source) }
    return { found, missing: `its address stands in ${variable}, which is not set here` }
  }
  const { provider } = found
  if (provider.provider === 'OpenAI' && baseURL !== undefined && new URL(baseURL).hostname !== 'api.openai.com') {
    return { found: { ...found, provider: { ...provider, provider: 'OpenAICompatible' } }, baseURL }
  }
  if (baseURL !== undefined) return { found, baseURL }
  if (provider.baseURL !== undefined) return { found, baseURL: provider.baseURL }
  const needed =
    provider.provider === 'AzureOpenAI' ||
    (provider.provider === 'OpenAICompatible' && (provider.preset === undefined || provider.auth === 'Optional'))
  return needed ? { found, missing: 'it has no api_base' } : { found }
}

function standardKey(variable: string | undefined): LitellmValue | undefined {
  return variable === undefined ? undefined : { from: 'environment', variable }
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [name in Name]?: Value } {
  // A computed key of this very name.
  return (value === undefined ? {} : { [name]: value }) as { readonly [name in Name]?: Value }
}
