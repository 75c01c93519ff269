package compose_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// service is what a test has to know of a service of compose.yml.
type service struct {
	Command, Profiles []string
	Deploy            struct{ Replicas int }
	StopGracePeriod   time.Duration `yaml:"stop_grace_period"`
	Networks          map[string]struct{ Aliases []string }
}

// job is what a test has to know of a scrape job.
type job struct {
	Name           string        `yaml:"job_name"`
	HonorLabels    bool          `yaml:"honor_labels"`
	ScrapeInterval time.Duration `yaml:"scrape_interval"`
	HTTPSDConfigs  []struct {
		URL             string
		RefreshInterval time.Duration `yaml:"refresh_interval"`
	} `yaml:"http_sd_configs"`
	DNSSDConfigs []struct {
		Names []string
		Type  string
		Port  int
	} `yaml:"dns_sd_configs"`
}

// load reads a YAML file.
func load(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// services returns those of compose.yml.
func services(t *testing.T) map[string]service {
	t.Helper()
	var file struct{ Services map[string]service }
	load(t, "compose.yml", &file)
	return file.Services
}

// TestProfiles holds that nothing of the replicas starts unless somebody asks for it.
func TestProfiles(t *testing.T) {
	got := map[string][]string{}
	for name, s := range services(t) {
		if len(s.Profiles) > 0 {
			got[name] = s.Profiles
		}
	}
	want := map[string][]string{"replica": {"replicas"}, "prometheus-replicas": {"replicas"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services with a profile (-want +got):\n%s", diff)
	}
	if aliases := services(t)["prometheus-replicas"].Networks["default"].Aliases; !slices.Contains(aliases, "prometheus") {
		t.Errorf("Grafana asks prometheus, prometheus-replicas has the aliases %q", aliases)
	}
}

// TestReplicas holds that three exporters share the targets, that Prometheus has a job for these
// and one for the exporters, and that one that ends is scraped for as long as Prometheus may take
// to learn of it.
func TestReplicas(t *testing.T) {
	replica := services(t)["replica"]
	if replica.Deploy.Replicas != 3 || !slices.Contains(replica.Command, "--sd.peers=dns+replica:10120") {
		t.Errorf("there are %d replicas with the flags %q", replica.Deploy.Replicas, replica.Command)
	}
	var prometheus struct {
		Jobs []job `yaml:"scrape_configs"`
	}
	load(t, "prometheus-replicas.yml", &prometheus)
	if len(prometheus.Jobs) < 2 {
		t.Fatalf("the jobs are %+v", prometheus.Jobs)
	}
	targets, own := prometheus.Jobs[0], prometheus.Jobs[1]
	if targets.Name != "imagebuilder" || !targets.HonorLabels || len(targets.HTTPSDConfigs) != 1 || targets.HTTPSDConfigs[0].URL != "http://replica:10120/sd" {
		t.Fatalf("the job of the targets is %+v", targets)
	}
	if own.Name != "imagebuilder-exporter" || !own.HonorLabels || len(own.DNSSDConfigs) != 1 {
		t.Fatalf("the job of the replicas is %+v", own)
	}
	if sd := own.DNSSDConfigs[0]; !slices.Equal(sd.Names, []string{"replica"}) || sd.Type != "A" || sd.Port != 10120 {
		t.Errorf("the replicas are looked up with %+v", sd)
	}
	drain := drainOf(t, replica.Command)
	if least := targets.ScrapeInterval + targets.HTTPSDConfigs[0].RefreshInterval + 5*time.Second; drain < least {
		t.Errorf("a replica drains for %s, want at least %s", drain, least)
	}
	if replica.StopGracePeriod <= drain+15*time.Second {
		t.Errorf("a replica is killed after %s, and drains for %s", replica.StopGracePeriod, drain)
	}
}

// drainOf returns --web.drain of a command.
func drainOf(t *testing.T, command []string) time.Duration {
	t.Helper()
	for _, arg := range command {
		if text, ok := strings.CutPrefix(arg, "--web.drain="); ok {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatalf("there is no --web.drain in %q", command)
	return 0
}
