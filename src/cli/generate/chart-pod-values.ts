import { z } from 'zod'

/** Left to Kubernetes, whose API server checks it. */
const manifestPart = () => z.record(z.string(), z.unknown())
const texts = () => z.record(z.string(), z.string())

/** Values that the pods of controller and gateway have in common. */
export function podValues() {
  return {
    resources: manifestPart().describe('`resources` of the container.'),
    serviceAccount: z
      .strictObject({
        create: z.boolean().describe('Make one.'),
        name: z.string().max(253).describe('Empty: a name of the chart’s own.'),
        annotations: texts().describe('Annotations, e.g. of a workload identity.'),
      })
      .describe('ServiceAccount of the pods.'),
    podAnnotations: texts().describe('Annotations of the pods.'),
    podLabels: texts().describe('Labels of the pods.'),
    extraEnv: z
      .array(z.looseObject({ name: z.string().min(1) }))
      .describe('Environment variables, e.g. of an HTTP proxy.'),
    extraVolumes: z.array(z.looseObject({ name: z.string().min(1) })).describe('Volumes, e.g. with certificates.'),
    extraVolumeMounts: z
      .array(z.looseObject({ name: z.string().min(1), mountPath: z.string().min(1) }))
      .describe('Where they are mounted.'),
  }
}

/** Where pods go, and how many may be away. */
export function availabilityValues() {
  return {
    podDisruptionBudget: z
      .strictObject({
        enabled: z.boolean().describe('A PodDisruptionBudget.'),
        maxUnavailable: z.union([z.int().min(1), z.string().regex(/^[0-9]+%$/)]).describe('Pods that may be away.'),
      })
      .describe('Limits what drains of nodes may take at once.'),
    priorityClassName: z.string().describe('PriorityClass of the pods.'),
    nodeSelector: texts().describe('Labels of nodes to run on.'),
    tolerations: z.array(manifestPart()).describe('Taints to put up with.'),
    affinity: manifestPart().describe('`affinity` of the pods.'),
    topologySpreadConstraints: z.array(manifestPart()).describe('Empty: over nodes and zones, as far as possible.'),
  }
}
