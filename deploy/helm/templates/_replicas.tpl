{{/* What there is only with several replicas is true, else empty. */}}
{{- define "imagebuilder-exporter.several" -}}
{{- if gt (int .Values.replicas) 1 -}}true{{- end -}}
{{- end -}}

{{/* The name of the headless Service, whose addresses are those of all pods. */}}
{{- define "imagebuilder-exporter.headless" -}}
{{- printf "%s-replicas" (include "imagebuilder-exporter.fullname" . | trunc 54 | trimSuffix "-") -}}
{{- end -}}

{{/* The labels of the headless Service, by which the ServiceMonitor tells it from the other one. */}}
{{- define "imagebuilder-exporter.headlessLabels" -}}
{{ include "imagebuilder-exporter.selectorLabels" . }}
app.kubernetes.io/component: replicas
{{- end -}}

{{/* Where Prometheus asks which replica serves which target. */}}
{{- define "imagebuilder-exporter.sdURL" -}}
{{- printf "%s://%s.%s.svc:10120/sd" (include "imagebuilder-exporter.scheme" .) (include "imagebuilder-exporter.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* The seconds of a duration such as 1h2m3s. */}}
{{- define "imagebuilder-exporter.seconds" -}}
{{- $seconds := 0 -}}
{{- range $unit, $factor := dict "h" 3600 "m" 60 "s" 1 -}}
{{- $seconds = add $seconds (regexFind (print "[0-9]+" $unit) $ | trimSuffix $unit | int | mul $factor) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{/* How long a pod may take to end, in seconds: the drain, a shutdown of 15 s, and some more. */}}
{{- define "imagebuilder-exporter.gracePeriod" -}}
{{- include "imagebuilder-exporter.seconds" .Values.web.drain | int | add 20 -}}
{{- end -}}

{{/* Values for several replicas that contradict each other, or have no effect with one. */}}
{{- define "imagebuilder-exporter.checkReplicas" -}}
{{- if not (include "imagebuilder-exporter.several" .) -}}
{{- if (.Values.scrapeConfig).enabled -}}
{{- fail "scrapeConfig.enabled needs replicas above 1: one exporter has its targets on /metrics, which serviceMonitor.enabled lets Prometheus scrape." -}}
{{- end -}}
{{- if .Values.web.peerSecret -}}
{{- fail "web.peerSecret needs replicas above 1: one exporter asks no other one." -}}
{{- end -}}
{{- else -}}
{{- if and .Values.web.existingSecret (not .Values.web.peerSecret) -}}
{{- fail "replicas above 1 with web.existingSecret need web.peerSecret, a Secret that says how replicas ask each other whether they are ready: the web configuration makes every client show a password or a certificate, or has TLS, and replicas are asked by their addresses." -}}
{{- end -}}
{{- if and (.Values.serviceMonitor).enabled (not (.Values.scrapeConfig).enabled) -}}
{{- fail "serviceMonitor.enabled with replicas above 1 needs scrapeConfig.enabled: the targets are not on /metrics of the replicas." -}}
{{- end -}}
{{- if and .Values.scrapeConfig.tlsConfig (eq (include "imagebuilder-exporter.scheme" .) "http") -}}
{{- fail "scrapeConfig.tlsConfig needs https: set web.existingSecret or serviceMonitor.scheme." -}}
{{- end -}}
{{- include "imagebuilder-exporter.checkDrain" . -}}
{{- end -}}
{{- end -}}

{{/* A replica has to drain until Prometheus has learned where its targets are now, and scraped that. */}}
{{- define "imagebuilder-exporter.checkDrain" -}}
{{- $drain := include "imagebuilder-exporter.seconds" .Values.web.drain | int -}}
{{- $refresh := include "imagebuilder-exporter.seconds" .Values.scrapeConfig.refreshInterval | int -}}
{{- $interval := include "imagebuilder-exporter.seconds" .Values.scrapeConfig.interval | int -}}
{{- if gt $drain 3600 -}}
{{- fail (printf "web.drain is %s: it may be 1h at most." .Values.web.drain) -}}
{{- end -}}
{{- if gt (add $refresh $interval 5 | int) $drain -}}
{{- fail (printf "web.drain is %s: it must be at least %ds, which is scrapeConfig.refreshInterval and scrapeConfig.interval and 5s, for a replica that ends is scraped so long." .Values.web.drain (add $refresh $interval 5)) -}}
{{- end -}}
{{- with .Values.scrapeConfig.scrapeTimeout -}}
{{- if gt (include "imagebuilder-exporter.seconds" . | int) $interval -}}
{{- fail (printf "scrapeConfig.scrapeTimeout is %s: it may be as long as scrapeConfig.interval at most, %s." . $.Values.scrapeConfig.interval) -}}
{{- end -}}
{{- end -}}
{{- end -}}
