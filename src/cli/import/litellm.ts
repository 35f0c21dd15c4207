import { type ImportedObject, ImportNotes, type ImportResult, resourceObject } from './import-result.ts'
import { accountObjects, type KeyPlace, planAccounts } from './litellm-accounts.ts'
import { readDeployments } from './litellm-deployments.ts'
import { groupObjects } from './litellm-groups.ts'
import { readPolicy } from './litellm-policy.ts'
import { catalogObjects } from './litellm-prices.ts'
import { LITELLM_SECTIONS, type LitellmConfig } from './litellm-schema.ts'
import { readValue, type ValueSource } from './litellm-values.ts'

export interface LitellmOptions {
  /** Of the process that imports; for addresses, which must stand in a manifest. */
  readonly environment: ValueSource['environment']
  /** Lower-case hex. */
  readonly sha256: (text: string) => string
  /** Where accounts find keys that stand in environment variables. Absent: there, which only a folder can. */
  readonly keys?: KeyPlace
}

/** Manifests from the configuration of LiteLLM's proxy. @see https://docs.litellm.ai/docs/proxy/configs */
export function importLitellm(
  config: LitellmConfig,
  { environment, sha256, keys = 'environment' }: LitellmOptions,
): ImportResult {
  const notes = new ImportNotes()
  notes.unknownFields(config, LITELLM_SECTIONS, [])
  const source = { declared: config.environment_variables ?? {}, environment }
  const deployments = readDeployments(config, source, notes)
  const policy = readPolicy(config, notes)
  const accounts = planAccounts(deployments)
  return {
    objects: [
      ...accounts.flatMap((account) => accountObjects(account, policy.aliases, keys, notes)),
      ...groupObjects(accounts, policy, notes),
      ...catalogObjects(config, deployments),
      ...clientObjects(config, source, sha256, notes),
    ],
    notes: notes.all,
  }
}

const PLACE = ['general_settings', 'master_key']

/** The master key becomes a client of its own; only its digest is kept. */
function clientObjects(
  config: LitellmConfig,
  source: ValueSource,
  sha256: (text: string) => string,
  notes: ImportNotes,
): ImportedObject[] {
  const general = config.general_settings ?? {}
  notes.unknownFields(general, ['master_key'], ['general_settings'])
  const key = readValue(general['master_key'], source)
  if (key === undefined) return []
  const secret = key.from === 'file' ? key.text : source.environment[key.variable]
  if (secret === undefined || secret === '') {
    const variable = key.from === 'environment' ? key.variable : ''
    notes.add(PLACE, `${variable} is not set here; import again with it, or add a GatewayClient for the key by hand`)
    return []
  }
  const credentials = [{ name: 'imported', sha256: sha256(secret) }]
  return [resourceObject('GatewayClient', 'litellm-master-key', { description: 'Master key of LiteLLM.', credentials })]
}
