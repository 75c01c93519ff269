package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

func TestMain(m *testing.M) {
	if os.Getenv(emulatorProcess) != "" {
		serveEmulator()
		return
	}
	binarytest.Main(m)
}

// TestTheBinary starts the demo, scrapes it, and stops it with SIGTERM.
func TestTheBinary(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := binarytest.Command(ctx, t, "--demo", "--web.listen-address=127.0.0.1:0")
	// What could disturb a demo that reads the environment.
	c.Env = append(c.Env, "AWS_PROFILE=none", "AWS_USE_FIPS_ENDPOINT=true", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1")
	p := binarytest.Start(t, c)
	for page, want := range map[string]string{
		"GET /metrics": `imagebuilder_up{region="us-east-1",target="containers"} 1`,
		"GET /probe?target=containers&region=us-east-1": `imagebuilder_up{region="us-east-1",target="containers"} 1`,
		"GET /":          `href="metrics"`,
		"GET /-/healthy": "Healthy",
		"GET /-/ready":   "Ready",
		"POST /-/reload": "Reloaded",
	} {
		method, path, _ := strings.Cut(page, " ")
		if status, body := p.Do(t, method, path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, no %s in\n%s", page, status, want, body)
		}
	}
	check := binarytest.Command(ctx, t, "--health-check", "--web.listen-address="+p.Address)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("--health-check: %v\n%s", err, out)
	}
	if log := p.Stop(t); !strings.Contains(log, "nothing here is AWS") {
		t.Errorf("the log does not say that this is a demo:\n%s", log)
	}
	check = binarytest.Command(ctx, t, "--health-check", "--web.listen-address="+p.Address)
	if out, err := check.CombinedOutput(); err == nil || !strings.HasPrefix(string(out), "checking health at "+p.Address) {
		t.Errorf("--health-check of what has ended: %v\n%s", err, out)
	}
}

// TestTheDemoOfManyPipelines follows all of them, with their owners, in four accounts.
func TestTheDemoOfManyPipelines(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := binarytest.Command(ctx, t, "--once", "--demo", "--demo.pipelines=60").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for series, want := range map[string]int{
		"\nimagebuilder_pipeline_info{":                             60,
		"\nimagebuilder_pipeline_last_success_timestamp_seconds":    59,
		"tag_owner=\"ana.silva@example.com\",tag_team=\"payments\"": 3,
		"\nimagebuilder_up{":                                        4,
	} {
		if got := strings.Count(text, series); got != want {
			t.Errorf("%d of %q, want %d", got, series, want)
		}
	}
	if n := strings.Count(text, "\nimagebuilder_workflow_execution_info{"); n < 300 {
		t.Errorf("%d executions, want those of three builds of each pipeline", n)
	}
}

func TestOnce(t *testing.T) {
	id, unknown := lookuptest.ID(1), lookuptest.ID(2)
	url, _ := binarytest.Emulate(t, emulator.Run{ID: id, Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}})
	nobody := httptest.NewServer(nil)
	nobody.Close()
	hangs, api := binarytest.Emulate(t, emulator.Run{ID: id, Start: time.Now()})
	api.Fault = func(_, asked string) http.Handler {
		if asked == unknown {
			return emulator.Hang()
		}
		return nil
	}
	for _, c := range []struct {
		name   string
		file   string
		exit   int
		stderr string
	}{
		{"all is well", binarytest.ConfigFile(t, binarytest.Target("a", url, id)), 0, ""},
		{"not found is an answer", binarytest.ConfigFile(t, binarytest.Target("a", url, id, unknown)), 0, ""},
		{
			"nobody answers", binarytest.ConfigFile(t, binarytest.Target("a", url, id), binarytest.Target("b", nobody.URL, id)), 1,
			`no answer from Image Builder for target "b" in eu-west-1`,
		},
		{
			"too little time", binarytest.ConfigFile(t, binarytest.Target("a", hangs, id, unknown)), 1,
			"not everything was looked up within 2s; raise --once.timeout",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := binarytest.WithCredentials(binarytest.Command(ctx, t, "--once", "--once.timeout=2s", "--config.file="+c.file))
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != c.exit || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit status %d, want %d; stderr:\n%s", got, c.exit, &stderr)
			}
			parser := expfmt.NewTextParser(model.UTF8Validation)
			families, err := parser.TextToMetricFamilies(&stdout)
			if err != nil {
				t.Fatal(err)
			}
			for name := range families {
				if !strings.HasPrefix(name, "imagebuilder_") {
					t.Errorf("%s is printed, which other programs have, too", name)
				}
			}
			if c.exit == 0 && families["imagebuilder_workflow_execution_steps"] == nil {
				t.Errorf("nothing is known: %v", families)
			}
		})
	}
}

