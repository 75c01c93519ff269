{{- define "imagebuilder-exporter.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{- define "imagebuilder-exporter.fullname" -}}
{{- $name := include "imagebuilder-exporter.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "imagebuilder-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "imagebuilder-exporter.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "imagebuilder-exporter.labels" -}}
{{ include "imagebuilder-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}

{{- define "imagebuilder-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "imagebuilder-exporter.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "imagebuilder-exporter.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The bytes of a quantity of memory such as 1.5Gi, or empty if it has another form. */}}
{{- define "imagebuilder-exporter.bytes" -}}
{{- $text := kindIs "float64" . | ternary (int64 .) . | toString -}}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?" $text -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $unit := trimPrefix $number $text -}}
{{- if and $number (hasKey $units $unit) -}}
{{- mulf $number (get $units $unit) | int64 -}}
{{- end -}}
{{- end -}}

{{/* Both probes. With a web configuration the exporter probes itself: the kubelet has no password. */}}
{{- define "imagebuilder-exporter.probe" -}}
{{- if .root.Values.web.existingSecret -}}
exec:
  command: [/imagebuilder_exporter, --health-check, --web.config.file=/etc/imagebuilder_exporter_web/web.yml]
timeoutSeconds: 6
{{- else -}}
httpGet:
  path: {{ .path }}
  port: metrics
timeoutSeconds: 5
{{- end -}}
{{- end -}}

{{- define "imagebuilder-exporter.scheme" -}}
{{- .Values.serviceMonitor.scheme | default (ternary "https" "http" (not (empty .Values.web.existingSecret))) -}}
{{- end -}}

{{/* Refuses null where a template needs a value: Helm then removes the default of the chart. */}}
{{- define "imagebuilder-exporter.checkNull" -}}
{{- range $path := list "replicas" "hostUsers" "image" "image.repository" "image.pullPolicy" "serviceAccount" "serviceAccount.create" "web" "web.drain" "service" "service.type" "serviceMonitor" "serviceMonitor.honorLabels" "scrapeConfig" "scrapeConfig.refreshInterval" "scrapeConfig.interval" "scrapeConfig.honorLabels" "prometheusRule" "dashboards" "networkPolicy" "networkPolicy.from" -}}
{{- $value := $.Values -}}
{{- range splitList "." $path -}}{{- $value = index $value . -}}{{- end -}}
{{- if kindIs "invalid" $value -}}
{{- fail (printf "%s is null: remove it from your values to use the default%s." $path (ternary ", or set it to [] to allow everyone" "" (eq $path "networkPolicy.from"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Refuses values that contradict each other. Every template includes it first. */}}
{{- define "imagebuilder-exporter.check" -}}
{{- include "imagebuilder-exporter.checkNull" . -}}
{{- $name := include "imagebuilder-exporter.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "%s is not a valid Service name: use lower-case letters, digits and dashes, and start with a letter. Set fullnameOverride." $name) -}}
{{- end -}}
{{- range $value, $labels := dict "service.labels" (.Values.service).labels "serviceMonitor.labels" (.Values.serviceMonitor).labels "scrapeConfig.labels" (.Values.scrapeConfig).labels "prometheusRule.labels" (.Values.prometheusRule).labels "dashboards.labels" (.Values.dashboards).labels -}}
{{- range $label, $_ := include "imagebuilder-exporter.labels" $ | fromYaml -}}
{{- if hasKey ($labels | default dict) $label -}}{{- fail (printf "%s cannot contain %s: the chart sets it." $value $label) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- range $label, $_ := include "imagebuilder-exporter.selectorLabels" . | fromYaml -}}
{{- if hasKey ($.Values.podLabels | default dict) $label -}}{{- fail (printf "podLabels cannot contain %s: the chart sets it." $label) -}}{{- end -}}
{{- end -}}
{{- range list "account_id" "action" "alertname" "class" "image_build_version_arn" "image_name" "image_version" "instance" "job" "lookup" "operation" "pipeline" "pipeline_arn" "region" "selector" "service" "severity" "status" "step" "step_execution_id" "target" "workflow_build_version_arn" "workflow_execution_id" "workflow_type" -}}
{{- if hasKey (($.Values.prometheusRule).extraLabels | default dict) . -}}{{- fail (printf "prometheusRule.extraLabels cannot contain %s: the alerts set it." .) -}}{{- end -}}
{{- end -}}
{{- $sources := list -}}
{{- range list "config" "existingSecret" "demo" -}}
{{- if get $.Values . -}}{{- $sources = append $sources . -}}{{- end -}}
{{- end -}}
{{- if not $sources -}}
{{- fail "config is required: see docs/configuration.md. Or set existingSecret or demo." -}}
{{- else if gt (len $sources) 1 -}}
{{- fail (printf "%s are set: set only one of config, existingSecret and demo." (join " and " $sources)) -}}
{{- end -}}
{{- if and .Values.accounts (not .Values.config) -}}
{{- fail "accounts needs config, with targets that have accounts_file: accounts.txt." -}}
{{- end -}}
{{- if and (kindIs "map" .Values.config) (not .Values.accounts) -}}
{{- range .Values.config.targets -}}
{{- if has (get . "accounts_file") (list "accounts.txt" "./accounts.txt" "/etc/imagebuilder_exporter/accounts.txt") -}}
{{- fail (printf "config has accounts_file: %s, but accounts is empty: use --set-file accounts=accounts.txt in every installation and upgrade." .accounts_file) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) -}}
{{- fail "serviceAccount.annotations needs serviceAccount.create: annotate the existing ServiceAccount yourself." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.tlsConfig (eq (include "imagebuilder-exporter.scheme" .) "http") -}}
{{- fail "serviceMonitor.tlsConfig needs https: set web.existingSecret or serviceMonitor.scheme." -}}
{{- end -}}
{{- with .Values.serviceMonitor -}}
{{- if and .interval .scrapeTimeout -}}
{{- if gt (include "imagebuilder-exporter.milliseconds" .scrapeTimeout | int) (include "imagebuilder-exporter.milliseconds" .interval | int) -}}
{{- fail (printf "serviceMonitor.scrapeTimeout is %s: it must be at most serviceMonitor.interval, which is %s." .scrapeTimeout .interval) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "imagebuilder-exporter.checkReplicas" . -}}
{{- range .Values.extraArgs -}}
{{- $flag := . | splitList "=" | first -}}
{{- if has $flag (list "--config.file" "--config.auto-reload-interval" "--demo" "--sd.peer-config" "--sd.peers" "--web.config.file" "--web.drain" "--web.listen-address" "--web.telemetry-path") -}}
{{- fail (printf "extraArgs cannot contain %s: the chart sets it or relies on its default." $flag) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if or (and (eq .name "AWS_REGION") $.Values.region) (and (has .name (list "GOMEMLIMIT" "MEMORY_LIMIT_MI")) (($.Values.resources).limits).memory) -}}
{{- fail (printf "extraEnv cannot contain %s: the chart sets it from region or resources.limits.memory." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
