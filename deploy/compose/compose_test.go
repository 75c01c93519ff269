package compose_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestCompose holds that what deploy/compose mounts is there, that images of others have a
// version, and that nothing listens beyond loopback.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Image, Build   string
			Volumes, Ports []string
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Services) != 6 {
		t.Errorf("there are %d services", len(file.Services))
	}
	for name, s := range file.Services {
		if s.Build == "" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %q has no version", name, s.Image)
		}
		paths := []string{}
		if s.Build != "" {
			paths = append(paths, s.Build+"/Dockerfile")
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, ".") {
				paths = append(paths, from)
			}
		}
		for _, p := range paths {
			if _, err := os.Stat(p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s listens on %s", name, p)
			}
		}
	}
	for _, f := range []string{"prometheus.yml", "prometheus-replicas.yml", "grafana/datasources.yml", "grafana/dashboards.yml"} {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var any map[string]any
		if err := yaml.Unmarshal(text, &any); err != nil || len(any) == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
}

var pinned = regexp.MustCompile(`^[a-z]+/[a-z]+:v?[0-9]+\.[0-9]+\.[0-9]+$`)
