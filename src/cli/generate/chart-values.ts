import { z } from 'zod'
import { KINDS } from '#resources/kinds.ts'
import { availabilityValues, podValues } from './chart-pod-values.ts'
import { withoutClusterKeywords } from './editor-schema.ts'
import { asNode, type SchemaNode } from './structural-schema.ts'

/** Left to Kubernetes, whose API server checks it. */
const manifestPart = () => z.record(z.string(), z.unknown())
const texts = () => z.record(z.string(), z.string())
const port = () => z.int().min(1).max(65_535)
const dnsLabel = () =>
  z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
const logLevel = () => z.enum(['debug', 'info', 'warn', 'error']).describe('Least level that is logged.')

const image = z
  .strictObject({
    repository: z.string().min(1).describe('Image without tag, e.g. `registry.example.com/korproxy`.'),
    tag: z.string().max(128).describe('Empty: the version of the chart.'),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .describe('`sha256:…`; stronger than the tag.'),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).describe('When it is pulled.'),
  })
  .describe('One image for controller and gateway.')

const controller = z
  .strictObject({
    replicas: z.int().min(1).max(9).describe('All of them compile and serve tables; one leads and writes status.'),
    logLevel: logLevel(),
    secretNames: z
      .array(z.string().min(1).max(253))
      .describe('The only Secrets that the controller may read. Empty: those of the watched namespaces.'),
    tls: z
      .strictObject({
        certManager: z
          .strictObject({
            enabled: z.boolean().describe('cert-manager issues the certificate, instead of the controller’s own CA.'),
            issuerRef: texts().describe('`issuerRef` of the Certificate.'),
          })
          .describe('Certificate by cert-manager.'),
      })
      .describe('TLS between gateways and controller.'),
    ...availabilityValues(),
    ...podValues(),
  })
  .describe('Compiles the resources and publishes them to the gateways.')

const autoscaling = z
  .strictObject({
    enabled: z.boolean().describe('HorizontalPodAutoscaler instead of a fixed number.'),
    minReplicas: z.int().min(1).max(1000).describe('Fewest gateways.'),
    maxReplicas: z.int().min(1).max(1000).describe('Most gateways.'),
    targetCPUUtilizationPercentage: z.int().min(1).max(100).describe('CPU, of what is requested.'),
    targetRequestsInFlight: z
      .int()
      .min(0)
      .describe('Requests under way per gateway, for clusters with a metrics adapter for Prometheus. 0: CPU only.'),
    scaleDownStabilizationSeconds: z.int().min(0).max(3600).describe('How long demand must be low before one goes.'),
  })
  .describe('Scaling by demand.')

const gateway = z
  .strictObject({
    replicas: z.int().min(1).max(1000).describe('Each uses one CPU core.'),
    logLevel: logLevel(),
    privateAddresses: z
      .enum(['Allow', 'Deny'])
      .describe('Whether accounts may be at private addresses, such as those of servers in the cluster.'),
    tableSizeLimit: z.string().describe('Memory for the last routing table, which a restarted container starts from.'),
    drain: z
      .strictObject({
        preStopSeconds: z.int().min(1).max(60).describe('A pod that must go serves on as before for this long.'),
        timeoutSeconds: z.int().min(1).max(3600).describe('Then requests and streams under way may take this long.'),
      })
      .describe('How a gateway ends. The grace period of the pod is the sum and 25 s.'),
    service: z
      .strictObject({
        type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).describe('Type of the Service.'),
        port: port().describe('Port of the Service.'),
        annotations: texts().describe('Annotations of the Service.'),
      })
      .describe('The Service `<release>-gateway`.'),
    autoscaling,
    ...availabilityValues(),
    ...podValues(),
  })
  .describe('Takes the requests of workloads.')

const routes = {
  ingress: z
    .strictObject({
      enabled: z.boolean().describe('An Ingress to the gateways.'),
      className: z.string().describe('Class of the Ingress.'),
      annotations: texts().describe('Annotations; switch response buffering off, and allow for long replies.'),
      hosts: z.array(z.string()).describe('Host names.'),
      tls: z.array(manifestPart()).describe('`tls` of the Ingress.'),
    })
    .describe('From outside, by Ingress.'),
  httpRoute: z
    .strictObject({
      enabled: z.boolean().describe('An HTTPRoute to the gateways.'),
      parentRefs: z.array(manifestPart()).describe('Gateways of the Gateway API.'),
      hostnames: z.array(z.string()).describe('Host names.'),
      annotations: texts().describe('Annotations of the HTTPRoute.'),
    })
    .describe('From outside, by the Gateway API.'),
}

