package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// asProgram in the environment makes the test's binary the program.
const asProgram = "IMAGEBUILDER_EMULATOR_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var anyKey = credentials.NewStaticCredentialsProvider("AKID", "secret", "")

// begin starts the program and returns the URL that it prints, and what it prints up to its last
// line.
func begin(t *testing.T, args ...string) (program *exec.Cmd, url, printed string) {
	t.Helper()
	program = exec.CommandContext(t.Context(), os.Args[0], append(args, "--listen=127.0.0.1:0")...)
	program.Env = append(os.Environ(), asProgram+"=1")
	program.Stderr = os.Stderr
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		printed += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Press Ctrl-C") {
			break
		}
	}
	url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(printed)
	if url == "" {
		t.Fatalf("it prints no URL:\n%s", printed)
	}
	return program, url, printed
}

// pipelines returns the names of the pipelines that are seen in a region.
func pipelines(t *testing.T, url, region string, with aws.CredentialsProvider) (names []string) {
	t.Helper()
	client := imagebuilder.New(imagebuilder.Options{Region: region, BaseEndpoint: &url, Credentials: with})
	for p := imagebuilder.NewListImagePipelinesPaginator(client, &imagebuilder.ListImagePipelinesInput{}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range out.ImagePipelineList {
			names = append(names, *row.Name)
		}
	}
	return names
}

func TestTheProgram(t *testing.T) {
	demo := []string{"Amazon Linux Golden", "Windows Golden", "Ubuntu Golden", "EKS Node"}
	for _, c := range []struct {
		name   string
		args   []string
		signal syscall.Signal
		want   int // pipelines of the first account
		names  []string
	}{
		{"the demo, ended with SIGTERM", []string{"--demo"}, syscall.SIGTERM, 4, demo},
		{"no flag, ended with Ctrl-C", nil, syscall.SIGINT, 4, demo},
		{"a large company", []string{"--pipelines=60"}, syscall.SIGTERM, 15, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, url, printed := begin(t, c.args...)
			for _, want := range []string{
				"--endpoint-url " + url, `endpoint_url="` + url + `"`, "AWS_ENDPOINT_URL_IMAGEBUILDER=" + url, "eu-west-1, with any credentials",
			} {
				if !strings.Contains(printed, want) {
					t.Errorf("it does not print %q:\n%s", want, printed)
				}
			}
			names := pipelines(t, url, "eu-west-1", anyKey)
			if len(names) != c.want || c.names != nil && !cmp.Equal(c.names, names) {
				t.Errorf("%d pipelines, want %d: %q", len(names), c.want, names)
			}
			if err := program.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if err := program.Wait(); err != nil {
				t.Errorf("after %s: %v, want status 0", c.signal, err)
			}
		})
	}
}

func TestWrongFlags(t *testing.T) {
	empty, large := filepath.Join(t.TempDir(), "empty.yml"), filepath.Join(t.TempDir(), "large.yml")
	for path, size := range map[string]int{empty: 0, large: maxFileSize + 1} {
		if err := os.WriteFile(path, []byte(strings.Repeat("#", size)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"two contents", "--demo, --pipelines and --scenario are mutually exclusive", []string{"--demo", "--pipelines=50"}},
		{"too few pipelines", "--pipelines=49: must be from 50 to 1000", []string{"--pipelines=49"}},
		{"too many pipelines", "--pipelines=1001: must be from 50 to 1000", []string{"--pipelines=1001"}},
		{"an unknown flag", "unknown long flag '--x'; see imagebuilder-emulator --help", []string{"--x"}},
		{"an address that is none", "--listen=nowhere: listen tcp: address nowhere: missing port in address", []string{"--listen=nowhere"}},
		{"a file that is not there", "--scenario: stat /dev/null/x: not a directory", []string{"--scenario=/dev/null/x"}},
		{"what is no file", "--scenario: /dev/null is not a regular file", []string{"--scenario=/dev/null"}},
		{"an empty file", empty + ": accounts: must have at least one account", []string{"--scenario=" + empty}},
		{"a large file", fmt.Sprintf("--scenario: %s has more than 1048576 bytes", large), []string{"--scenario=" + large}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := run(t.Context(), c.args, &out)
			if err == nil || err.Error() != c.want || out.Len() > 0 {
				t.Errorf("the error is %v, want %s; it printed %q", err, c.want, &out)
			}
		})
	}
}

