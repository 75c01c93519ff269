package docs_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWorkflows holds that actions are pinned by commit, beside which stands the version,
// that containers have a version, and that every make target and script that a workflow
// runs is there.
func TestWorkflows(t *testing.T) {
	makefile := read(t, "Makefile")
	files := glob(t, ".github/workflows/*.yml")
	if len(files) != 4 {
		t.Fatalf("there are %q", files)
	}
	for _, file := range files {
		text := read(t, file)
		for _, uses := range usedAction.FindAllStringSubmatch(text, -1) {
			if !pinnedAction.MatchString(uses[1]) && !strings.HasPrefix(uses[1], "./.github/") {
				t.Errorf("%s: %s is not pinned by a commit and its version", file, uses[1])
			}
		}
		for _, container := range usedContainer.FindAllStringSubmatch(text, -1) {
			if !pinnedContainer.MatchString(container[1]) {
				t.Errorf("%s: the container %s has no version", file, container[1])
			}
		}
		for _, command := range ranMake.FindAllStringSubmatch(text, -1) {
			for _, name := range strings.Fields(command[1]) {
				rule := "\n" + strings.Replace(name, "bin/", "$(BIN)/", 1) + ":"
				if !strings.ContainsAny(name, `=\`) && !strings.Contains(makefile, rule) {
					t.Errorf("%s: Makefile has no target %s", file, name)
				}
			}
		}
		for _, script := range ranScript.FindAllString(text, -1) {
			if info, err := fs.Stat(repository, script); err != nil || info.Mode()&0o111 == 0 {
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

// TestOneGo holds that what is released, and what CI runs, is built with the Go of .go-version,
// and that an older patch release of it can build the exporter, too.
func TestOneGo(t *testing.T) {
	version := strings.TrimSpace(read(t, ".go-version"))
	minor, _, found := strings.Cut(strings.TrimPrefix(version, "1."), ".")
	if !found {
		t.Fatalf(".go-version has %q, want a patch release", version)
	}
	for file, want := range map[string]string{
		"Dockerfile":                 "golang:" + version + " ",
		".github/workflows/ci.yml":   "golang:" + version + "-bookworm",
		"docs/install.md":            "GOTOOLCHAIN=go" + version + " ",
		".github/workflows/vuln.yml": "go-version-file: .go-version",
	} {
		if !strings.Contains(read(t, file), want) {
			t.Errorf("%s does not have %q", file, want)
		}
	}
	for _, file := range append(glob(t, ".github/workflows/*.yml"), "Dockerfile") {
		for _, other := range namedGo.FindAllStringSubmatch(read(t, file), -1) {
			if other[1] != version && other[1] != ".go-version" {
				t.Errorf("%s has Go %s, want %s", file, other[1], version)
			}
		}
	}
	for _, file := range append(glob(t, "*/go.mod"), "go.mod") {
		text := read(t, file)
		if strings.Contains(text, "\ntoolchain ") || !strings.Contains(text, "\ngo 1."+minor+".0\n") {
			t.Errorf("%s: want the line go 1.%s.0, and no toolchain", file, minor)
		}
	}
}

// namedGo finds versions of Go in workflows and the Dockerfile.
var namedGo = regexp.MustCompile(`(?:golang:|go-version(?:-file)?: *)([\w.]+(?:-version)?)`)

// TestScriptsRunEveryTest holds that every target of a test is run by one of the scripts
// of .ci, so that none is forgotten.
func TestScriptsRunEveryTest(t *testing.T) {
	scripts := read(t, ".ci/run") + read(t, ".ci/artifacts")
	_, tests, _ := strings.Cut(read(t, "Makefile"), "\n## Tests: ")
	tests, _, _ = strings.Cut(tests, "\n## Tools")
	targets := documentedTarget.FindAllStringSubmatch(tests, -1)
	if len(targets) < 15 {
		t.Fatalf("there are only %q", targets)
	}
	// fmt and golden change files, vuln asks others, and what is installed is made by its own
	// tests.
	for _, target := range targets {
		if name := target[1]; !slices.Contains([]string{"fmt", "golden", "vuln", "image", "packages", "chart"}, name) && !strings.Contains(scripts, "\nmake "+name) {
			t.Errorf("no script of .ci runs make %s", name)
		}
	}
}

var documentedTarget = regexp.MustCompile(`(?m)^([a-z0-9-]+):.* ## `)
