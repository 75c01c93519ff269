package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
)

// textfileBlock returns the block of docs/operations.md about the textfile collector that begins
// with a text.
func textfileBlock(t *testing.T, begin string) string {
	t.Helper()
	_, section, _ := strings.Cut(read(t, "docs/operations.md"), "\n## One run, for the textfile collector\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, block := range regexp.MustCompile("(?s)```[a-z]*\n(.*?)```").FindAllStringSubmatch(section, -1) {
		if strings.HasPrefix(block[1], begin) {
			return block[1]
		}
	}
	t.Fatalf("docs/operations.md has no block that begins with %q", begin)
	return ""
}

// TestGoldenTextfileRules holds that testdata/textfile.rules.yml, which promtool checks and tests,
// is the rule of docs/operations.md.
func TestGoldenTextfileRules(t *testing.T) {
	golden.Compare(t, "testdata/textfile.rules.yml",
		"# Made by TestGoldenTextfileRules from docs/operations.md; make golden writes it anew.\n"+textfileBlock(t, "groups:\n"))
}

// TestTheTextfileScript runs the script of docs/operations.md: a run that prints something replaces
// the file, also when a target does not answer. One that prints nothing, or cannot write everything,
// leaves it.
func TestTheTextfileScript(t *testing.T) {
	run := emulator.Run{ID: "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"}
	url, _ := binarytest.Emulate(t, run)
	full := filepath.Join(t.TempDir(), "full")
	binarytest.WriteFile(t, full, "echo half\nexit 2\n")
	for _, c := range []struct {
		name, config, want string
		ok                 bool
	}{
		{"the disk is full", "", "old", false},
		{"every target answers", binarytest.Config(binarytest.Target("golden", url, run.ID)), `imagebuilder_up{region="eu-west-1",target="golden"} 1`, true},
		{"a target does not answer", binarytest.Config(binarytest.Target("golden", "http://127.0.0.1:1", run.ID)), `imagebuilder_up{region="eu-west-1",target="golden"} 0`, false},
		{"the configuration is invalid", "target: []\n", "old", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			config, file := filepath.Join(folder, "config.yml"), filepath.Join(folder, "imagebuilder.prom")
			binarytest.WriteFile(t, config, c.config)
			binarytest.WriteFile(t, file, "old\n")
			script, program := textfileBlock(t, "#!/bin/sh\n"), binarytest.Path(t)
			if c.config == "" {
				program = "sh " + full
			}
			for from, to := range map[string]string{
				"/var/lib/node_exporter/imagebuilder.prom": file, "/etc/imagebuilder_exporter/config.yml": config,
				"imagebuilder_exporter --once": program + " --once",
			} {
				if !strings.Contains(script, from) {
					t.Fatalf("the script does not have %q:\n%s", from, script)
				}
				script = strings.ReplaceAll(script, from, to)
			}
			shell := exec.CommandContext(t.Context(), "sh", "-c", script)
			shell.Env = append(os.Environ(), binarytest.WithCredentials(binarytest.Command(t.Context(), t)).Env...)
			out, err := shell.CombinedOutput()
			if (err == nil) != c.ok {
				t.Errorf("the script ends with %v:\n%s", err, out)
			}
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), c.want+"\n") {
				t.Errorf("the file does not have %q: %v\n%s", c.want, err, text)
			}
			if info, err := os.Stat(file); c.want != "old" && (err != nil || info.Mode().Perm() != 0o644) {
				t.Errorf("others cannot read the file: %v, %v", info.Mode(), err)
			}
		})
	}
}
