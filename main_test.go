package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// binary builds the program and returns its path.
func binary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// command returns the program with these flags, and nothing of AWS around it.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, path, args...)
	c.Env = []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}
	return c
}

var listening = regexp.MustCompile(`(?:msg="Listening on" address=|"address":")([^\s"]+)`)

// start starts the program for the time of the test. It returns the address on which
// it listens, and a function
// that returns its whole log once it has ended.
func start(t testing.TB, c *exec.Cmd) (address string, logs func() string) {
	t.Helper()
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill() // unless it has ended
		_ = c.Wait()
	})
	var text bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(stderr, &text)); address == "" && lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			address = m[1]
		}
	}
	if address == "" {
		t.Fatalf("it does not listen:\n%s", &text)
	}
	return address, func() string {
		_, _ = io.Copy(&text, stderr)
		return text.String()
	}
}

// TestTheBinary starts the demo, scrapes it, and stops it with SIGTERM.
func TestTheBinary(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := command(ctx, binary(t), "--demo", "--web.listen-address=127.0.0.1:0")
	// What could disturb a demo that reads the environment.
	c.Env = append(c.Env, "AWS_PROFILE=none", "AWS_USE_FIPS_ENDPOINT=true", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1")
	address, logs := start(t, c)
	for page, want := range map[string]string{
		"GET /metrics":   `imagebuilder_up{region="us-east-1",target="containers"} 1`,
		"GET /":          `href="/metrics"`,
		"GET /-/healthy": "Healthy",
		"GET /-/ready":   "Ready",
		"POST /-/reload": "Reloaded",
	} {
		method, path, _ := strings.Cut(page, " ")
		if status, body := fetch(t, method, "http://"+address+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, no %s in\n%s", page, status, want, body)
		}
	}
	check := command(ctx, c.Path, "--health-check", "--web.listen-address="+address)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("--health-check: %v\n%s", err, out)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text := logs()
	if err := c.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, text)
	}
	if !strings.Contains(text, "nothing here is AWS") {
		t.Errorf("the log does not say that this is a demo:\n%s", text)
	}
	check = command(ctx, c.Path, "--health-check", "--web.listen-address="+address)
	if out, err := check.CombinedOutput(); err == nil || !strings.HasPrefix(string(out), "checking health at "+address) {
		t.Errorf("--health-check of what has ended: %v\n%s", err, out)
	}
}

// fetch returns the status and the body of a page.
func fetch(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// withAWS makes c ask an emulator with credentials that nobody may see.
func withAWS(c *exec.Cmd) *exec.Cmd {
	c.Env = append(c.Env, "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=verysecret", "AWS_SESSION_TOKEN=verysecret")
	return c
}

// serveRuns starts an emulator of executions for the time of the test.
func serveRuns(t *testing.T, runs ...emulator.Run) (url string, api *emulator.API) {
	t.Helper()
	api = &emulator.API{Scenario: emulator.Runs(runs...)}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	return s.URL, api
}

// configOf returns a configuration of a target in eu-west-1.
func configOf(name, url string, ids ...string) string {
	return fmt.Sprintf("targets: [{name: %s, regions: [eu-west-1], endpoint_url: '%s', workflow_executions: [%s]}]\n", name, url, strings.Join(ids, ", "))
}

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReloads reloads in all three ways, good files and bad ones, and a signal that comes
// while the program starts.
func TestReloads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	url, api := serveRuns(t, emulator.Run{ID: testID(1), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}})
	file := filepath.Join(t.TempDir(), "config.yml")
	writeFile(t, file, configOf("a", url, testID(1)))
	c := withAWS(command(ctx, binary(t), "--config.file="+file, "--web.listen-address=127.0.0.1:0", "--config.auto-reload-interval=1s", "--log.format=json"))
	address, logs := start(t, c)
	defer http.DefaultClient.CloseIdleConnections()
	metrics := func() string {
		_, body := fetch(t, http.MethodGet, "http://"+address+"/metrics")
		return body
	}
	reload := func() (int, string) { return fetch(t, http.MethodPost, "http://"+address+"/-/reload") }
	until := func(want string) {
		t.Helper()
		for !strings.Contains(metrics(), want) {
			if ctx.Err() != nil {
				t.Fatalf("there is no %s in\n%s", want, metrics())
			}
		}
	}
	until(`steps{region="eu-west-1",target="a",workflow_execution_id="` + testID(1) + `"} 1`)
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, http.MethodGet, "http://"+address+"/-/reload"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET /-/reload: %d %s", status, body)
	}

	bad := "targets: [{name: a, role_arn: none, external_id: very-external}]\n"
	writeFile(t, file, bad)
	check := command(ctx, c.Path, "--config.check", "--config.file="+file)
	sentence, _ := check.CombinedOutput()
	if status, body := reload(); status != http.StatusInternalServerError || body != string(sentence) {
		t.Errorf("a bad file: %d %s; --config.check says %s", status, body, sentence)
	}
	if body := metrics(); !strings.Contains(body, "config_last_reload_successful 0") || !strings.Contains(body, `imagebuilder_up{region="eu-west-1",target="a"} 1`) {
		t.Errorf("with a bad file:\n%s", body)
	}
	writeFile(t, file, configOf("b", url, testID(1))) // nobody tells: it looks for itself
	until(`imagebuilder_up{region="eu-west-1",target="b"} 1`)
	until("config_last_reload_successful 1")
	if body := metrics(); strings.Contains(body, `target="a"`) {
		t.Errorf("something is left of what is gone:\n%s", body)
	}
	if n := api.Requests("GetWorkflowExecution"); n != 2 {
		t.Errorf("%d requests, want one for each target", n)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text := logs()
	if err := c.Wait(); err != nil || strings.Contains(text, "very") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, line := range []string{`"credentials":"environment"`, `"msg":"target removed"`, `"msg":"shutting down"`} {
		if !strings.Contains(text, line) {
			t.Errorf("no line with %s is logged:\n%s", line, text)
		}
	}
}

