package emulator

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// fleetAccount is an account of a Fleet, in one region.
type fleetAccount struct {
	name, region, account string

	platform, kind string // of its images, as Image has them
	systems        []string
	teams          []fleetTeam

	step time.Duration // how long a step takes, about
}

// fleetTeam is who owns pipelines.
type fleetTeam struct {
	name, owner string // "" for an owner whom no tag names
	products    []string
}

var (
	fleetStages      = []string{"staging", "prod", "dev"}
	linuxSystems     = []string{"amazon-linux-2023", "ubuntu-2404", "rhel-9", "amazon-linux-2023-arm64", "debian-12", "ubuntu-2204-cis"}
	windowsSystems   = []string{"windows-server-2022", "windows-11", "windows-server-2025-core", "windows-server-2019", "windows-10-ltsc"}
	containerSystems = []string{"python-312", "node-22", "jdk-21", "dotnet-8", "nginx", "go-toolchain"}
)

var fleetAccounts = []fleetAccount{
	{
		name: "golden-images", region: "eu-west-1", account: "111122223333", systems: linuxSystems, step: 5 * time.Minute,
		teams: []fleetTeam{
			{"platform", "platform-oncall@example.com", []string{"base", "bastion-host", "ci-runner", "eks-node"}},
			{"payments", "ana.silva@example.com", []string{"payments-api", "card-vault", "settlement-reconciliation"}},
			{"identity", "identity@example.com", []string{"login", "directory-sync", "customer-identity-management"}},
			{"network", "li.wei@example.com", []string{"egress-proxy", "dns-resolver", "vpn-gateway"}},
			{"observability", "observability@example.com", []string{"log-collector", "prometheus", "synthetic-monitoring-probe"}},
		},
	},
	{
		name: "containers", region: "us-east-1", account: "444455556666", kind: "DOCKER", systems: containerSystems, step: 3 * time.Minute,
		teams: []fleetTeam{
			{"runtime", "runtime@example.com", []string{"container-base", "sidecar", "build-toolchain"}},
			{"web", "web-oncall@example.com", []string{"storefront", "checkout", "search", "image-resizer"}},
			{"logistics", "j.okafor@example.com", []string{"shipping", "warehouse", "returns-refunds-orchestration-service"}},
			{"mobile", "mobile@example.com", []string{"mobile-api", "push-sender", "device-attestation"}},
			{"partners", "m.rossi@example.com", []string{"partner-api", "edi-gateway", "marketplace-catalogue-import"}},
		},
	},
	{
		name: "desktops", region: "eu-central-1", account: "777788889999", platform: "Windows", systems: windowsSystems, step: 7 * time.Minute,
		teams: []fleetTeam{
			{"desktop", "desktop@example.com", []string{"office", "developer-workstation", "kiosk", "call-centre"}},
			{"retail", "retail-it@example.com", []string{"point-of-sale", "back-office", "self-checkout-terminal"}},
			{"engineering", "cad-support@example.com", []string{"cad-workstation", "simulation", "finite-element-workstation"}},
			{"finance", "s.nakamura@example.com", []string{"finance", "treasury", "tax-regulatory-reporting"}},
			{"directory", "directory@example.com", []string{"domain-controller", "file-server", "certificate-authority"}},
		},
	},
	{
		name: "data-platform", region: "ap-southeast-2", account: "222233334444", systems: linuxSystems, step: 6 * time.Minute,
		teams: []fleetTeam{
			{"data", "data-oncall@example.com", []string{"spark-worker", "airflow-worker", "kafka-broker", "trino"}},
			{"machine-learning", "ml-platform@example.com", []string{"gpu-training", "inference", "feature-store-materializer"}},
			{"analytics", "p.dubois@example.com", []string{"reporting", "dashboards", "experimentation"}},
			{"risk", "risk@example.com", []string{"fraud-scoring", "credit-model", "anti-money-laundering"}},
			{"research", "", []string{"genomics", "weather-model"}},
		},
	},
}

// pipelineName returns the name of the nth pipeline of a, without spaces, and its tags. No two
// have the same name.
func (a *fleetAccount) pipelineName(n int) (name string, tags map[string]string) {
	team, n := a.teams[n%len(a.teams)], n/len(a.teams)
	product, n := team.products[n%len(team.products)], n/len(team.products)
	system, n := n%len(a.systems), n/len(a.systems)
	stage, again := fleetStages[(system+n)%len(fleetStages)], n/len(fleetStages)
	name = product + "-" + a.systems[system] + "-" + stage
	if again > 0 {
		name += fmt.Sprintf("-%d", again+1)
	}
	tags = map[string]string{"team": team.name, "stage": stage, "owner": team.owner}
	if team.owner == "" {
		delete(tags, "owner")
	}
	return name, tags
}

// title writes a name as those do who like capitals and spaces: "Office Windows 11 Prod".
func title(name string) string {
	words := strings.Split(name, "-")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// component returns where one of the components of a fails.
func (a *fleetAccount) component(name, phase, step, message string) ComponentFailure {
	action := "ExecuteBash"
	if a.platform == "Windows" {
		action = "ExecutePowerShell"
	}
	arn := "arn:aws:imagebuilder:" + a.region + ":" + a.account + ":component/" + name + "-" + strings.ToLower(cmp.Or(a.platform, "Linux"))
	return ComponentFailure{ARN: arn + "/1.4.2/1", Phase: phase, Step: step, Action: action, Message: message}
}
