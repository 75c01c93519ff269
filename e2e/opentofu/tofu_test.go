package opentofu

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// providerName is the name under which OpenTofu starts this program as the double.
const providerName = "terraform-provider-aws"

// setup is where TestMain leaves tofu, and the file that tells it where the double is.
var setup struct{ tofu, config string }

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == providerName {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	dir, err := os.MkdirTemp("", "opentofu")
	if err == nil {
		err = prepare(dir)
	}
	status := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// prepare makes, in dir, a mirror of providers that has the double and nothing else.
func prepare(dir string) (err error) {
	if setup.tofu, err = filepath.Abs("../../bin/tofu"); err != nil {
		return err
	}
	if _, err := os.Stat(setup.tofu); err != nil {
		return fmt.Errorf("%w: make iam-test builds it", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	mirror := filepath.Join(dir, "registry.opentofu.org/hashicorp/aws/6.0.0", runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(mirror, 0o755); err != nil {
		return err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(mirror, providerName), program, 0o755); err != nil {
		return err
	}
	setup.config = filepath.Join(dir, "tofu.rc")
	text := fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", dir)
	return os.WriteFile(setup.config, []byte(text), 0o600)
}

// account is where the double makes what it makes.
type account struct{ partition, id string }

// root is a root module with a state.
type root struct {
	dir string
	env []string
}

// source is how users name the module.
const source = "github.com/imagebuilder-exporter/imagebuilder_exporter//deploy/iam/terraform"

// newRoot returns a root module, initialized, with the given text, in which source is the
// module of this repository.
func newRoot(t *testing.T, in account, text string) *root {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "iam"), os.DirFS("../../deploy/iam")); err != nil {
		t.Fatal(err)
	}
	r := &root{dir: filepath.Join(dir, "root"), env: []string{
		"TF_CLI_CONFIG_FILE=" + setup.config, "TF_IN_AUTOMATION=1", "HOME=" + dir, "PATH=" + os.Getenv("PATH"),
		envPartition + "=" + in.partition, envAccount + "=" + in.id,
	}}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.write(t, text)
	r.run(t, 0, "init", "-input=false")
	return r
}

// write replaces the text of the root module. Its modules must stay.
func (r *root) write(t *testing.T, text string) {
	t.Helper()
	text = strings.ReplaceAll(text, source, "../iam/terraform")
	if err := os.WriteFile(filepath.Join(r.dir, "main.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs tofu and returns what it prints. Its exit status must be the given one.
func (r *root) run(t *testing.T, status int, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), setup.tofu, args...)
	c.Dir, c.Env = r.dir, r.env
	out, err := c.CombinedOutput()
	if c.ProcessState.ExitCode() != status {
		t.Fatalf("tofu %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// apply applies the root module, and returns its state and what plan and apply print. A
// second plan must have nothing to do.
func (r *root) apply(t *testing.T) (s state, printed string) {
	t.Helper()
	r.run(t, 0, "validate")
	printed = r.run(t, 0, "plan", "-input=false", "-no-color", "-out=plan")
	printed += r.run(t, 0, "apply", "-input=false", "-no-color", "plan")
	r.run(t, 0, "plan", "-input=false", "-detailed-exitcode")
	return r.state(t), printed
}

// state is what has been applied: the attributes of each resource by its address, and
// under "outputs" the outputs of the root module.
type state map[string]map[string]any

func (r *root) state(t *testing.T) state {
	t.Helper()
	type module struct {
		Resources []struct {
			Address string
			Values  map[string]any
		}
		Modules []module `json:"child_modules"`
	}
	var shown struct {
		Values struct {
			Outputs map[string]struct{ Value any }
			Root    module `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(r.run(t, 0, "show", "-json")), &shown); err != nil {
		t.Fatal(err)
	}
	s := state{"outputs": {}}
	for name, output := range shown.Values.Outputs {
		s["outputs"][name] = output.Value
	}
	for _, m := range shown.Values.Root.Modules {
		for _, resource := range m.Resources {
			s[resource.Address] = resource.Values
		}
	}
	return s
}

// policy returns an argument that is a policy.
func (s state) policy(t *testing.T, address, argument string) any {
	t.Helper()
	text, ok := s[address][argument].(string)
	if !ok {
		t.Fatalf("%s has no %s: %v", address, argument, s[address])
	}
	return parsed(t, []byte(text))
}
