{{/* True with several replicas, otherwise empty. */}}
{{- define "imagebuilder-exporter.several" -}}
{{- if gt (int .Values.replicas) 1 -}}true{{- end -}}
{{- end -}}

{{/* The name of the headless Service, which resolves to the addresses of all pods. */}}
{{- define "imagebuilder-exporter.headless" -}}
{{- printf "%s-replicas" (include "imagebuilder-exporter.fullname" . | trunc 54 | trimSuffix "-") -}}
{{- end -}}

{{/* The labels by which the ServiceMonitor selects only the headless Service. */}}
{{- define "imagebuilder-exporter.headlessLabels" -}}
{{ include "imagebuilder-exporter.selectorLabels" . }}
app.kubernetes.io/component: replicas
{{- end -}}

{{/* The URL where Prometheus asks which replica serves which target. */}}
{{- define "imagebuilder-exporter.sdURL" -}}
{{- printf "%s://%s.%s.svc:10120/sd" (include "imagebuilder-exporter.scheme" .) (include "imagebuilder-exporter.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* The seconds of a duration such as 1h2m3s. */}}
{{- define "imagebuilder-exporter.seconds" -}}
{{- div (include "imagebuilder-exporter.milliseconds" . | int) 1000 -}}
{{- end -}}

{{/* The milliseconds of a duration of Prometheus. */}}
{{- define "imagebuilder-exporter.milliseconds" -}}
{{- $sum := 0 -}}
{{- range $unit, $factor := dict "y" 31536000000 "w" 604800000 "d" 86400000 "h" 3600000 "m" 60000 "s" 1000 "ms" 1 -}}
{{- $sum = regexFind (print "[0-9]+" $unit "([^s]|$)") $ | regexFind "[0-9]+" | int | mul $factor | add $sum -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* The termination grace period in seconds: the drain, 15 s for the shutdown, and a margin. */}}
{{- define "imagebuilder-exporter.gracePeriod" -}}
{{- include "imagebuilder-exporter.seconds" .Values.web.drain | int | add 20 -}}
{{- end -}}

{{/* Refuses values that contradict each other with several replicas, or have no effect with one. */}}
{{- define "imagebuilder-exporter.checkReplicas" -}}
{{- if not (include "imagebuilder-exporter.several" .) -}}
{{- if (.Values.scrapeConfig).enabled -}}
{{- fail "scrapeConfig.enabled needs replicas above 1: with one replica, set serviceMonitor.enabled to scrape the targets." -}}
{{- end -}}
{{- if .Values.web.peerSecret -}}
{{- fail "web.peerSecret needs replicas above 1: a single replica has no peers." -}}
{{- end -}}
{{- else -}}
{{- if and .Values.web.existingSecret (not .Values.web.peerSecret) -}}
{{- fail "replicas above 1 with web.existingSecret need web.peerSecret: the web configuration also applies when replicas ask each other whether they are ready." -}}
{{- end -}}
{{- if and (.Values.serviceMonitor).enabled (not (.Values.scrapeConfig).enabled) -}}
{{- fail "serviceMonitor.enabled with replicas above 1 needs scrapeConfig.enabled: /metrics of a replica does not contain the targets." -}}
{{- end -}}
{{- if and .Values.scrapeConfig.tlsConfig (eq (include "imagebuilder-exporter.scheme" .) "http") -}}
{{- fail "scrapeConfig.tlsConfig needs https: set web.existingSecret or serviceMonitor.scheme." -}}
{{- end -}}
{{- include "imagebuilder-exporter.checkDrain" . -}}
{{- end -}}
{{- end -}}

{{/* A replica drains until Prometheus has discovered and scraped the new owners of its targets. */}}
{{- define "imagebuilder-exporter.checkDrain" -}}
{{- $drain := include "imagebuilder-exporter.seconds" .Values.web.drain | int -}}
{{- $refresh := include "imagebuilder-exporter.seconds" .Values.scrapeConfig.refreshInterval | int -}}
{{- $interval := include "imagebuilder-exporter.seconds" .Values.scrapeConfig.interval | int -}}
{{- if gt $drain 3600 -}}
{{- fail (printf "web.drain is %s: it must be at most 1h." .Values.web.drain) -}}
{{- end -}}
{{- if gt (add $refresh $interval 5 | int) $drain -}}
{{- fail (printf "web.drain is %s: it must be at least %ds, which is scrapeConfig.refreshInterval + scrapeConfig.interval + 5s. Prometheus may scrape a terminating replica for that long." .Values.web.drain (add $refresh $interval 5)) -}}
{{- end -}}
{{- with .Values.scrapeConfig.scrapeTimeout -}}
{{- if gt (include "imagebuilder-exporter.seconds" . | int) $interval -}}
{{- fail (printf "scrapeConfig.scrapeTimeout is %s: it must be at most scrapeConfig.interval, which is %s." . $.Values.scrapeConfig.interval) -}}
{{- end -}}
{{- end -}}
{{- end -}}