// TestTheExampleOfTheDocument serves the scenario of docs/emulator.md.
func TestTheExampleOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if example == nil {
		t.Fatal("docs/emulator.md has no example")
	}
	path := filepath.Join(t.TempDir(), "scenario.yml")
	if err := os.WriteFile(path, example[1], 0o600); err != nil {
		t.Fatal(err)
	}
	_, url, printed := begin(t, "--scenario="+path)
	const role = "arn:aws:iam::444455556666:role/reader"
	if !strings.Contains(printed, "us-east-1, as "+role+" with the external id ci") {
		t.Errorf("it does not name the role:\n%s", printed)
	}
	service := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &url, Credentials: anyKey})
	identity, err := service.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *identity.Account != "111122223333" {
		t.Errorf("the caller is %+v, %v", identity, err)
	}
	assumed := aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(service, role, func(o *stscreds.AssumeRoleOptions) {
		o.ExternalID = aws.String("ci")
	}))
	if got := pipelines(t, url, "us-east-1", assumed); !cmp.Equal(got, []string{"database"}) {
		t.Errorf("the other account has the pipelines %q", got)
	}
	if got := pipelines(t, url, "eu-west-1", anyKey); !cmp.Equal(got, []string{"Web Server"}) {
		t.Errorf("the first account has the pipelines %q", got)
	}
	client := imagebuilder.New(imagebuilder.Options{Region: "eu-west-1", BaseEndpoint: &url, Credentials: anyKey})
	got := map[string]string{}
	for _, of := range []string{"web-server/1.0.0/1", "web-server/1.0.0/2", "bastion-host/1.0.0/1"} {
		out, err := client.GetImage(t.Context(), &imagebuilder.GetImageInput{
			ImageBuildVersionArn: aws.String("arn:aws:imagebuilder:eu-west-1:111122223333:image/" + of),
		})
		if err != nil {
			t.Fatal(err)
		}
		got[of] = string(out.Image.State.Status)
	}
	want := map[string]string{"web-server/1.0.0/1": "AVAILABLE", "web-server/1.0.0/2": "BUILDING", "bastion-host/1.0.0/1": "AVAILABLE"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the images (-want +got):\n%s", diff)
	}
	waits, err := client.ListWaitingWorkflowSteps(t.Context(), &imagebuilder.ListWaitingWorkflowStepsInput{})
	if err != nil || len(waits.Steps) != 1 || *waits.Steps[0].WorkflowExecutionId != "wf-165b1cb6-3a62-4618-a021-94ddcbe32908" {
		t.Errorf("what waits is %+v, %v", waits, err)
	}
}

// TestARequestThatHangsDoesNotHoldUpTheEnd has a client that never ends its request.
func TestARequestThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	program, url, _ := begin(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = "POST /ListImages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n"
	const signature = "X-Amz-Date: 20260909T191223Z\r\nAuthorization: AWS4-HMAC-SHA256 " +
		"Credential=A/20260909/eu-west-1/imagebuilder/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	if _, err := conn.Write([]byte(body + signature + strings.Repeat("0", 64) + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the answer begins with %q, %v", line, err)
	}
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	told := time.Now()
	if err := program.Wait(); err != nil {
		t.Errorf("%v, want status 0", err)
	}
	if took := time.Since(told); took < shutdownTime || took > 5*shutdownTime {
		t.Errorf("it ended after %s, want %s", took, shutdownTime)
	}
}
