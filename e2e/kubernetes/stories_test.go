package kubernetes

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// story is what the commands of a section of the README did, with testdata/stub in place of the
// programs that need AWS or a cluster.
type story struct {
	dir      string
	calls    []string // "aws iam create-role …"
	rendered string   // the manifests that Helm would install at last
	applied  string   // the manifests that kubectl would apply
}

// settings are those that a reader puts into the commands of the README.
var settings = strings.NewReplacer(
	"CLUSTER=my-cluster\n", "CLUSTER=prod\n",
	"REGION=eu-west-1\n", "REGION=eu-central-1\n",
	"ACCOUNT=111122223333\n", "ACCOUNT=999900001111\n",
	"OTHER=444455556666\n", "OTHER=222200003333\n",
)

// shellBlock is a block of commands, perhaps in an item of a list.
var shellBlock = regexp.MustCompile("(?ms)^( *)```sh\n(.*?)^ *```")

// script returns the commands of a section of the README.
func script(t *testing.T, heading string) string {
	t.Helper()
	_, section, ok := strings.Cut(string(read(t, chart+"/README.md")), "\n"+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := shellBlock.FindAllStringSubmatch(section, -1)
	if !ok || len(blocks) == 0 {
		t.Fatalf("README.md has no commands in %q", heading)
	}
	var script strings.Builder
	for _, b := range blocks {
		for line := range strings.Lines(b[2]) {
			script.WriteString(strings.TrimPrefix(line, b[1]))
		}
	}
	return script.String()
}

// tell runs the commands of a section of the README, all of which must succeed.
func tell(t *testing.T, heading string) story {
	t.Helper()
	s := story{dir: t.TempDir()}
	bin := t.TempDir()
	for _, program := range []string{"aws", "curl", "docker", "helm", "htpasswd", "kubectl", "make", "openssl", "sleep"} {
		link(t, "testdata/stub", filepath.Join(bin, program))
	}
	link(t, "../../deploy", filepath.Join(s.dir, "deploy"))
	helm, err := filepath.Abs("../../bin/helm")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", "kill() { :; }\n"+settings.Replace(script(t, heading)))
	c.Dir = s.dir
	out := t.TempDir()
	c.Env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "HELM=" + helm,
		"CALLS=" + out + "/calls", "RENDERED=" + out + "/rendered", "APPLIED=" + out + "/applied",
	}
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	s.calls = strings.Split(strings.TrimSpace(string(read(t, out+"/calls"))), "\n")
	s.rendered = string(read(t, out+"/rendered"))
	applied, err := os.ReadFile(out + "/applied")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	s.applied = string(applied)
	return s
}

// link makes a link to a file or folder.
func link(t *testing.T, to, path string) {
	t.Helper()
	to, err := filepath.Abs(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// read returns the text of a file that the commands made.
func (s story) read(t *testing.T, file string) string {
	t.Helper()
	return string(read(t, filepath.Join(s.dir, file)))
}

// created returns the names of the Secrets that a command, an applied Certificate or the chart
// creates.
func (s story) created() (names []string) {
	for _, call := range s.calls {
		if m := createdSecret.FindStringSubmatch(call); m != nil {
			names = append(names, m[1])
		}
	}
	for _, m := range certificateSecret.FindAllStringSubmatch(s.applied, -1) {
		names = append(names, m[1])
	}
	for _, m := range strings.Split(s.rendered, "\n---\n") {
		if n := chartSecret.FindStringSubmatch(m); n != nil {
			names = append(names, n[1])
		}
	}
	return names
}

var (
	createdSecret     = regexp.MustCompile(`^kubectl -n monitoring create secret generic (\S+) `)
	certificateSecret = regexp.MustCompile(`(?m)^  secretName: (\S+)`)
	chartSecret       = regexp.MustCompile(`(?m)^kind: Secret\nmetadata:\n  name: "(\S+)"`)
)

// secretsIn adds to names the Secrets to which a manifest refers.
func secretsIn(manifest any, names []string) []string {
	switch m := manifest.(type) {
	case []any:
		for _, e := range m {
			names = secretsIn(e, names)
		}
	case map[string]any:
		for key, v := range m {
			if name, ok := v.(string); ok && key == "secretName" {
				names = append(names, name)
			}
			if ref, ok := v.(map[string]any); ok && slices.Contains([]string{"secret", "secretRef", "secretKeyRef", "username", "password"}, key) {
				if name, ok := ref["name"].(string); ok {
					names = append(names, name)
				}
			}
			names = secretsIn(v, names)
		}
	}
	return names
}

// theStories are the sections of the README whose commands lead from nothing to a scrape, with how
// many Secrets the manifests refer to.
var theStories = map[string]int{
	"## Two accounts in EKS with IRSA":         1,
	"## Two accounts in EKS with Pod Identity": 1,
	"### OpenShift":         2,
	"## TLS and a password": 5,
}

// TestTheReadmesStories holds that the commands of the README run one after another, that what they
// install is valid and admitted to a namespace with the strictest Pod Security Standard, that the
// exporter accepts its configuration, and that they create each Secret to which it refers.
func TestTheReadmesStories(t *testing.T) {
	for heading, secrets := range theStories {
		t.Run(strings.Trim(heading, "# "), func(t *testing.T) {
			s := tell(t, heading)
			for _, text := range []string{s.rendered, s.applied} {
				if out, err := kubeconform(t, text); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
			all := parse(t, s.rendered)
			if got := security(t, named[appsv1.Deployment](t, all, "Deployment/imagebuilder-exporter").Spec.Template); got != "" {
				t.Error(got)
			}
			config := file(t, "config.yml", named[corev1.Secret](t, all, "Secret/imagebuilder-exporter").StringData["config.yml"])
			if out, err := exec.CommandContext(t.Context(), exporter(t), "--config.file="+config, "--config.check").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			needed := map[string]bool{}
			for _, text := range all {
				var m any
				if err := yaml.Unmarshal([]byte(text), &m); err != nil {
					t.Fatal(err)
				}
				for _, name := range secretsIn(m, nil) {
					needed[name] = true
				}
			}
			created := s.created()
			for name := range needed {
				if !slices.Contains(created, name) {
					t.Errorf("no command creates the Secret %s, only %q are created", name, created)
				}
			}
			if len(needed) != secrets {
				t.Errorf("the manifests refer to the Secrets %v, want %d", needed, secrets)
			}
		})
	}
}

// TestTheExamplesAreTold holds that the commands of the README use each file of the examples.
func TestTheExamplesAreTold(t *testing.T) {
	var commands strings.Builder
	for heading := range theStories {
		commands.WriteString(script(t, heading))
	}
	files, err := filepath.Glob(chart + "/examples/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if !strings.Contains(commands.String(), "deploy/helm/examples/"+filepath.Base(file)) {
			t.Errorf("no command uses %s", file)
		}
	}
}
