package docs_test

import (
	"slices"
	"strings"
	"testing"
)

// logFlags has the commands of the AWS CLI that the runbooks read logs and the output of commands
// with, and the flags of each that take a value. They are in its reference; the emulator has no logs.
var logFlags = map[string][]string{
	"logs tail":                    {"--region", "--since", "--log-stream-names"},
	"logs get-log-events":          {"--region", "--log-group-name", "--log-stream-name", "--limit", "--query", "--output"},
	"ssm list-command-invocations": {"--region", "--instance-id", "--query", "--output"},
	"ssm get-command-invocation":   {"--region", "--instance-id", "--command-id", "--query", "--output"},
}

// checkLogs holds the shape of a command that reads logs or the output of commands: it has flags
// that there are, and reads the group of an image or a pipeline, or what ran on the instance.
func checkLogs(t *testing.T, words []string) {
	t.Helper()
	text := "aws " + strings.Join(words, " ")
	command, words := words[0]+" "+words[1], words[2:]
	values := map[string]string{}
	if command == "logs tail" && len(words) > 0 { // its group has no flag
		values["--log-group-name"], words = words[0], words[1:]
	}
	if len(words)%2 != 0 {
		t.Fatalf("%s is no command with flags and values", text)
	}
	for i := 0; i < len(words); i += 2 {
		if !slices.Contains(logFlags[command], words[i]) {
			t.Errorf("%s: there is no %s", text, words[i])
		}
		values[words[i]] = words[i+1]
	}
	if strings.HasPrefix(command, "ssm ") {
		if values["--instance-id"] != "INSTANCE_ID" {
			t.Errorf("%s does not name the instance", text)
		}
		return
	}
	switch values["--log-group-name"] {
	case "/aws/imagebuilder/web":
		if stream := values["--log-stream-name"]; stream != "1.0.0/1" {
			t.Errorf("%s reads the stream %q, want that of the build", text, stream)
		}
	case "/aws/imagebuilder/pipeline/web": // its streams are by date
	default:
		t.Errorf("%s reads the logs of no image and no pipeline", text)
	}
}
