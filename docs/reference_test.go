package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// metrics returns the names of all metrics that there are.
func metrics(t *testing.T) map[string]bool {
	t.Helper()
	all := golden.Metrics(t, "../testdata/metrics.txt")
	all["imagebuilder_exporter_build_info"] = true // every program of Prometheus' has it
	return all
}

// TestDocs holds metrics.md and the metrics that there are against each other, and every
// metric that any document names against both.
func TestDocs(t *testing.T) {
	documented := map[string]bool{}
	for line := range strings.Lines(read(t, "docs/metrics.md")) {
		if name, ok := strings.CutPrefix(line, "| `imagebuilder_"); ok {
			name, _, _ = strings.Cut(name, "`")
			documented["imagebuilder_"+name] = true
		}
	}
	if diff := cmp.Diff(metrics(t), documented); diff != "" {
		t.Errorf("metrics that there are and in metrics.md (-there are +docs):\n%s", diff)
	}
	for name := range promqltest.Published(t, "../testdata/metrics.txt") {
		if !documented[name] {
			t.Errorf("metrics.md does not have %s, which is published", name)
		}
	}
	golden.CheckNames(t, metrics(t), "../*.md", "*.md")
}

// TestEveryFlagIsDocumented holds operations.md against the command line, and what any
// document names against both.
func TestEveryFlagIsDocumented(t *testing.T) {
	doc := read(t, "docs/operations.md")
	flags := binarytest.Flags(t)
	for flag := range flags {
		long := "`" + flag + "`"
		if name, ok := strings.CutPrefix(flag, "--collector."); ok {
			long = "`--[no-]collector." + name + "`"
		}
		if !strings.HasPrefix(flag, "--no-") && flag != "--help" && !strings.Contains(doc, "| "+long) {
			t.Errorf("operations.md does not have %s", long)
		}
	}
	emulators := flagsOfTheEmulator(t)
	for _, file := range documents(t) {
		for _, flag := range flagName.FindAllString(otherPrograms.ReplaceAllString(read(t, file), ""), -1) {
			if flag = strings.TrimRight(flag, "."); !flags[flag] && (file != emulatorDoc || !emulators[flag]) {
				t.Errorf("%s names %s, which does not exist", file, flag)
			}
		}
	}
}

const emulatorDoc = "docs/emulator.md"

// flagsOfTheEmulator returns the flags of the emulator's program, with two dashes.
func flagsOfTheEmulator(t *testing.T) map[string]bool {
	t.Helper()
	flags := map[string]bool{}
	for _, flag := range emulatorFlag.FindAllStringSubmatch(read(t, "emulator/cmd/imagebuilder-emulator/main.go"), -1) {
		flags["--"+flag[1]] = true
	}
	return flags
}

var emulatorFlag = regexp.MustCompile(`app\.Flag\("([a-z.-]+)"`)

// TestEveryFlagOfTheEmulatorIsDocumented holds emulator.md against its command line.
func TestEveryFlagOfTheEmulatorIsDocumented(t *testing.T) {
	flags := flagsOfTheEmulator(t)
	if len(flags) < 4 {
		t.Fatalf("there are only %v", flags)
	}
	for flag := range flags {
		if !strings.Contains(read(t, emulatorDoc), "\n| `"+flag) {
			t.Errorf("%s does not have %s", emulatorDoc, flag)
		}
	}
}

// TestDefaultsOfFlags holds the defaults in operations.md against main.go.
func TestDefaultsOfFlags(t *testing.T) {
	doc := read(t, "docs/operations.md")
	flags := flagDefault.FindAllStringSubmatch(read(t, "main.go"), -1)
	if len(flags) < 8 {
		t.Fatalf("there are only %q", flags)
	}
	for _, flag := range flags {
		if !strings.Contains(doc, "\n| `--"+flag[1]+"` | `"+flag[2]+"` |") {
			t.Errorf("operations.md does not have --%s with the default %s", flag[1], flag[2])
		}
	}
}

var flagDefault = regexp.MustCompile(`app\.Flag\("([a-z.-]+)", ".*"\)\.Default\("([^"]*)"\)`)

var flagName = regexp.MustCompile(`--[a-z][a-z.-]+`)

// otherPrograms are command lines of programs that have flags of their own, up to the
// exporter's among them.
var otherPrograms = regexp.MustCompile("(?m)(?:^|[ `(])(?:amtool|apt-get|aws|cosign|curl|docker|gh|helm|journalctl|kubectl|make image|node_exporter|promtool|sha256sum|systemctl|systemd-run) [^`\n]*?(?: /?imagebuilder_exporter |[`\n])")

// TestEveryPageIsDocumented holds operations.md against the paths of the server.
func TestEveryPageIsDocumented(t *testing.T) {
	doc := read(t, "docs/operations.md")
	paths := pagePath.FindAllStringSubmatch(read(t, "internal/server/pages.go"), -1)
	if len(paths) < 4 {
		t.Fatalf("there are only %q", paths)
	}
	for _, path := range paths {
		if !strings.Contains(doc, "\n| `"+path[1]+"` |") {
			t.Errorf("operations.md does not have %s", path[1])
		}
	}
}

var pagePath = regexp.MustCompile(`(?m)^\tpath\w+ += "(.*)"$`)
