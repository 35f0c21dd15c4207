{{/* Everything is named after the release, so that workloads find http://<release>-gateway. */}}
{{- define "korproxy.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* Names of things without a namespace. */}}
{{- define "korproxy.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "korproxy.fullname" .) -}}
{{- end -}}

{{/* Call with (dict "root" $ "component" "gateway"). */}}
{{- define "korproxy.name" -}}
{{- printf "%s-%s" (include "korproxy.fullname" .root) .component -}}
{{- end -}}

{{- define "korproxy.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "korproxy.labels" -}}
{{- $own := fromYaml (include "korproxy.selectorLabels" .) -}}
{{- $own = merge $own (dict
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_")
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "app.kubernetes.io/part-of" "korproxy") -}}
{{- toYaml (merge $own .root.Values.commonLabels) -}}
{{- end -}}

{{- define "korproxy.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.create -}}
{{- $account.name | default (include "korproxy.name" .) -}}
{{- else -}}
{{- $account.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "korproxy.image" -}}
{{- $image := .Values.image -}}
{{- $tagged := printf "%s:%s" $image.repository ($image.tag | default .Chart.AppVersion) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" (ternary $tagged $image.repository (ne $image.tag "")) $image.digest -}}
{{- else -}}
{{- $tagged -}}
{{- end -}}
{{- end -}}

{{/* Namespaces whose resources are served, as a JSON list. */}}
{{- define "korproxy.namespaces" -}}
{{- .Values.watchNamespaces | default (list .Release.Namespace) | uniq | toJson -}}
{{- end -}}

{{- define "korproxy.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "korproxy.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Where pods go: what the values say, else spread over nodes and zones. */}}
{{- define "korproxy.placement" -}}
{{- $values := index .root.Values .component -}}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- $context := . }}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "korproxy.selectorLabels" $context | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end -}}

{{/* A pod knows its name: it is what the token in it is bound to. */}}
{{- define "korproxy.podIdentity" -}}
- name: POD_NAME
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
- name: POD_IP
  valueFrom:
    fieldRef: {fieldPath: status.podIP}
{{- end -}}

{{- define "korproxy.probe" -}}
httpGet:
  path: {{ .path }}
  port: status
{{- end -}}

{{/*
Resources from values, as a JSON list. Marked as the release's own, so that an upgrade takes over what the bootstrap job made.
*/}}
{{- define "korproxy.configuration" -}}
{{- $root := . -}}
{{- $labels := fromYaml (include "korproxy.labels" (dict "root" . "component" "configuration")) -}}
{{- $config := ternary dict (dict "default" .Values.gatewayConfig) (empty .Values.gatewayConfig) -}}
{{- $objects := list -}}
{{- range $entry := list
  (list "ModelCatalog" .Values.modelCatalogs)
  (list "UsagePolicy" .Values.usagePolicies)
  (list "ProviderAccount" .Values.accounts)
  (list "ProviderGroup" .Values.groups)
  (list "RoutingProfile" .Values.profiles)
  (list "GatewayClient" .Values.clients)
  (list "GatewayConfig" $config) -}}
{{- range $name, $spec := index $entry 1 -}}
{{- $annotations := dict "meta.helm.sh/release-name" $root.Release.Name "meta.helm.sh/release-namespace" $root.Release.Namespace -}}
{{- /* The admission policies guard profiles that are in use; uninstalling must not be held up by them. */ -}}
{{- $annotations = ternary (merge $annotations (dict "korproxy.dev/deletion" "Allowed")) $annotations (eq (index $entry 0) "RoutingProfile") -}}
{{- $metadata := dict "name" $name "namespace" $root.Release.Namespace "labels" $labels "annotations" $annotations -}}
{{- $objects = append $objects (dict "apiVersion" "korproxy.dev/v1alpha1" "kind" (index $entry 0) "metadata" $metadata "spec" $spec) -}}
{{- end -}}
{{- end -}}
{{- toJson $objects -}}
{{- end -}}

{{/*
When the bootstrap job runs: `post-install` where the cluster has no CRDs yet, as Helm looks up every kind before it creates
anything; `post-upgrade` once after that, as Helm takes over resources that it finds without changing them. Else empty.
`helm template` knows no cluster, and needs no job.
*/}}
{{- define "korproxy.bootstrapStage" -}}
{{- if not .Values.bootstrapJob.enabled -}}
{{- else if .Release.IsInstall -}}
{{- $isCluster := .Capabilities.APIVersions.Has "v1/Pod" -}}
{{- $hasKinds := .Capabilities.APIVersions.Has "korproxy.dev/v1alpha1/ProviderAccount" -}}
{{- if and $isCluster (not $hasKinds) (ne (include "korproxy.configuration" .) "[]") -}}post-install{{- end -}}
{{- else -}}
{{- $root := . -}}
{{- $found := dict -}}
{{- range list "ModelCatalog" "UsagePolicy" "ProviderAccount" "ProviderGroup" "RoutingProfile" "GatewayClient" "GatewayConfig" -}}
{{- range (lookup "korproxy.dev/v1alpha1" . $root.Release.Namespace "").items -}}
{{- if eq (get (.metadata.labels | default dict) "korproxy.dev/bootstrap") $root.Release.Name -}}
{{- $_ := set $found "any" true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $found -}}post-upgrade{{- end -}}
{{- end -}}
{{- end -}}
