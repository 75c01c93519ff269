package docs_test

import (
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// shellBlock is a block of commands in a runbook.
var shellBlock = regexp.MustCompile("(?s) *```sh\n(.*?) *```")

// shellWord is a word of a command, perhaps in quotes.
var shellWord = regexp.MustCompile(`'([^']*)'|"([^"]*)"|([^\s'"]+)`)

// awsBlocks returns the AWS CLI's commands in a text, by the blocks in which they stand, each
// in words and without the program's name.
func awsBlocks(text string) (blocks [][][]string) {
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		var commands [][]string
		for line := range strings.Lines(block[1]) {
			var words []string
			for _, w := range shellWord.FindAllStringSubmatch(line, -1) {
				words = append(words, w[1]+w[2]+w[3])
			}
			if len(words) > 0 && words[0] == "aws" {
				commands = append(commands, words[1:])
			}
		}
		if len(commands) > 0 {
			blocks = append(blocks, commands)
		}
	}
	return blocks
}

// TestRunbooksSayWhatToType holds which runbook has which commands that change something.
func TestRunbooksSayWhatToType(t *testing.T) {
	got := map[string][]string{}
	for _, file := range glob(t, "docs/runbooks/*.md") {
		for _, block := range awsBlocks(read(t, file)) {
			for _, c := range block {
				name := strings.TrimSuffix(path.Base(file), ".md")
				if operation := c[1]; changes[operation] && !slices.Contains(got[name], operation) {
					got[name] = append(got[name], operation)
				}
			}
		}
	}
	const start, retry, cancel, send = "start-image-pipeline-execution", "retry-image", "cancel-image-creation", "send-workflow-step-action"
	for name, want := range map[string][]string{
		"WorkflowFailed": {start, retry}, "ImageFailed": {retry, start}, "ImageStuck": {cancel, start},
		"WorkflowRunningTooLong": {cancel, start}, "StepWaitingForApproval": {send}, "PipelineMissedRun": {cancel, start},
		"NoRecentGoodImage": {start}, "PipelineFailingRepeatedly": {start}, "PipelineAboutToBeDisabled": {start},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("docs/runbooks/%s.md (-want +got):\n%s", name, diff)
		}
	}
}

// withCommands returns the runbooks, and the page that has the commands which they share.
func withCommands(t *testing.T) []string {
	t.Helper()
	return append(glob(t, "docs/runbooks/*.md"), "docs/alerts.md")
}

// TestRunbooksGoToTheEnd holds that each runbook has the same sections, in this order, and that
// the one about logs says where they are.
func TestRunbooksGoToTheEnd(t *testing.T) {
	want := []string{"What it means", "Check first", "Logs", "Fix", "When it is over"}
	for _, file := range glob(t, "docs/runbooks/*.md") {
		text := read(t, file)
		var got []string
		for _, heading := range section.FindAllStringSubmatch(text, -1) {
			got = append(got, heading[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		_, logs, _ := strings.Cut(text, "\n## Logs\n")
		logs, _, _ = strings.Cut(logs, "\n## ")
		if !logPlace.MatchString(logs) {
			t.Errorf("%s does not say where the log is:\n%s", file, logs)
		}
	}
}

var (
	section = regexp.MustCompile(`(?m)^## (.*)$`)
	// The log of the exporter, of a build or a pipeline, a runbook that has them, or Prometheus.
	logPlace = regexp.MustCompile(`journalctl -u imagebuilder_exporter|aws logs |\.md#logs|in Prometheus`)
)

// changes has the commands that change something.
var changes = map[string]bool{
	"start-image-pipeline-execution": true, "retry-image": true, "cancel-image-creation": true, "send-workflow-step-action": true,
}

// TestRunbooksWork runs each block of commands against an account in which its alert fires,
// with the SDK, and looks at what has changed.
func TestRunbooksWork(t *testing.T) {
	for _, file := range withCommands(t) {
		for _, block := range awsBlocks(read(t, file)) {
			t.Run(path.Base(file), func(t *testing.T) {
				a := newIncident(t, path.Base(file))
				for _, c := range block {
					a.changedBy(t, c, a.callSDK)
				}
			})
		}
	}
}

// TestRunbooksWorkWithTheAWSCLI does the same with each different command and the AWS CLI,
// where that is installed.
func TestRunbooksWorkWithTheAWSCLI(t *testing.T) {
	program, err := exec.LookPath("aws")
	if err != nil {
		t.Log("the AWS CLI is not installed: TestRunbooksWork has checked the commands with the SDK")
		return
	}
	files := map[string]string{}
	commands := map[string][]string{}
	for _, file := range withCommands(t) {
		for _, c := range slices.Concat(awsBlocks(read(t, file))...) {
			text := strings.Join(c, " ")
			files[text], commands[text] = path.Base(file), c
		}
	}
	for _, text := range slices.Sorted(maps.Keys(commands)) {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			a := newIncident(t, files[text])
			a.changedBy(t, commands[text], func(t *testing.T, words []string) {
				t.Helper()
				a.callCLI(t, program, words)
			})
		})
	}
}

// callCLI runs a command with the AWS CLI, which must print something.
func (a *incident) callCLI(t *testing.T, program string, words []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append(words, "--endpoint-url", a.url)...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=secret", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	out, err := cmd.CombinedOutput()
	answer := strings.Join(strings.Fields(string(out)), "")
	if err != nil || slices.Contains([]string{"", "null", "[]", "None"}, answer) {
		t.Errorf("aws %s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// TestRunbooksAskAboutTheAlert holds that what a runbook looks at in Prometheus is limited to
// the target and region of the alert, or to what its alert has in their place.
func TestRunbooksAskAboutTheAlert(t *testing.T) {
	limits := map[string]string{
		"SelectorMatchesNothing.md": `target="TARGET", selector="SELECTOR"`,
		"LabelsRenamed.md":          `job="JOB"`,
	}
	published := promqltest.Published(t, "../testdata/metrics.txt")
	queries := 0
	for _, file := range glob(t, "docs/runbooks/*.md") {
		_, text, _ := strings.Cut(read(t, file), "\n## Check first\n")
		text, _, _ = strings.Cut(text, "\n## When it is over\n")
		limit := `target="TARGET", region="REGION"`
		if other := limits[path.Base(file)]; other != "" {
			limit = other
		}
		for _, s := range selected.FindAllStringSubmatch(text, -1) {
			if labels, metric := published[s[1]]; metric && !labels["target"] || s[1] == "imagebuilder_exporter" {
				continue
			}
			if queries++; !strings.HasPrefix(s[2], "{"+limit) {
				t.Errorf("%s: %s is not limited to {%s}", file, s[0], limit)
			}
		}
	}
	if queries < 15 {
		t.Errorf("the runbooks have only %d queries", queries)
	}
}

var selected = regexp.MustCompile(`\b(imagebuilder[_:][a-z0-9_:]+)(\{[^}]*\})?`)
