{{/* The rules, with the changes of prometheusRule.alerts and prometheusRule.extraLabels. */}}
{{- define "imagebuilder-exporter.rules" -}}
{{- $alerts := .Values.prometheusRule.alerts | default dict -}}
{{- $thresholds := .Files.Get "files/thresholds.yml" | fromYaml -}}
{{- range $name, $tuned := $alerts -}}
{{- if and (hasKey $tuned "threshold") (not (hasKey $thresholds $name)) -}}
{{- fail (printf "prometheusRule.alerts.%s has no threshold. Alerts with a threshold: %s." $name (keys $thresholds | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- $groups := list -}}
{{- range $group := (.Files.Get "files/imagebuilder.rules.yml" | fromYaml).groups -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- $tuned := get $alerts ($rule.alert | default "") | default dict -}}
{{- if $rule.alert -}}
{{- include "imagebuilder-exporter.tune" (list $rule $tuned (get $thresholds $rule.alert)) -}}
{{- $_ := merge $rule.labels ($.Values.prometheusRule.extraLabels | default dict) -}}
{{- end -}}
{{- if not $tuned.disabled -}}{{- $rules = append $rules $rule -}}{{- end -}}
{{- end -}}
{{- $groups = append $groups (set $group "rules" $rules) -}}
{{- end -}}
{{- dict "groups" $groups | toYaml -}}
{{- end -}}

{{/* Changes the rule of an alert. Takes a list: the rule, its values, and its threshold. */}}
{{- define "imagebuilder-exporter.tune" -}}
{{- $rule := index . 0 -}}{{- $tuned := index . 1 -}}{{- $threshold := index . 2 -}}
{{- with $tuned.for -}}{{- $_ := set $rule "for" . -}}{{- end -}}
{{- with $tuned.severity -}}{{- $_ := set $rule.labels "severity" . -}}{{- end -}}
{{- if hasKey $tuned "threshold" -}}
{{- $number := $tuned.threshold -}}
{{- if and (not (kindIs "string" $number)) (eq (float64 $number) (floor $number)) -}}{{- $number = int64 $number -}}{{- end -}}
{{- $old := printf "%s %s" $threshold.operator $threshold.default -}}
{{- $_ := set $rule "expr" ($rule.expr | replace $old (printf "%s %v" $threshold.operator $number)) -}}
{{- end -}}
{{- end -}}
