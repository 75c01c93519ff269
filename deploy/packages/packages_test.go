package packages_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// TestTheConfigurationNeedsAName holds that the configuration of the packages is refused as
// it comes, so that two exporters have targets of one name only on purpose, and that a
// name is all that is missing.
func TestTheConfigurationNeedsAName(t *testing.T) {
	const (
		file = "../systemd/config.yml"
		want = file + `:5:11: a target requires a non-empty name
  - name: ""`
	)
	_, err := config.Load(file)
	if err == nil || err.Error() != want {
		t.Errorf("as it comes: got %v, want %s", err, want)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "config.yml")
	binarytest.WriteFile(t, named, strings.Replace(string(text), `name: ""`, "name: images", 1))
	c, err := config.Load(named)
	if err != nil || c.Targets[0].Name != "images" || c.Summary() != "1 target: 1 pipeline selector" {
		t.Errorf("with a name: %+v, %v", c, err)
	}
}

// TestUnit holds that there is what the files of deploy/systemd name.
func TestUnit(t *testing.T) {
	release, err := os.ReadFile("../../.goreleaser.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range regexp.MustCompile(`(?:src|install|remove): (\w[^ ,}\n]*)`).FindAllStringSubmatch(string(release), -1) {
		if files, err := filepath.Glob(filepath.Join("../..", source[1])); err != nil || len(files) == 0 {
			t.Errorf(".goreleaser.yml names %s, which is not there", source[1])
		}
	}
	flags := binarytest.Flags(t)
	for _, file := range []string{"imagebuilder_exporter.service", "environment", "config.yml"} {
		text, err := os.ReadFile(filepath.Join("../systemd", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range regexp.MustCompile(`[ "](--[a-z][a-z.-]+)`).FindAllStringSubmatch(string(text), -1) {
			if !flags[flag[1]] {
				t.Errorf("%s names %s, which does not exist", file, flag[1])
			}
		}
		for _, path := range regexp.MustCompile(`/(?:etc|usr)/\S*imagebuilder\S*[a-z]`).FindAllString(string(text), -1) {
			if !strings.Contains(string(release), "dst: "+path+",") && path != "/usr/bin/imagebuilder_exporter" && path != "/etc/imagebuilder_exporter/aws" {
				t.Errorf("%s names %s, which is in no package", file, path)
			}
		}
	}
}
