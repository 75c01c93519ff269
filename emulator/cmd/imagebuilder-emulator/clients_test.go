package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// addressOfTheDocument is where the commands of docs/emulator.md find the emulator.
const addressOfTheDocument = "http://127.0.0.1:10121"

// TestTheClientsOfTheDocument runs what docs/emulator.md shows for the AWS CLI and boto3, where
// they are installed.
func TestTheClientsOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, url, _ := begin(t)
	doc := strings.ReplaceAll(string(text), addressOfTheDocument, url)
	block := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(doc)
		if found == nil {
			t.Fatalf("docs/emulator.md has no %s", pattern)
		}
		return found[1]
	}
	for _, c := range []struct {
		name, want string
		needs      []string // a command that succeeds where the client is installed
		command    []string
	}{
		{"the AWS CLI", `"name": "Amazon Linux Golden"`, []string{"aws", "--version"}, []string{"sh", "-c", block("\n(aws imagebuilder .*)\n")}},
		{"boto3", "'name': 'Amazon Linux Golden'", []string{"python3", "-c", "import boto3"}, []string{"python3", "-c", block("(?s)```python\n(.*?)```")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := exec.CommandContext(t.Context(), c.needs[0], c.needs[1:]...).Run(); err != nil {
				t.Logf("%s is not installed: %v", c.name, err)
				return
			}
			command := exec.CommandContext(t.Context(), c.command[0], c.command[1:]...)
			command.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION=eu-west-1",
				"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_DEFAULT_OUTPUT=json", "AWS_PAGER=")
			out, err := command.CombinedOutput()
			if err != nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, %s", err, out)
			}
		})
	}
}
