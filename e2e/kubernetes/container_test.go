package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// exporter returns the path of the exporter.
func exporter(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../imagebuilder_exporter")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make helm-test, which builds it", err)
	}
	return path
}

// yours are Secrets that the release does not have.
var yours = map[string]map[string]string{
	"my-config": {"config.yml": "targets: [{name: x, regions: [eu-west-1], pipelines: [{name: .*}]}]\n"},
	"my-peers":  {"peers.yml": "basic_auth: {username: prometheus, password: prometheus}\n"},
	"my-web":    {"web.yml": "basic_auth_users: {prometheus: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG}\n"},
}

// TestTheContainerRuns starts the exporter as the Deployment does: its flags are there, the
// configuration is one that it loads, and both probes find it.
func TestTheContainerRuns(t *testing.T) {
	eachFile(t, func(t *testing.T, file string) {
		d, all := deployment(t, file)
		c := newContainer(t, d.Spec.Template.Spec, all)
		c.start(t)
		for what, probe := range map[string]*corev1.Probe{"liveness": c.spec.LivenessProbe, "readiness": c.spec.ReadinessProbe} {
			late := time.After(20 * time.Second)
			for err := c.probe(t, probe); err != nil; err = c.probe(t, probe) {
				select {
				case <-time.After(50 * time.Millisecond):
				case <-c.done:
					t.Fatalf("it has ended: %v\n%s", c.err, c.logged())
				case <-late:
					t.Fatalf("the %s probe: %v\n%s", what, err, c.logged())
				}
			}
		}
		c.stop(t)
		for _, probe := range []*corev1.Probe{c.spec.LivenessProbe, c.spec.ReadinessProbe} {
			if c.probe(t, probe) == nil {
				t.Error("a probe finds an exporter that has gone")
			}
		}
	})
}

// container is the exporter as in a pod, but for its port and the paths of its volumes.
type container struct {
	spec    corev1.Container
	address string
	paths   *strings.Replacer // of volumes, to folders of this machine
	log     string            // the file
	process *os.Process
	done    chan struct{} // closed when it has ended
	err     error         // why; to be read after done
}

