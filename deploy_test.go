package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// TestCompose holds that what deploy/compose mounts is there, that images of others have a
// version, and that nothing listens beyond loopback.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("deploy/compose/compose.yml")
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
	if len(file.Services) != 4 {
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
			if _, err := os.Stat(filepath.Join("deploy/compose", p)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s listens on %s", name, p)
			}
		}
	}
	for _, f := range []string{"prometheus.yml", "grafana/datasources.yml", "grafana/dashboards.yml"} {
		text, err := os.ReadFile(filepath.Join("deploy/compose", f))
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

// TestUnit holds that the configuration of the packages is valid, and that there is what
// the files of deploy/systemd name.
func TestUnit(t *testing.T) {
	c, err := config.Load("deploy/systemd/config.yml")
	if err != nil || c.Summary() != "1 target: 1 pipeline selector" {
		t.Errorf("%+v, %v", c, err)
	}
	release, err := os.ReadFile(".goreleaser.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range regexp.MustCompile(`(?:src|install|remove): (\w[^ ,}\n]*)`).FindAllStringSubmatch(string(release), -1) {
		if files, err := filepath.Glob(source[1]); err != nil || len(files) == 0 {
			t.Errorf(".goreleaser.yml names %s, which is not there", source[1])
		}
	}
	app, _ := newApp()
	for _, file := range []string{"imagebuilder_exporter.service", "environment", "config.yml"} {
		text, err := os.ReadFile(filepath.Join("deploy/systemd", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range regexp.MustCompile(`[ "]--([a-z][a-z.-]+)`).FindAllStringSubmatch(string(text), -1) {
			if app.GetFlag(flag[1]) == nil && flag[1] != "help" {
				t.Errorf("%s names --%s, which does not exist", file, flag[1])
			}
		}
		for _, path := range regexp.MustCompile(`/(?:etc|usr)/\S*imagebuilder\S*[a-z]`).FindAllString(string(text), -1) {
			if !strings.Contains(string(release), "dst: "+path+",") && path != "/usr/bin/imagebuilder_exporter" && path != "/etc/imagebuilder_exporter/aws" {
				t.Errorf("%s names %s, which is in no package", file, path)
			}
		}
	}
}

// TestWorkflows holds that actions are pinned by commit, beside which stands the version,
// that containers have a version, and that every make target and script that a workflow
// runs is there.
func TestWorkflows(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, uses := range usedAction.FindAllStringSubmatch(string(text), -1) {
			if !pinnedAction.MatchString(uses[1]) && !strings.HasPrefix(uses[1], "./.github/") {
				t.Errorf("%s: %s is not pinned by a commit and its version", file, uses[1])
			}
		}
		for _, container := range usedContainer.FindAllStringSubmatch(string(text), -1) {
			if !pinnedContainer.MatchString(container[1]) {
				t.Errorf("%s: the container %s has no version", file, container[1])
			}
		}
		for _, command := range ranMake.FindAllStringSubmatch(string(text), -1) {
			for _, name := range strings.Fields(command[1]) {
				rule := "\n" + strings.Replace(name, "bin/", "$(BIN)/", 1) + ":"
				if !strings.ContainsAny(name, `=\`) && !strings.Contains(string(makefile), rule) {
					t.Errorf("%s: Makefile has no target %s", file, name)
				}
			}
		}
		for _, script := range ranScript.FindAllString(string(text), -1) {
			if info, err := os.Stat(script); err != nil || info.Mode()&0o111 == 0 {
				t.Errorf("%s: %s cannot be run: %v", file, script, err)
			}
		}
	}
}

var (
	usedAction   = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinnedAction = regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$`)
	ranMake      = regexp.MustCompile(`(?m)^[^#\n]*\bmake ([a-z][^"\n;&|]*)`)
	ranScript    = regexp.MustCompile(`\.ci/[a-z]+`)

	usedContainer   = regexp.MustCompile(`(?m)^\s*(?:container|image):.*?([\w./-]*\w(?::[\w.-]+)?)(?:[ ,}].*)?$`)
	pinnedContainer = regexp.MustCompile(`^[a-z/.-]+:[0-9]+\.[0-9]+(?:\.[0-9]+)?-[a-z]+$`)
)

// TestScriptsRunEveryTest holds that every target of a test is run by one of the scripts
// of .ci, so that none is forgotten.
func TestScriptsRunEveryTest(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	scripts := ""
	for _, file := range []string{".ci/run", ".ci/artifacts"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts += string(text)
	}
	_, tests, _ := strings.Cut(string(makefile), "\n## Tests: ")
	tests, _, _ = strings.Cut(tests, "\n## Tools")
	targets := documentedTarget.FindAllStringSubmatch(tests, -1)
	if len(targets) < 15 {
		t.Fatalf("there are only %q", targets)
	}
	// fmt changes files, vuln asks others, and what is installed is made by its own tests.
	for _, target := range targets {
		if name := target[1]; !slices.Contains([]string{"fmt", "vuln", "image", "packages", "chart"}, name) && !strings.Contains(scripts, "\nmake "+name) {
			t.Errorf("no script of .ci runs make %s", name)
		}
	}
}

var documentedTarget = regexp.MustCompile(`(?m)^([a-z0-9-]+):.* ## `)
