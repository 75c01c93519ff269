package kubernetes

import (
	"fmt"
	"strings"
	"testing"
)

// TestBadValues holds that each mistake is refused with a sentence that says what is wrong.
func TestBadValues(t *testing.T) {
	for mistake, want := range map[string]string{
		"{}":                                  "config is required: see docs/configuration.md. Or set existingSecret or demo.",
		"{demo: true, config: {targets: []}}": "config and demo are set: set only one of config, existingSecret and demo.",
		"{config: {targets: []}, existingSecret: x}":                                          "config and existingSecret are set: set only one of",
		"{demo: true, replicaCount: 2}":                                                       "additional properties 'replicaCount' not allowed",
		"{demo: true, image: {registry: x}}":                                                  "at '/image': additional properties 'registry' not allowed",
		"{demo: true, image: {tag: 1.10}}":                                                    "at '/image/tag': got number, want string",
		"{demo: true, image: {digest: e3b0c4}}":                                               "at '/image/digest': 'e3b0c4' does not match pattern",
		"{demo: true, image: {pullPolicy: ifNotPresent}}":                                     "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
		"{demo: true, replicas: '2'}":                                                         "at '/replicas': got string, want integer",
		"{demo: 'true'}":                                                                      "at '/demo': got string, want boolean",
		"{demo: true, region: eu-west}":                                                       "at '/region': 'eu-west' does not match pattern",
		"{demo: true, extraArgs: {log.level: debug}}":                                         "at '/extraArgs': got object, want array",
		"{demo: true, extraArgs: [log.level=debug]}":                                          "at '/extraArgs/0': 'log.level=debug' does not match pattern '^--'",
		"{demo: true, extraArgs: ['--web.listen-address=:80']}":                               "extraArgs cannot contain --web.listen-address: the chart sets it or relies on its default.",
		"{demo: true, podLabels: {app.kubernetes.io/name: x}}":                                "podLabels cannot contain app.kubernetes.io/name: the chart sets it.",
		"{demo: true, serviceMonitor: {labels: {app.kubernetes.io/instance: x}}}":             "serviceMonitor.labels cannot contain app.kubernetes.io/instance: the chart sets it.",
		"{demo: true, extraArgs: [--config.file, x]}":                                         "at '/extraArgs/1': 'x' does not match pattern '^--'",
		"{demo: true, extraEnv: {HTTPS_PROXY: x}}":                                            "at '/extraEnv': got object, want array",
		"{demo: true, extraEnv: [{HTTPS_PROXY: x}]}":                                          "at '/extraEnv/0': missing property 'name'",
		"{demo: true, region: eu-west-1, extraEnv: [{name: AWS_REGION, value: x}]}":           "extraEnv cannot contain AWS_REGION: the chart sets it from region or resources.limits.memory.",
		"{demo: true, extraEnv: [{name: GOMEMLIMIT, value: 1GiB}]}":                           "extraEnv cannot contain GOMEMLIMIT: the chart sets it from region or resources.limits.memory.",
		"{demo: true, serviceAccount: {create: false, annotations: {a: b}}}":                  "serviceAccount.annotations needs serviceAccount.create: annotate the existing ServiceAccount yourself.",
		"{demo: true, serviceAccount: {annotations: {a: true}}}":                              "at '/serviceAccount/annotations/a': got boolean, want string",
		"{demo: true, serviceMonitor: {enabled: true, interval: 30}}":                         "at '/serviceMonitor/interval': got number, want string",
		"{demo: true, serviceMonitor: {enabled: true, interval: 30 s}}":                       "at '/serviceMonitor/interval': '30 s' does not match pattern",
		"{demo: true, serviceMonitor: {honorLabels: 'no'}}":                                   "at '/serviceMonitor/honorLabels': got string, want boolean",
		"{demo: true, serviceMonitor: {scheme: tls}}":                                         "at '/serviceMonitor/scheme': value must be one of '', 'http', 'https'",
		"{demo: true, serviceMonitor: {tlsConfig: {serverName: x}}}":                          "serviceMonitor.tlsConfig needs https: set web.existingSecret or serviceMonitor.scheme.",
		"{demo: true, prometheusRule: {alerts: {NoAlert: {for: 1m}}}}":                        "at '/prometheusRule/alerts': additional properties 'NoAlert' not allowed",
		"{demo: true, prometheusRule: {alerts: {ImageStuck: {form: 1m}}}}":                    "at '/prometheusRule/alerts/ImageStuck': additional properties 'form' not allowed",
		"{demo: true, prometheusRule: {alerts: {ImageStuck: {for: 1 h}}}}":                    "at '/prometheusRule/alerts/ImageStuck/for': '1 h' does not match pattern",
		"{demo: true, prometheusRule: {alerts: {ImageStuck: {for: ''}}}}":                     "at '/prometheusRule/alerts/ImageStuck/for': minLength: got 0, want 1",
		"{demo: true, prometheusRule: {alerts: {ImageStuck: {severity: 1}}}}":                 "at '/prometheusRule/alerts/ImageStuck/severity': got number, want string",
		"{demo: true, prometheusRule: {alerts: {ImageStuck: {disabled: 'no'}}}}":              "at '/prometheusRule/alerts/ImageStuck/disabled': got string, want boolean",
		"{demo: true, prometheusRule: {alerts: {NoRecentGoodImage: {threshold: 60d}}}}":       "at '/prometheusRule/alerts/NoRecentGoodImage/threshold': '60d' does not match pattern",
		"{demo: true, prometheusRule: {alerts: {NoRecentGoodImage: {threshold: -1}}}}":        "at '/prometheusRule/alerts/NoRecentGoodImage/threshold': minimum: got -1, want 0",
		"{demo: true, prometheusRule: {enabled: true, alerts: {ImageStuck: {threshold: 1}}}}": "prometheusRule.alerts.ImageStuck has no threshold. Alerts with a threshold: ApiThrottled, ",
		"{demo: true, prometheusRule: {extraLabels: {my-team: x}}}":                           "at '/prometheusRule/extraLabels': additional properties 'my-team' not allowed",
		"{demo: true, prometheusRule: {namespace: My_Rules}}":                                 "at '/prometheusRule/namespace': 'My_Rules' does not match pattern",
		"{demo: true, serviceMonitor: {namespace: a.b}}":                                      "at '/serviceMonitor/namespace': 'a.b' does not match pattern",
		"{demo: true, scrapeConfig: {namespace: 1}}":                                          "at '/scrapeConfig/namespace': got number, want string",
		"{demo: true, dashboards: {namespace: [a]}}":                                          "at '/dashboards/namespace': got array, want string",
		"{demo: true, serviceMonitor: {relabelings: {targetLabel: x}}}":                       "at '/serviceMonitor/relabelings': got object, want array",
		"{demo: true, serviceMonitor: {metricRelabelings: [drop]}}":                           "at '/serviceMonitor/metricRelabelings/0': got string, want object",
		"{demo: true, scrapeConfig: {relabelings: x}}":                                        "at '/scrapeConfig/relabelings': got string, want array",
		"{demo: true, scrapeConfig: {metricRelabelings: {action: drop}}}":                     "at '/scrapeConfig/metricRelabelings': got object, want array",
		"{demo: true, scrapeConfig: {honorLabels: 'yes'}}":                                    "at '/scrapeConfig/honorLabels': got string, want boolean",
		"{demo: true, service: {type: ExternalName}}":                                         "at '/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'",
		"{demo: true, service: {annotations: {a: true}}}":                                     "at '/service/annotations/a': got boolean, want string",
		"{demo: true, service: {labels: {app.kubernetes.io/name: x}}}":                        "service.labels cannot contain app.kubernetes.io/name: the chart sets it.",
		"{demo: true, service: {port: 80}}":                                                   "at '/service': additional properties 'port' not allowed",
		"{demo: true, podSecurityContext: restricted}":                                        "at '/podSecurityContext': got string, want null or object",
		"{demo: true, securityContext: []}":                                                   "at '/securityContext': got array, want null or object",
		"{demo: true, hostUsers: 'no'}":                                                       "at '/hostUsers': got string, want boolean",
		"{demo: true, extraObjects: {kind: Secret}}":                                          "at '/extraObjects': got object, want array",
		"{demo: true, extraObjects: [1]}":                                                     "at '/extraObjects/0': got number, want string or object",
		"{demo: true, nameOverride: My_Exporter}":                                             "at '/nameOverride': 'My_Exporter' does not match pattern",
		"{demo: true, networkPolicy: {dnsTo: {podSelector: {}}}}":                             "at '/networkPolicy/dnsTo': got object, want array",
		"{demo: true, networkPolicy: {awsTo: 10.0.0.0/16}}":                                   "at '/networkPolicy/awsTo': got string, want array",
		"{demo: true, dashboards: {labels: {grafana_dashboard: 1}}}":                          "at '/dashboards/labels/grafana_dashboard': got number, want string",
		"{demo: true, networkPolicy: {from: {podSelector: {}}}}":                              "at '/networkPolicy/from': got object, want array",
		"{demo: true, resources: {memory: 1Gi}}":                                              "at '/resources': additional properties 'memory' not allowed",
		"{demo: true, extraArgs: [--web.drain=10s]}":                                          "extraArgs cannot contain --web.drain: the chart sets it or relies on its default.",
		"{demo: true, extraArgs: ['--sd.peers=a:1']}":                                         "extraArgs cannot contain --sd.peers: the chart sets it or relies on its default.",
		"{demo: true, extraArgs: [--sd.peer-config=x]}":                                       "extraArgs cannot contain --sd.peer-config: the chart sets it or relies on its default.",
		"{demo: true, accounts: '111122223333'}":                                              "accounts needs config, with targets that have accounts_file: accounts.txt.",
		"{demo: true, scrapeConfig: {enabled: true}}":                                         "scrapeConfig.enabled needs replicas above 1: with one replica, set serviceMonitor.enabled to scrape the targets.",
		"{demo: true, web: {peerSecret: x}}":                                                  "web.peerSecret needs replicas above 1: a single replica has no peers.",
		"{demo: true, replicas: 2, serviceMonitor: {enabled: true}}":                          "serviceMonitor.enabled with replicas above 1 needs scrapeConfig.enabled: /metrics of a replica does not contain the targets.",
		"{demo: true, replicas: 2, web: {existingSecret: x}}":                                 "replicas above 1 with web.existingSecret need web.peerSecret: the web configuration also applies when replicas ask each other whether they are ready.",
		"{demo: true, replicas: 2, scrapeConfig: {tlsConfig: {serverName: x}}}":               "scrapeConfig.tlsConfig needs https: set web.existingSecret or serviceMonitor.scheme.",
		"{demo: true, replicas: 2, scrapeConfig: {labels: {helm.sh/chart: x}}}":               "scrapeConfig.labels cannot contain helm.sh/chart: the chart sets it.",
		"{demo: true, replicas: 2, web: {drain: 44s}}":                                        "web.drain is 44s: it must be at least 45s, which is scrapeConfig.refreshInterval + scrapeConfig.interval + 5s. Prometheus may scrape a terminating replica for that long.",
		"{demo: true, replicas: 2, scrapeConfig: {interval: 1m}}":                             "web.drain is 45s: it must be at least 75s, which is",
		"{demo: true, replicas: 2, scrapeConfig: {refreshInterval: 1m}}":                      "web.drain is 45s: it must be at least 95s, which is",
		"{demo: true, replicas: 2, web: {drain: 1h1s}}":                                       "web.drain is 1h1s: it must be at most 1h.",
		"{demo: true, replicas: 2, web: {drain: 0s}}":                                         "at '/web/drain': '0s' does not match pattern",
		"{demo: true, replicas: 2, web: {drain: ''}}":                                         "at '/web/drain': minLength: got 0, want 1",
		"{demo: true, replicas: 2, web: {drain: 45}}":                                         "at '/web/drain': got number, want string",
		"{demo: true, replicas: 2, scrapeConfig: {interval: 500ms}}":                          "at '/scrapeConfig/interval': '500ms' does not match pattern",
		"{demo: true, replicas: 2, scrapeConfig: {scrapeTimeout: 31s}}":                       "scrapeConfig.scrapeTimeout is 31s: it must be at most scrapeConfig.interval, which is 30s.",
		"{demo: true, fullnameOverride: My_Exporter}":                                         "at '/fullnameOverride': 'My_Exporter' does not match pattern",
	} {
		out, err := helm(t, "template", release, chart, "-f", file(t, "values.yaml", mistake))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s\n%s", mistake, err, want, out)
		}
		if err != nil && strings.Count(fmt.Sprint(err), "\n- ") > 1 {
			t.Errorf("%s: more than one thing is wrong: %v", mistake, err)
		}
	}
}