const networkPolicy = z
  .strictObject({
    enabled: z.boolean().describe('NetworkPolicies for gateways and controller.'),
    gateway: z
      .strictObject({
        ingressFrom: z
          .array(manifestPart())
          .describe(
            'Who may call, as `from` of a NetworkPolicy; all pods of the cluster. Ignored for public Services.',
          ),
        providerPorts: z
          .array(port())
          .min(1)
          .describe('Ports of providers. Servers in the cluster often have another.'),
        extraEgress: z.array(manifestPart()).describe('More egress rules.'),
      })
      .describe('Of the gateways.'),
    controller: z
      .strictObject({
        apiServerPorts: z.array(port()).min(1).describe('Ports of the API server, and of OAuth token endpoints.'),
        extraEgress: z.array(manifestPart()).describe('More egress rules.'),
      })
      .describe('Of the controller.'),
    metricsFrom: z.array(manifestPart()).describe('Who may read metrics, as `from` of a NetworkPolicy.'),
  })
  .describe('Who may talk to whom.')

const monitor = (description: string) =>
  z
    .strictObject({
      enabled: z.boolean().describe('Needs the Prometheus operator.'),
      interval: z
        .string()
        .regex(/^[0-9]+(s|m)$/)
        .describe('Time between two scrapes.'),
      labels: texts().describe('Labels that your Prometheus selects by.'),
    })
    .describe(description)
const labelled = (description: string) =>
  z
    .strictObject({
      enabled: z.boolean().describe('Off unless asked for.'),
      labels: texts().describe('Labels it is found by.'),
    })
    .describe(description)

const monitoring = z
  .strictObject({
    podMonitor: monitor('Scrapes the pods. Choose this or the ServiceMonitor.'),
    serviceMonitor: monitor('Scrapes through the Services, for a Prometheus that knows no PodMonitor.'),
    rules: labelled('PrometheusRule with alerts.'),
    dashboard: labelled('ConfigMap with a Grafana dashboard.'),
  })
  .describe('Metrics, alerts, dashboard.')

const objectNames = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
const byName = (spec: z.ZodType, what: string) => z.record(objectNames, spec).describe(`${what}: spec by name.`)

const resources = {
  accounts: byName(KINDS.ProviderAccount.spec, 'ProviderAccounts'),
  groups: byName(KINDS.ProviderGroup.spec, 'ProviderGroups'),
  profiles: byName(KINDS.RoutingProfile.spec, 'RoutingProfiles'),
  clients: byName(KINDS.GatewayClient.spec, 'GatewayClients'),
  usagePolicies: byName(KINDS.UsagePolicy.spec, 'UsagePolicies'),
  modelCatalogs: byName(KINDS.ModelCatalog.spec, 'ModelCatalogs'),
  gatewayConfig: KINDS.GatewayConfig.spec.describe('Spec of the GatewayConfig named `default`. Empty: none is made.'),
}

/** Values of the Helm chart: the one source of its schema and of the table in its README. */
const chartValues = z.strictObject({
  nameOverride: z.string().max(63).describe('Instead of `korproxy` in labels.'),
  fullnameOverride: z.string().max(52).describe('Instead of the name of the release in names.'),
  commonLabels: texts().describe('Labels of everything.'),
  image,
  imagePullSecrets: z.array(z.strictObject({ name: z.string() })).describe('Secrets to pull the image with.'),
  watchNamespaces: z
    .array(dnsLabel())
    .describe('Namespaces whose resources are served; they must exist. Empty: the one of the release.'),
  crds: z
    .strictObject({
      enabled: z.boolean().describe('Install and upgrade the CRDs. One release of a cluster does.'),
      keep: z.boolean().describe('Uninstalling leaves them, and with them your resources.'),
    })
    .describe('CustomResourceDefinitions.'),
  admissionPolicies: z
    .strictObject({
      enabled: z.boolean().describe('Rules across objects, cluster-wide. One release of a cluster does.'),
    })
    .describe('ValidatingAdmissionPolicies.'),
  controller,
  gateway,
  ...routes,
  networkPolicy,
  monitoring,
  bootstrapJob: z
    .strictObject({
      enabled: z
        .boolean()
        .describe('Where the first installation also brings the CRDs, a job applies the resources of the values.'),
    })
    .describe('For resources in values on a cluster without CRDs. Tools that order resources themselves need none.'),
  ...resources,
  global: manifestPart().optional().describe('For charts that have this one as a part.'),
})

/** What Helm checks values with. */
export function chartValuesSchema(): SchemaNode {
  const schema = asNode(z.toJSONSchema(chartValues, { target: 'draft-7', io: 'input', reused: 'inline' }))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the KorProxy chart',
    ...withoutClusterKeywords(schema),
  }
}
