import { z } from 'zod'

const fields = z.record(z.string(), z.unknown())

/** `config.yaml` of LiteLLM's proxy, as far as its shape matters. @see https://docs.litellm.ai/docs/proxy/config_settings */
export const litellmSchema = z.looseObject({
  model_list: z
    .array(
      z.looseObject({
        model_name: z.string().min(1),
        litellm_params: z.looseObject({ model: z.string().min(1) }),
        model_info: fields.nullish(),
      }),
    )
    .nullish(),
  litellm_settings: fields.nullish(),
  router_settings: fields.nullish(),
  general_settings: fields.nullish(),
  environment_variables: fields.nullish(),
  credential_list: z
    .array(z.looseObject({ credential_name: z.string(), credential_values: fields.nullish() }))
    .nullish(),
})

export type LitellmConfig = z.output<typeof litellmSchema>
export type LitellmEntry = NonNullable<LitellmConfig['model_list']>[number]

export const LITELLM_SECTIONS = [
  'model_list',
  'litellm_settings',
  'router_settings',
  'general_settings',
  'environment_variables',
  'credential_list',
] as const