// TestWhatCannotBePrinted has what prints, and outputs that take nothing.
func TestWhatCannotBePrinted(t *testing.T) {
	valid := binarytest.ConfigFile(t, binarytest.Target("a", "http://127.0.0.1:1", lookuptest.ID(1)))
	for _, args := range [][]string{
		{"--once", "--demo"},
		{"--config.check", "--config.file=" + valid},
		{"--version"},
		{"--help"},
	} {
		for output, c := range map[string]struct{ redirect, want string }{
			"a full disk":            {">/dev/full", "no space left on device"},
			"a reader that has gone": {"| true", "broken pipe"},
			"a file for reading":     {"1</dev/zero", "bad file descriptor"},
		} {
			t.Run(args[0]+" to "+output, func(t *testing.T) {
				var stderr bytes.Buffer
				want := 1
				if args[0] == "--once" {
					want = 2
				}
				status := runInShell(t, &stderr, c.redirect, args...)
				if !regexp.MustCompile(`(?m)^printing.*: write .*`+c.want+`\n\z`).MatchString(stderr.String()) || status != want {
					t.Errorf("exit status %d, want %d; stderr:\n%s", status, want, &stderr)
				}
			})
		}
	}
	t.Run("--once to a closed output", func(t *testing.T) {
		var stderr bytes.Buffer
		if status := runInShell(t, &stderr, ">&-", "--once", "--demo"); status != 2 || stderr.String() != "printing the metrics: standard output is closed\n" {
			t.Errorf("exit status %d, want 2; stderr:\n%s", status, &stderr)
		}
	})
	t.Run("--once to /dev/null", func(t *testing.T) {
		var stderr bytes.Buffer
		if status := runInShell(t, &stderr, ">/dev/null", "--once", "--demo"); status != 0 {
			t.Errorf("exit status %d, want 0; stderr:\n%s", status, &stderr)
		}
	})
}

// runInShell runs the program with a redirection, and returns its exit status.
func runInShell(t *testing.T, stderr io.Writer, redirect string, args ...string) (status int) {
	t.Helper()
	program := binarytest.Command(t.Context(), t, args...)
	script := `"$0" "$@" ` + redirect
	if strings.HasPrefix(redirect, "|") { // of which the shell tells the last status only
		script = `{ sleep 0.3; "$0" "$@"; echo $? >&3; } ` + redirect
	}
	c := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", script}, program.Args...)...)
	c.Env, c.Stderr = program.Env, stderr
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	c.ExtraFiles = []*os.File{writer}
	_ = c.Run()
	writer.Close()
	if text, _ := io.ReadAll(reader); len(text) > 0 {
		status, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return status
	}
	return c.ProcessState.ExitCode()
}

const validFile = "targets: [{name: a, workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]}]\n"