// TestASocketOfSystemd passes a socket as systemd does.
func TestASocketOfSystemd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	// The addresses are not for it.
	c := command(ctx, "/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, binary(t),
		"--demo", "--web.systemd-socket", "--web.listen-address=127.0.0.1:1", "--web.listen-address=127.0.0.1:2")
	c.ExtraFiles = []*os.File{socket} // number 3, as systemd's
	address, _ := start(t, c)
	if address != listener.Addr().String() {
		t.Errorf("it listens on %s, want %s", address, listener.Addr())
	}
	if status, body := fetch(t, http.MethodGet, "http://"+address+"/-/ready"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestOnce(t *testing.T) {
	path, dir := binary(t), t.TempDir()
	url, _ := serveRuns(t, emulator.Run{ID: testID(1), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}})
	nobody := httptest.NewServer(nil)
	nobody.Close()
	hangs, api := serveRuns(t, emulator.Run{ID: testID(1), Start: time.Now()})
	api.Fault = func(_, id string) http.Handler {
		if id == testID(2) {
			return emulator.Hang()
		}
		return nil
	}
	for _, c := range []struct {
		name, config string
		exit         int
		stderr       string
	}{
		{"all is well", configOf("a", url, testID(1)), 0, ""},
		{"not found is an answer", configOf("a", url, testID(1), testID(2)), 0, ""},
		{
			"nobody answers", strings.TrimSuffix(configOf("a", url, testID(1)), "]\n") + strings.Replace(configOf("b", nobody.URL, testID(1)), "targets: [", ", ", 1), 1,
			`no answer from Image Builder for target "b" in eu-west-1`,
		},
		{"too little time", configOf("a", hangs, testID(1), testID(2)), 1, "not everything was looked up within 2s; see --once.timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			file := filepath.Join(dir, "config.yml")
			writeFile(t, file, c.config)
			cmd := withAWS(command(ctx, path, "--once", "--once.timeout=2s", "--config.file="+file))
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
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Log("there is no full disk to try")
		return
	}
	defer full.Close()
	cmd := command(t.Context(), path, "--once", "--demo")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "printing the metrics: ") {
		t.Errorf("a full disk: %v\n%s", err, &stderr)
	}
}

