import { z } from 'zod'
import { KINDS } from '#resources/kinds.ts'
import { withoutClusterKeywords } from './editor-schema.ts'
import { asNode, type SchemaNode } from './structural-schema.ts'
import { describeValues } from './value-comments.ts'

/** Left to Kubernetes, whose API server checks it. */
const manifestPart = () => z.record(z.string(), z.unknown())
const texts = () => z.record(z.string(), z.string())
const port = () => z.int().min(1).max(65_535)
const dnsLabel = () =>
  z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
const logLevel = () => z.enum(['debug', 'info', 'warn', 'error'])

/** Values that the pods of controller and gateway have in common. */
const podValues = {
  podDisruptionBudget: z.strictObject({
    enabled: z.boolean(),
    maxUnavailable: z.union([z.int().min(1), z.string().regex(/^[0-9]+%$/)]),
  }),
  priorityClassName: z.string(),
  nodeSelector: texts(),
  tolerations: z.array(manifestPart()),
  affinity: manifestPart(),
  topologySpreadConstraints: z.array(manifestPart()),
  resources: manifestPart(),
  serviceAccount: z.strictObject({
    create: z.boolean(),
    name: z.string().max(253),
    annotations: texts(),
  }),
  podAnnotations: texts(),
  podLabels: texts(),
  extraEnv: z.array(z.looseObject({ name: z.string().min(1) })),
  extraVolumes: z.array(z.looseObject({ name: z.string().min(1) })),
  extraVolumeMounts: z.array(z.looseObject({ name: z.string().min(1), mountPath: z.string().min(1) })),
}

const image = z.strictObject({
  repository: z.string().min(1),
  tag: z.string().max(128),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
  pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
})

const controller = z.strictObject({
  replicas: z.int().min(1).max(9),
  logLevel: logLevel(),
  secretNames: z.array(z.string().min(1).max(253)),
  tls: z.strictObject({
    certManager: z.strictObject({
      enabled: z.boolean(),
      issuerRef: texts(),
    }),
  }),
  ...podValues,
})

const autoscaling = z.strictObject({
  enabled: z.boolean(),
  minReplicas: z.int().min(1).max(1000),
  maxReplicas: z.int().min(1).max(1000),
  targetCPUUtilizationPercentage: z.int().min(1).max(100),
  targetRequestsInFlight: z.int().min(0),
  scaleDownStabilizationSeconds: z.int().min(0).max(3600),
})

const gateway = z.strictObject({
  replicas: z.int().min(1).max(1000),
  logLevel: logLevel(),
  privateAddresses: z.enum(['Allow', 'Deny']),
  tableSizeLimit: z.string(),
  drain: z.strictObject({
    preStopSeconds: z.int().min(1).max(60),
    timeoutSeconds: z.int().min(1).max(3600),
  }),
  service: z.strictObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
    port: port(),
    annotations: texts(),
  }),
  autoscaling,
  ...podValues,
})

const routes = {
  ingress: z.strictObject({
    enabled: z.boolean(),
    className: z.string(),
    annotations: texts(),
    hosts: z.array(z.string()),
    tls: z.array(manifestPart()),
  }),
  httpRoute: z.strictObject({
    enabled: z.boolean(),
    parentRefs: z.array(manifestPart()),
    hostnames: z.array(z.string()),
    annotations: texts(),
  }),
}

const networkPolicy = z.strictObject({
  enabled: z.boolean(),
  gateway: z.strictObject({
    ingressFrom: z.array(manifestPart()),
    providerPorts: z.array(port()).min(1),
    extraEgress: z.array(manifestPart()),
  }),
  controller: z.strictObject({
    apiServerPorts: z.array(port()).min(1),
    extraEgress: z.array(manifestPart()),
  }),
  metricsFrom: z.array(manifestPart()),
})

const monitor = z.strictObject({
  enabled: z.boolean(),
  interval: z.string().regex(/^[0-9]+(s|m)$/),
  labels: texts(),
})
const labelled = z.strictObject({
  enabled: z.boolean(),
  labels: texts(),
})
const monitoring = z.strictObject({
  podMonitor: monitor,
  serviceMonitor: monitor,
  rules: labelled,
  dashboard: labelled,
})

const objectNames = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
const byName = (spec: z.ZodType) => z.record(objectNames, spec)

const resources = {
  accounts: byName(KINDS.ProviderAccount.spec),
  groups: byName(KINDS.ProviderGroup.spec),
  profiles: byName(KINDS.RoutingProfile.spec),
  clients: byName(KINDS.GatewayClient.spec),
  usagePolicies: byName(KINDS.UsagePolicy.spec),
  modelCatalogs: byName(KINDS.ModelCatalog.spec),
  gatewayConfig: KINDS.GatewayConfig.spec,
}

/** Values of the Helm chart. What each one is for is said in values.yaml. */
const chartValues = z.strictObject({
  nameOverride: z.string().max(63),
  fullnameOverride: z.string().max(52),
  commonLabels: texts(),
  image,
  imagePullSecrets: z.array(z.strictObject({ name: z.string() })),
  watchNamespaces: z.array(dnsLabel()),
  crds: z.strictObject({
    enabled: z.boolean(),
    keep: z.boolean(),
  }),
  admissionPolicies: z.strictObject({
    enabled: z.boolean(),
  }),
  controller,
  gateway,
  ...routes,
  networkPolicy,
  monitoring,
  bootstrapJob: z.strictObject({
    enabled: z.boolean(),
  }),
  ...resources,
  global: manifestPart().optional(),
})

/**
 * What Helm checks values with.
 * @param defaults - text of values.yaml, whose comments are the descriptions
 */
export function chartValuesSchema(defaults: string): SchemaNode {
  const schema = asNode(z.toJSONSchema(chartValues, { target: 'draft-7', io: 'input', reused: 'inline' }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the KorProxy chart',
    ...describeValues(withoutClusterKeywords(schema), defaults),
  }
}