// TestWhatTheUserIsTold has the ways in which a start ends at once.
func TestWhatTheUserIsTold(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"valid.yml":    validFile,
		"region.yml":   strings.Replace(validFile, "name: a", "name: a, regions: [eu-west-1]", 1),
		"password.yml": "basic_auth_users: {a: $2y$04$zRoFIpQTtqRIk1ozhMFQhuSw4jd/S0Vqk5GKw1SMxeNxpVTQ1.9m6}\n",
		"web.yml":      "basic_auth_users: {a: verysecret}\n",
		"peers.yml":    "basic_auth: {user: verysecret}\n",
		"bad.yml":      strings.Replace(validFile, "wf-", "", 1),
	} {
		binarytest.WriteFile(t, filepath.Join(dir, file), text)
	}
	for _, c := range []struct {
		name           string
		args           []string
		exit           int
		stdout, stderr string
	}{
		{"valid", []string{"--config.check", "--config.file=region.yml"}, 0, "region.yml: valid, 1 target: 1 workflow execution\n", ""},
		{
			"valid, without a region",
			[]string{"--config.check", "--config.file=valid.yml"},
			0, "valid.yml: valid, 1 target: 1 workflow execution\n", "warning: target \"a\" has no region",
		},
		{"invalid", []string{"--config.check", "--config.file=bad.yml"}, 1, "", "bad.yml:1:43: \"165b1cb6"},
		{"no file", []string{"--config.check", "--config.file=none.yml"}, 1, "", "none.yml: no such file or directory; set --config.file, start from config.yml.example, or use --demo, which needs no file\n"},
		{"start without a region", []string{"--config.file=valid.yml"}, 1, "", "AWS_REGION or AWS_DEFAULT_REGION"},
		{"start with an invalid file", []string{"--config.file=bad.yml"}, 1, "", "bad.yml:1:43: "},
		{"unknown flag", []string{"--conf"}, 1, "", "unknown long flag '--conf'"},
		{"argument", []string{"start"}, 1, "", "unexpected start"},
		{"external URL with a query", []string{"--web.external-url=https://example.com/?a=b"}, 1, "", "--web.external-url=https://example.com/?a=b: must be a URL such as https://example.com/imagebuilder, without a user, a query or a fragment"},
		{"external URL without a scheme", []string{"--web.external-url=example.com"}, 1, "", "must be a URL such as"},
		{"external URL with a password", []string{"--web.external-url=https://a:b@example.com"}, 1, "", "--web.external-url=https://a:xxxxx@example.com: must be a URL such as"},
		{"external URL that cannot be read", []string{"--web.external-url=https://a:b@%zz"}, 1, "", "--web.external-url must be a URL such as"},
		{"bad path", []string{"--web.telemetry-path=metrics"}, 1, "", "must be a plain path that begins with a slash"},
		{"taken path", []string{"--web.telemetry-path=/-/healthy"}, 1, "", "must not be below /-/, which is reserved"},
		{"bad offset", []string{"--scrape.timeout-offset=-1s"}, 1, "", "--scrape.timeout-offset=-1s: must be a non-negative duration, such as 0.5s"},
		{"offset that is none", []string{"--scrape.timeout-offset=soon"}, 1, "", "--scrape.timeout-offset=soon: must be a non-negative duration, such as 0.5s"},
		{"bad interval", []string{"--config.auto-reload-interval=10ms"}, 1, "", "--config.auto-reload-interval=10ms: must be 0s, or a duration of at least 1s, such as 30s"},
		{"bad drain", []string{"--web.drain=-1s"}, 1, "", "--web.drain=-1s: must be a duration from 0s to 1h, such as 45s"},
		{"drain that is none", []string{"--web.drain=45"}, 1, "", "--web.drain=45: must be a duration from 0s to 1h, such as 45s"},
		{"long drain", []string{"--web.drain=1h1s"}, 1, "", "--web.drain=1h1s: must be a duration from 0s to 1h, such as 45s"},
		{"drain without an end", []string{"--web.drain=2562047h47m16s"}, 1, "", "--web.drain=2562047h47m16s: must be a duration from 0s to 1h, such as 45s"},
		{"bad peers", []string{"--sd.peers=a:1,b"}, 1, "", "--sd.peers: peer 2 of 2 must be HOST:PORT, such as replica-1.example.com:10120; alternatively, use a single dns+NAME:PORT\n"},
		{"peer configuration of none", []string{"--sd.peer-config=peers.yml"}, 1, "", "--sd.peer-config requires --sd.peers\n"},
		{"no peer configuration", []string{"--demo", "--sd.peers=a:1", "--sd.peer-config=none.yml"}, 1, "", "--sd.peer-config=none.yml: no such file or directory\n"},
		{"a bad peer configuration", []string{"--demo", "--sd.peers=a:1", "--sd.peer-config=peers.yml"}, 1, "", "--sd.peer-config=peers.yml: line 1: unknown key user; the file must be a Prometheus HTTP client configuration, with keys such as basic_auth, authorization and tls_config\n"},
		{"peers without a password", []string{"--demo", "--sd.peers=a:1", "--web.config.file=password.yml"}, 1, "", "\n--sd.peers requires --sd.peer-config when --web.config.file asks clients for a password or a certificate: replicas ask each other whether they are ready\n"},
		{"a bad web configuration", []string{"--demo", "--web.config.file=web.yml"}, 1, "", "\nserving: reading --web.config.file: a value of basic_auth_users is not a bcrypt hash\n"},
		{"taken path of /sd", []string{"--web.telemetry-path=/sd"}, 1, "", "must not be below /sd/, which is reserved"},
		{"bad time for once", []string{"--once", "--once.timeout=0s"}, 1, "", "--once.timeout=0s: must be a duration greater than zero, such as 1m"},
		{"no scrapes", []string{"--web.max-requests=0"}, 1, "", "--web.max-requests=0: must be at least 1"},
		{"no connections", []string{"--web.max-connections=0"}, 1, "", "--web.max-connections=0: must be at least 1"},
		{"half a check", []string{"--config.check-aws"}, 1, "", "--config.check-aws requires --config.check"},
		{"a size without a demo", []string{"--demo.pipelines=400"}, 1, "", "--demo.pipelines requires --demo\n"},
		{"a demo that is too small", []string{"--demo", "--demo.pipelines=49"}, 1, "", "--demo.pipelines=49: must be from 50 to 1000, or 0 for the small demo\n"},
		{"a demo that is too large", []string{"--demo", "--demo.pipelines=1001"}, 1, "", "--demo.pipelines=1001: must be from 50 to 1000, or 0 for the small demo\n"},
		{"check of a demo", []string{"--config.check", "--demo"}, 1, "", "--config.check cannot be combined with --demo"},
		{"bad level", []string{"--log.level=loud"}, 1, "", "--log.level=loud: must be one of debug, info, warn, error"},
		{"bad format", []string{"--log.format=xml"}, 1, "", "--log.format=xml: must be one of logfmt, json"},
		{"bad address", []string{"--demo", "--web.listen-address=nowhere:1:2"}, 1, "", "serving: "},
		{"version", []string{"--version"}, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := binarytest.Command(ctx, t, c.args...)
			cmd.Dir = dir
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != c.exit {
				t.Errorf("exit status %d, want %d", got, c.exit)
			}
			if c.stdout != "" && stdout.String() != c.stdout {
				t.Errorf("stdout %q, want %q", &stdout, c.stdout)
			}
			if !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("stderr %q, want %q", &stderr, c.stderr)
			}
		})
	}
}