func newContainer(t *testing.T, pod corev1.PodSpec, all manifests) *container {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := &container{spec: pod.Containers[0], address: l.Addr().String()}
	var replace []string
	for _, m := range c.spec.VolumeMounts {
		if m.SubPath != "" {
			t.Errorf("%s is mounted with subPath, and never updated", m.Name)
		}
		dir := t.TempDir()
		replace = append(replace, m.MountPath+"/", dir+"/")
		for _, v := range pod.Volumes {
			if v.Name != m.Name || v.Secret == nil {
				continue
			}
			files := yours[v.Secret.SecretName]
			if files == nil {
				s, _ := get[corev1.Secret](t, all, "Secret")
				files = s.StringData
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	c.paths = strings.NewReplacer(replace...)
	return c
}

// run returns how the exporter is run with flags, here.
func (c *container) run(ctx context.Context, t *testing.T, flags []string) *exec.Cmd {
	t.Helper()
	run := exec.CommandContext(ctx, exporter(t), "--web.listen-address="+c.address)
	for _, f := range flags {
		run.Args = append(run.Args, c.paths.Replace(f))
	}
	run.Env = []string{"AWS_EC2_METADATA_DISABLED=true"}
	known := map[string]string{}
	for _, e := range c.spec.Env {
		if from := e.ValueFrom; from != nil {
			limit, divisor := c.spec.Resources.Limits.Memory().Value(), from.ResourceFieldRef.Divisor
			known[e.Name] = strconv.FormatInt((limit+divisor.Value()-1)/divisor.Value(), 10) // rounded up, as Kubernetes does
		} else {
			known[e.Name] = variable.ReplaceAllStringFunc(e.Value, func(v string) string { return known[v[2:len(v)-1]] })
		}
		run.Env = append(run.Env, e.Name+"="+known[e.Name])
	}
	return run
}

// variable is how the value of one variable names another.
var variable = regexp.MustCompile(`\$\([A-Z_]+\)`)

func (c *container) start(t *testing.T) {
	t.Helper()
	c.log, c.done = filepath.Join(t.TempDir(), "log"), make(chan struct{})
	log, err := os.Create(c.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	run := c.run(context.Background(), t, c.spec.Args)
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	c.process = run.Process
	go func() {
		defer close(c.done)
		c.err = run.Wait()
	}()
	t.Cleanup(func() {
		_ = c.process.Kill() // if it still runs
		<-c.done
	})
}

// stop ends it as Kubernetes does, but does not wait until it has drained.
func (c *container) stop(t *testing.T) {
	t.Helper()
	if err := c.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(c.spec.Args, func(arg string) bool { return strings.HasPrefix(arg, "--web.drain=") }) {
		c.endDrain(t)
		return
	}
	if <-c.done; c.err != nil {
		t.Errorf("%v\n%s", c.err, c.logged())
	}
}

// endDrain holds that it drains, which the liveness probe does not mind, and ends it.
func (c *container) endDrain(t *testing.T) {
	t.Helper()
	// Only the readiness probe of a Service without a web configuration sees the drain. Others
	// With a web configuration both probes ask only whether it is healthy.
	for ready := c.spec.ReadinessProbe; ready.HTTPGet != nil && c.probe(t, ready) == nil; {
		select {
		case <-c.done:
			t.Fatalf("it has ended: %v\n%s", c.err, c.logged())
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := c.probe(t, c.spec.LivenessProbe); err != nil {
		t.Errorf("the liveness probe, while it drains: %v\n%s", err, c.logged())
	}
	if err := c.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.done
}

// logged returns its log.
func (c *container) logged() string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// probe asks as Kubernetes does.
func (c *container) probe(t *testing.T, p *corev1.Probe) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(p.TimeoutSeconds)*time.Second)
	defer cancel()
	if p.Exec != nil {
		if p.Exec.Command[0] != "/imagebuilder_exporter" {
			t.Fatalf("the image has no %s", p.Exec.Command[0])
		}
		if out, err := c.run(ctx, t, p.Exec.Command[1:]).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	if port := p.HTTPGet.Port.String(); port != c.spec.Ports[0].Name {
		t.Fatalf("there is no port %s", port)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+p.HTTPGet.Path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the answer is %s", resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}

// TestTheConfiguration holds that what the values say is what the exporter gets, and that
// it loads that.
func TestTheConfiguration(t *testing.T) {
	for file, summary := range map[string]string{
		"config":     "valid, 1 target: 1 pipeline selector",
		"text":       "valid, 1 target: 1 image",
		"replicas":   "valid, 2 targets: 2 pipeline selectors",
		"everything": "valid, 2 targets: 1 workflow execution, 2 pipeline selectors",
	} {
		t.Run(file, func(t *testing.T) {
			file := chart + "/ci/" + file + "-values.yaml"
			d, all := deployment(t, file)
			secret, _ := get[corev1.Secret](t, all, "Secret")
			var got, want any
			if err := yaml.Unmarshal([]byte(secret.StringData["config.yml"]), &got); err != nil {
				t.Fatal(err)
			}
			values := readYAML(t, file)
			if want = values["config"]; reflect.TypeOf(want).Kind() == reflect.String {
				got = secret.StringData["config.yml"]
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the exporter gets\n%v\nthe values have\n%v", got, want)
			}
			c := newContainer(t, d.Spec.Template.Spec, all)
			out, err := c.run(t.Context(), t, append(c.spec.Args, "--config.check")).CombinedOutput()
			if err != nil || !strings.Contains(string(out), summary) || strings.Contains(string(out), "warning") {
				t.Errorf("%v, want %q in\n%s", err, summary, out)
			}
		})
	}
}

// TestAConfigurationInAFile holds that one comes as it is, comments and all.
func TestAConfigurationInAFile(t *testing.T) {
	const example = "../../config.yml.example"
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := get[corev1.Secret](t, parse(t, render(t, chart, "--set-file", "config="+example)), "Secret")
	if !ok || secret.StringData["config.yml"] != string(text) {
		t.Errorf("the Secret has\n%s", secret.StringData["config.yml"])
	}
}

// TestMemoryLimit holds that the Go runtime's limit is a little less than the container's, and that
// it leaves more for probes that run in the container.
func TestMemoryLimit(t *testing.T) {
	for _, limit := range []string{"64Mi", "100M", "256Mi", "1Gi", "2G", "1.5Gi", "268435456"} {
		memoryLimit(t, "", limit, 0.93, 0.97)
		memoryLimit(t, "web: {existingSecret: x},", limit, 0.89, 0.91)
	}
	d, _ := deployment(t, file(t, "values.yaml", "{demo: true, resources: {limits: null}}"))
	if env := d.Spec.Template.Spec.Containers[0].Env; len(env) > 0 {
		t.Errorf("without a limit there is %v", env)
	}
}

// memoryLimit holds which share of a container's limit GOMEMLIMIT is, with more values.
func memoryLimit(t *testing.T, values, limit string, low, high float64) {
	t.Helper()
	d, all := deployment(t, file(t, "values.yaml", fmt.Sprintf("{demo: true, %s resources: {limits: {memory: %s}}}", values, limit)))
	c := newContainer(t, d.Spec.Template.Spec, all)
	bytes := c.spec.Resources.Limits.Memory().Value()
	var got int64
	for _, e := range c.run(t.Context(), t, nil).Env {
		if text, ok := strings.CutPrefix(e, "GOMEMLIMIT="); ok {
			if _, err := fmt.Sscanf(text, "%dB", &got); err != nil {
				t.Fatal(err)
			}
		}
	}
	if share := float64(got) / float64(bytes); share < low || share > high {
		t.Errorf("with the limit %s and %q, GOMEMLIMIT is %d, %.2f of it", limit, values, got, share)
	}
}

// TestTheImage holds that the chart runs what the Dockerfile makes, and relies on defaults
// that the exporter has.
func TestTheImage(t *testing.T) {
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.CommandContext(t.Context(), exporter(t), "--help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	d, _ := deployment(t, chart+"/ci/config-values.yaml")
	pod := d.Spec.Template.Spec
	for text, wants := range map[string][]string{
		string(dockerfile): {
			`ENTRYPOINT ["/imagebuilder_exporter"]`,
			fmt.Sprintf("USER %d:%d\n", *pod.SecurityContext.RunAsUser, *pod.SecurityContext.RunAsGroup),
			fmt.Sprintf("EXPOSE %d\n", pod.Containers[0].Ports[0].ContainerPort),
		},
		string(help): {
			fmt.Sprintf("--web.listen-address=:%d", pod.Containers[0].Ports[0].ContainerPort),
			"--web.telemetry-path=\"/metrics\"",
		},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %s in\n%s", want, text)
			}
		}
	}
}
