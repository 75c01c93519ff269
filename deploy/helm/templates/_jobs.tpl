{{/* The scrape jobs that the Operator does not create. */}}
{{- define "imagebuilder-exporter.jobs" -}}
{{- $scheme := include "imagebuilder-exporter.scheme" . -}}
{{- $targets := not .Values.scrapeConfig.enabled -}}
{{- $replicas := not .Values.serviceMonitor.enabled -}}
{{- if or $targets $replicas }}

Prometheus needs one job for the targets and one for the replicas. Set scrapeConfig.enabled and
serviceMonitor.enabled, or add this to the configuration of Prometheus{{ if .Values.web.existingSecret }}, with the tls_config
and basic_auth that web.existingSecret requires in each job and in http_sd_configs{{ end }}:

scrape_configs:
{{- if $targets }}
  - job_name: imagebuilder
    honor_labels: true
    scrape_interval: {{ .Values.scrapeConfig.interval }}
    {{- with .Values.scrapeConfig.scrapeTimeout }}
    scrape_timeout: {{ . }}
    {{- end }}
    http_sd_configs:
      - url: {{ include "imagebuilder-exporter.sdURL" . }}
        refresh_interval: {{ .Values.scrapeConfig.refreshInterval }}
{{- end }}
{{- if $replicas }}
  - job_name: imagebuilder-exporter
    honor_labels: true
    {{- if eq $scheme "https" }}
    scheme: https
    {{- end }}
    dns_sd_configs:
      - names: [{{ include "imagebuilder-exporter.headless" . }}.{{ .Release.Namespace }}.svc]
        type: A
        port: 10120
{{- end }}
{{- end }}
{{- end -}}
