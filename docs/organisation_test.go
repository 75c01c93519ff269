package docs_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// organisation returns the section of docs/install.md about one.
func organisation(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, "docs/install.md"), "\n## An organisation\n")
	section, _, found := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("docs/install.md has no section about an organisation")
	}
	return section
}

// TestTheOrganisationsConfiguration runs the check of docs/install.md with the configuration
// that it shows, and with accounts as its command lists them.
func TestTheOrganisationsConfiguration(t *testing.T) {
	_, rest, _ := strings.Cut(organisation(t), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	folder := t.TempDir()
	file := filepath.Join(folder, "config.yml")
	binarytest.WriteFile(t, file, text)
	binarytest.WriteFile(t, filepath.Join(folder, "accounts.txt"), "444455556666 # Web & shop\n012345678901 # dev\n")
	api := &emulator.API{Scenario: emulator.Runs()}
	for _, id := range []string{"444455556666", "012345678901"} {
		arn := "arn:aws:imagebuilder:eu-west-1:" + id + ":image-pipeline/golden"
		api.Roles = append(api.Roles, emulator.Role{
			ARN: "arn:aws:iam::" + id + ":role/imagebuilder-exporter", ExternalID: "EXTERNAL-ID",
			Scenario: &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: arn, Name: "golden"}}},
		})
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	checks := regexp.MustCompile(`(?m)^systemd-run .* imagebuilder_exporter (.* --config\.check --config\.check-aws)$`).FindAllStringSubmatch(organisation(t), -1)
	if len(checks) != 1 {
		t.Fatalf("the checks are %q", checks)
	}
	for _, check := range checks {
		args := strings.ReplaceAll(check[1], "/etc/imagebuilder_exporter/config.yml", "config.yml")
		c := binarytest.WithCredentials(binarytest.Command(ctx, t, strings.Fields(args)...))
		c.Dir = folder
		c.Env = append(c.Env, "AWS_ENDPOINT_URL="+server.URL)
		out, err := c.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "config.yml: valid, 2 targets: 2 pipeline selectors\n") {
			t.Errorf("%s: %v\n%s", check[0], err, out)
		}
		for _, role := range api.Roles {
			if !strings.Contains(string(out), "the role "+role.ARN) {
				t.Errorf("%s does not try %s:\n%s", check[0], role.ARN, out)
			}
		}
	}
}

// TestManyAccounts loads the example of docs/configuration.md, with its accounts file.
func TestManyAccounts(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "docs/configuration.md"), "\n### Many accounts\n")
	blocks := strings.Split(section, "```")
	folder := t.TempDir()
	file := filepath.Join(folder, "config.yml")
	binarytest.WriteFile(t, file, strings.TrimPrefix(blocks[1], "yaml\n"))
	binarytest.WriteFile(t, filepath.Join(folder, "accounts.txt"), blocks[3])
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, target := range c.Targets {
		names = append(names, target.Name)
	}
	if diff := cmp.Diff([]string{"golden-111122223333", "golden-444455556666"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTheOrganisationsCommands holds that they name files and parameters that there are, and the
// same role and external id as the configuration.
func TestTheOrganisationsCommands(t *testing.T) {
	section, template := organisation(t), read(t, "deploy/iam/stackset.yml")
	want := map[string]int{"ExporterRoleArn": 2, "ExternalId": 2}
	got := map[string]int{}
	for _, p := range regexp.MustCompile(`ParameterKey=(\w+)|(\w+)=(?:arn:|EXTERNAL-ID)`).FindAllStringSubmatch(section, -1) {
		if name := p[1] + p[2]; name != "ParameterValue" {
			got[name]++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the parameters (-want +got):\n%s", diff)
	}
	for name := range got {
		if !strings.Contains(template, "\n  "+name+":\n") {
			t.Errorf("the template has no parameter %s", name)
		}
	}
	for _, file := range regexp.MustCompile(`deploy/iam/[\w.-]+`).FindAllString(section, -1) {
		if !exists("", file) {
			t.Errorf("there is no %s", file)
		}
	}
	if !strings.Contains(template, "\n    Default: imagebuilder-exporter\n") || !strings.Contains(section, "role_arn: arn:aws:iam::{account}:role/imagebuilder-exporter\n") {
		t.Error("the configuration has another role than the template")
	}
	if !strings.Contains(read(t, "deploy/iam/assume-role.json"), ":444455556666:role/imagebuilder-exporter") {
		t.Error("sed finds nothing to replace in assume-role.json")
	}
}

// TestTheOrganisationsPrometheus holds that one prometheus.yml scrapes, loads the rules of the
// packages and sends their alerts, and that Alertmanager's route leads to the receiver that pages.
func TestTheOrganisationsPrometheus(t *testing.T) {
	section := organisation(t)
	var prometheus struct {
		RuleFiles []string `yaml:"rule_files"`
		Alerting  struct {
			Alertmanagers []map[string]any
		}
		ScrapeConfigs []map[string]any `yaml:"scrape_configs"`
	}
	decodeBlock(t, section, "# /etc/prometheus/prometheus.yml\n", &prometheus)
	if len(prometheus.RuleFiles) != 1 || !strings.Contains(read(t, ".goreleaser.yml"), "dst: "+prometheus.RuleFiles[0]+",") {
		t.Errorf("the rule files are %q, and the packages have another one", prometheus.RuleFiles)
	}
	if len(prometheus.Alerting.Alertmanagers) != 1 || len(prometheus.ScrapeConfigs) != 1 {
		t.Errorf("there is not one Alertmanager and one scrape job: %+v", prometheus)
	}
	type receivers struct {
		Receivers []map[string]any
		Route     struct{ Routes []struct{ Receiver string } }
	}
	var page, route receivers
	decodeBlock(t, section, "# /etc/prometheus/alertmanager.yml\n", &page)
	if err := yaml.Unmarshal([]byte(read(t, "alerts/alertmanager.yml")), &route); err != nil {
		t.Fatal(err)
	}
	if len(page.Receivers) != 1 || len(page.Receivers[0]) < 2 || page.Receivers[0]["name"] != route.Route.Routes[0].Receiver {
		t.Errorf("%v is not the receiver %q with an integration", page.Receivers, route.Route.Routes[0].Receiver)
	}
}

// decodeBlock decodes the YAML that follows a line of a document, up to the end of its block.
func decodeBlock(t *testing.T, text, begin string, value any) {
	t.Helper()
	_, block, found := strings.Cut(text, begin)
	block, _, _ = strings.Cut(block, "```")
	if err := yaml.Unmarshal([]byte(block), value); !found || err != nil {
		t.Fatalf("%q: found %t, %v", begin, found, err)
	}
}
