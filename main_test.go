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

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

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
	for path, want := range map[string]string{
		"/metrics":   `imagebuilder_up{region="us-east-1",target="containers"} 1`,
		"/":          `href="/metrics"`,
		"/-/healthy": "Healthy",
	} {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: status %d, %v, no %s in\n%s", path, resp.StatusCode, err, want, body)
		}
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
			c.Env = append(c.Env, "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=verysecret")
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
			for { // until it no longer listens
				conn, err := net.Dial("tcp", address)
				if err != nil {
					break
				}
				conn.Close()
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
