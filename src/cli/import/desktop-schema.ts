import { z } from 'zod'

const profile = z.looseObject({
  id: z.string(),
  name: z.string(),
  color: z.string().nullish(),
  icon: z.string().nullish(),
  routingRules: z.record(z.string(), z.string().nullish()).nullish(),
  defaultProviderGroup: z.string().nullish(),
})

const providerGroup = z.looseObject({
  id: z.string(),
  name: z.string(),
  accountIds: z.array(z.string()).nullish(),
  selectionStrategy: z.string().nullish(),
})

/** `config.json` of the desktop program. */
export const desktopSchema = z.looseObject({
  version: z.number().default(1),
  activeProfileId: z.string().nullish(),
  profiles: z.array(profile).nullish(),
  providerGroups: z.array(providerGroup).nullish(),
  modelFamilies: z.record(z.string(), z.array(z.string())).nullish(),
})

export type DesktopConfig = z.output<typeof desktopSchema>
export type DesktopProfile = z.output<typeof profile>
export type DesktopGroup = z.output<typeof providerGroup>

/** Fields that are read; the times of the last two are the API server's own business. */
export const DESKTOP_FIELDS = {
  config: ['version', 'activeProfileId', 'profiles', 'providerGroups', 'modelFamilies'],
  profile: ['id', 'name', 'color', 'icon', 'routingRules', 'defaultProviderGroup', 'createdAt', 'updatedAt'],
  group: ['id', 'name', 'accountIds', 'selectionStrategy', 'createdAt', 'updatedAt'],
} as const