// TestFlagsArePrintedSafely gives every flag whose value an error repeats one that would change
// what a terminal shows, or add lines to it.
func TestFlagsArePrintedSafely(t *testing.T) {
	const odd = "a\x1b[2J\nb\u202ec\xff"
	dir := t.TempDir()
	file, oddFile, oddMistake := filepath.Join(dir, "config.yml"), filepath.Join(dir, odd), filepath.Join(dir, odd+"2")
	binarytest.WriteFile(t, file, validFile)
	binarytest.WriteFile(t, oddFile, validFile)
	binarytest.WriteFile(t, oddMistake, "regions: []\n")
	for _, args := range [][]string{
		{"--log.level=" + odd},
		{"--log.format=" + odd},
		{"--once.timeout=" + odd},
		{"--scrape.timeout-offset=" + odd},
		{"--config.auto-reload-interval=" + odd},
		{"--web.telemetry-path=" + odd},
		{"--web.max-requests=" + odd},
		{"--web.listen-address=" + odd, "--config.file=" + file},
		{"--web.listen-address=" + odd, "--health-check"},
		{"--web.config.file=" + odd, "--config.file=" + file},
		{"--config.check=" + odd},
		{"--" + odd},
		{odd},
		{"--config.file=" + odd},
		{"--config.file=" + odd, "--config.check"},
		{"--config.file=" + filepath.Join(oddFile, odd), "--config.check"},
		{"--config.file=" + oddFile, "--config.check"},
		{"--config.file=" + oddMistake, "--config.check"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, _ := binarytest.WithCredentials(binarytest.Command(ctx, t, args...)).CombinedOutput()
		text := strings.TrimSuffix(string(out), "\n")
		for line := range strings.SplitSeq(text, "\n") {
			if printable.Line(line, len(line)) != line || strings.HasPrefix(line, "b") {
				t.Errorf("%q: %q", args, line)
			}
		}
		if text == "" || ctx.Err() != nil {
			t.Errorf("%q: %v, nothing is printed", args, ctx.Err())
		}
	}
}