// TestALogThatCannotBeWritten scrapes while the disk of the log is full, and while nobody
// reads it any more.
func TestALogThatCannotBeWritten(t *testing.T) {
	path := binary(t)
	for _, name := range []string{"full", "closed", "stuck"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		listener.Close()
		c := command(ctx, path, "--demo", "--log.level=debug", "--web.listen-address="+address)
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil || name != "full" {
			var reader *os.File
			if reader, full, err = os.Pipe(); err != nil {
				t.Fatal(err)
			}
			defer reader.Close() // stuck: nobody reads
			if name == "closed" {
				reader.Close()
			}
		}
		c.Stderr = full
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		full.Close()
		for {
			check := command(ctx, path, "--health-check", "--web.listen-address="+address)
			if check.Run() == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatal("it does not serve")
			}
		}
		for range 1000 { // more than a pipe holds
			if status, _ := fetch(t, http.MethodPost, "http://"+address+"/-/reload"); status != http.StatusOK {
				t.Fatalf("%s: POST /-/reload: %d", name, status)
			}
		}
		if status, body := fetch(t, http.MethodGet, "http://"+address+"/metrics"); status != http.StatusOK || !strings.Contains(body, "imagebuilder_up") {
			t.Errorf("%s: %d\n%s", name, status, body)
		}
		http.DefaultClient.CloseIdleConnections()
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAShutdownLetsScrapesEnd sends each signal while a scrape waits for an API that
// takes its time.
func TestAShutdownLetsScrapesEnd(t *testing.T) {
	path := binary(t)
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			asked, answer := make(chan struct{}), make(chan struct{})
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				close(asked)
				<-answer
				fmt.Fprint(w, `{"workflowExecutionId":"wf-165b1cb6-3a62-4618-a021-94ddcbe32908","status":"RUNNING"}`)
			}))
			defer api.Close()
			file := filepath.Join(t.TempDir(), "config.yml")
			text := strings.Replace(validFile, "name: a", "name: a, regions: [eu-west-1], endpoint_url: '"+api.URL+"'", 1)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c := command(ctx, path, "--config.file="+file, "--web.listen-address=127.0.0.1:0")
			withAWS(c)
			address, logs := start(t, c)
			scraped := make(chan string)
			go func() {
				resp, err := http.Get("http://" + address + "/metrics")
				if err != nil {
					scraped <- err.Error()
					return
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				scraped <- string(body)
			}()
			<-asked
			if err := c.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			for status := 200; status != http.StatusServiceUnavailable; {
				status, _ = fetch(t, http.MethodGet, "http://"+address+"/-/ready")
			}
			if status, body := fetch(t, http.MethodGet, "http://"+address+"/metrics"); status != http.StatusServiceUnavailable {
				t.Errorf("a new scrape gets %d %s", status, body)
			}
			close(answer)
			if got := <-scraped; !strings.Contains(got, `imagebuilder_up{region="eu-west-1",target="a"} 1`) {
				t.Errorf("the scrape in flight got %s", got)
			}
			http.DefaultClient.CloseIdleConnections()
			text = logs()
			if err := c.Wait(); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
			if strings.Contains(text, "verysecret") {
				t.Errorf("a secret is logged:\n%s", text)
			}
		})
	}
}

const validFile = "targets: [{name: a, workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]}]\n"

// TestWhatTheUserIsTold has the ways in which a start ends at once.
func TestWhatTheUserIsTold(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"valid.yml":  validFile,
		"region.yml": strings.Replace(validFile, "name: a", "name: a, regions: [eu-west-1]", 1),
		"bad.yml":    strings.Replace(validFile, "wf-", "", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := binary(t)
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
		{"no file", []string{"--config.check", "--config.file=none.yml"}, 1, "", "none.yml: no such file"},
		{"start without a region", []string{"--config.file=valid.yml"}, 1, "", "AWS_REGION or AWS_DEFAULT_REGION"},
		{"start with an invalid file", []string{"--config.file=bad.yml"}, 1, "", "bad.yml:1:43: "},
		{"unknown flag", []string{"--conf"}, 1, "", "unknown long flag '--conf'"},
		{"argument", []string{"start"}, 1, "", "unexpected start"},
		{"bad path", []string{"--web.telemetry-path=metrics"}, 1, "", "must be a plain path that begins with a slash"},
		{"taken path", []string{"--web.telemetry-path=/-/healthy"}, 1, "", "are taken"},
		{"bad offset", []string{"--scrape.timeout-offset=-1s"}, 1, "", "--scrape.timeout-offset=-1s: must be a duration that is not below zero, such as 0.5s"},
		{"offset that is none", []string{"--scrape.timeout-offset=soon"}, 1, "", "--scrape.timeout-offset=soon: must be a duration that is not below zero, such as 0.5s"},
		{"bad interval", []string{"--config.auto-reload-interval=10ms"}, 1, "", "--config.auto-reload-interval=10ms: must be 0s, or a duration of at least 1s, such as 30s"},
		{"bad time for once", []string{"--once", "--once.timeout=0s"}, 1, "", "--once.timeout=0s: must be a duration above zero, such as 1m"},
		{"no scrapes", []string{"--web.max-requests=0"}, 1, "", "--web.max-requests=0: must be at least 1"},
		{"half a check", []string{"--config.check-aws"}, 1, "", "--config.check-aws goes with --config.check"},
		{"check of a demo", []string{"--config.check", "--demo"}, 1, "", "--config.check cannot be combined with --demo"},
		{"bad level", []string{"--log.level=loud"}, 1, "", "--log.level=loud: must be one of debug, info, warn, error"},
		{"bad format", []string{"--log.format=xml"}, 1, "", "--log.format=xml: must be one of logfmt, json"},
		{"bad address", []string{"--demo", "--web.listen-address=nowhere:1:2"}, 1, "", "serving: "},
		{"version", []string{"--version"}, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := command(ctx, path, c.args...)
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
