package check

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "arn:aws:imagebuilder:eu-west-1:444455556666:"
	role    = "arn:aws:iam::444455556666:role/exporter"
	id      = "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"
)

// web is an account in which everything that can be asked about is there.
func web() *emulator.Account {
	start := time.Now().Add(-time.Hour)
	return &emulator.Account{
		Pipelines: []emulator.Pipeline{{ARN: account + "image-pipeline/new", Name: "new"}, {ARN: account + "image-pipeline/web", Name: "web"}},
		Runs: []emulator.Run{{
			ID: "wf-00000000-1111-4618-a021-94ddcbe32908", Start: start, Steps: []emulator.Step{{Name: "Approve", Takes: 100 * time.Hour, Waits: true}},
		}},
		Images: []emulator.Image{{
			ARN: account + "image/web/1.0.0/1", PipelineARN: account + "image-pipeline/web", Created: start,
			Attempts: []emulator.Attempt{{Runs: []emulator.Run{{ID: id, Start: start, Steps: []emulator.Step{{Name: "A", Takes: time.Minute}}}}}},
		}},
	}
}

// everything selects in every way.
func everything() lookup.Selection {
	return lookup.Selection{
		WorkflowExecutions: []string{id}, Pipelines: []lookup.Selector{{Builds: 1, Text: "name=.*"}},
		Images:         []string{account + "image/web/1.0.0", account + "image/web/1.0.0/1"},
		ImageSelectors: []lookup.Selector{{Builds: 1, Text: "name=.*"}},
		Steps:          lookup.StepsActive, Waiting: true,
	}
}

// target returns a Request that asks api, in the name of role if that is not empty.
func target(t *testing.T, api http.Handler, s lookup.Selection, role imagebuilder.Role) Request {
	t.Helper()
	httpClient, end := emulator.Pipe(api)
	t.Cleanup(end)
	return targetThrough(t, httpClient, s, role)
}

// targetThrough is target for an API that a client reaches.
func targetThrough(t *testing.T, httpClient *http.Client, s lookup.Selection, role imagebuilder.Role) Request {
	t.Helper()
	client, err := imagebuilder.NewClient(t.Context(), imagebuilder.ClientConfig{
		Target: "golden-images", Region: "eu-west-1", EndpointURL: "http://emulator", STSEndpointURL: "http://sts", Role: role,
		Static: &imagebuilder.StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "verysecret"},
		Limits: imagebuilder.Limits{Concurrency: 10, Burst: 1, Timeout: 10 * time.Second},

		Metrics: imagebuilder.NewMetrics(prometheus.NewRegistry()), HTTPClient: httpClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	return Request{Name: "golden-images", Region: "eu-west-1", Selection: s, Client: client, Role: role}
}

// behindRole returns an API of that account, and a role that reaches it.
func behindRole(a *emulator.Account) (*emulator.API, imagebuilder.Role) {
	return &emulator.API{
		Scenario: emulator.Runs(), Roles: []emulator.Role{{ARN: role, ExternalID: "very-external", Scenario: a}},
	}, imagebuilder.Role{ARN: role, ExternalID: "very-external"}
}

// run returns what is printed, without what AWS said, and whether all is well.
func run(t *testing.T, targets ...Request) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	ok := Run(t.Context(), targets, &out)
	if strings.Contains(out.String(), "very") {
		t.Errorf("a secret is printed:\n%s", &out)
	}
	return regexp.MustCompile(`(?m)^ {11}.*\n`).ReplaceAllString(out.String(), ""), ok
}

// operations are the lines of everything, when all is well.
const operations = `  ok       imagebuilder:GetWorkflowExecution
  ok       imagebuilder:ListImagePipelines
  ok       imagebuilder:ListImagePipelineImages
  ok       imagebuilder:ListImages
  ok       imagebuilder:ListImageBuildVersions
  ok       imagebuilder:GetImage
  ok       imagebuilder:ListWorkflowExecutions
  ok       imagebuilder:ListWorkflowStepExecutions
  ok       imagebuilder:ListWaitingWorkflowSteps
  ok       imagebuilder:GetWorkflowStepExecution
`

const title = "golden-images, eu-west-1: credentials from static, the role " + role + "\n"

// TestWhatIsMissing denies one operation after the other.
func TestWhatIsMissing(t *testing.T) {
	for _, c := range []struct{ operation, resource string }{
		{"", ""},
		{"GetWorkflowExecution", account + "workflow-execution/*"},
		{"ListImagePipelines", "*"},
		{"ListImagePipelineImages", account + "image-pipeline/*"},
		{"ListImages", "*"},
		{"ListImageBuildVersions", account + "image/*"},
		{"GetImage", account + "image/*"},
		{"ListWorkflowExecutions", account + "image/*"},
		{"ListWorkflowStepExecutions", account + "workflow-execution/*"},
		{"ListWaitingWorkflowSteps", "*"},
		{"GetWorkflowStepExecution", account + "workflow-step-execution/*"},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, role := behindRole(web())
			api.Fault = func(operation, _ string) http.Handler {
				if operation == c.operation {
					return emulator.Error(403, "AccessDeniedException", "no")
				}
				return nil
			}
			want := title + strings.Replace(operations, "  ok       imagebuilder:"+c.operation+"\n",
				"  missing  imagebuilder:"+c.operation+" on "+c.resource+" for the role "+role.ARN+"\n", 1)
			if c.operation == "ListImagePipelines" {
				want = strings.Replace(want, "  ok       imagebuilder:ListImagePipelineImages\n", "  untried  imagebuilder:ListImagePipelineImages (no pipeline is known)\n", 1)
			}
			if c.operation == "ListWaitingWorkflowSteps" {
				want = strings.Replace(want, "  ok       imagebuilder:GetWorkflowStepExecution\n", "  untried  imagebuilder:GetWorkflowStepExecution (no waiting step is known)\n", 1)
			}
			got, ok := run(t, target(t, api, everything(), role))
			if diff := cmp.Diff(want, got); diff != "" || ok != (c.operation == "") {
				t.Errorf("%s: ok %t (-want +got):\n%s", c.operation, ok, diff)
			}
		})
	}
}

// TestOneDenialHidesNoOther denies everything: what the configuration names is asked about
// in every way.
func TestOneDenialHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, role := behindRole(web())
		api.Fault = func(operation, _ string) http.Handler {
			if operation != "AssumeRole" && operation != "GetCallerIdentity" {
				return emulator.Error(403, "AccessDeniedException", "no")
			}
			return nil
		}
		missing := func(operation, resource string) string {
			return "  missing  imagebuilder:" + operation + " on " + resource + " for the role " + role.ARN + "\n"
		}
		want := title + missing("GetWorkflowExecution", account+"workflow-execution/*") +
			missing("ListImagePipelines", "*") +
			"  untried  imagebuilder:ListImagePipelineImages (no pipeline is known)\n" +
			missing("ListImages", "*") +
			missing("ListImageBuildVersions", account+"image/*") +
			missing("GetImage", account+"image/*") +
			missing("ListWorkflowExecutions", account+"image/*") +
			missing("ListWorkflowStepExecutions", account+"workflow-execution/*") +
			missing("ListWaitingWorkflowSteps", "*") +
			"  untried  imagebuilder:GetWorkflowStepExecution (no waiting step is known)\n"
		got, ok := run(t, target(t, api, everything(), role))
		if diff := cmp.Diff(want, got); diff != "" || ok {
			t.Errorf("ok %t (-want +got):\n%s", ok, diff)
		}
	})
}

// TestTheNewestBuildIsTried holds that executions are asked for of the newest build,
// wherever it stands in the list.
func TestTheNewestBuildIsTried(t *testing.T) {
	for newest := range 3 {
		synctest.Test(t, func(t *testing.T) {
			a := web()
			first := a.Images[0]
			a.Images = nil
			for n, name := range []string{"1", "2", "3"} {
				i := first
				i.ARN, i.Attempts = account+"image/web/1.0.0/"+name, nil
				if n == newest {
					i.Created = i.Created.Add(time.Minute)
				}
				a.Images = append(a.Images, i)
			}
			api, role := behindRole(a)
			var asked string
			api.Fault = func(operation, id string) http.Handler {
				if operation == "ListWorkflowExecutions" {
					asked = id
				}
				return nil
			}
			run(t, target(t, api, lookup.Selection{Pipelines: everything().Pipelines}, role))
			if want := a.Images[newest].ARN; asked != want {
				t.Errorf("asked about %q, want %q", asked, want)
			}
		})
	}
}

// TestTheDocs holds the sample of docs/iam.md.
func TestTheDocs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/iam.md")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		api, role := behindRole(web())
		api.Fault = func(operation, _ string) http.Handler {
			if operation == "ListWorkflowStepExecutions" {
				return emulator.Error(403, "AccessDeniedException", "no")
			}
			return nil
		}
		s := everything()
		s.WorkflowExecutions, s.Images, s.ImageSelectors = nil, nil, nil
		got, _ := run(t, target(t, api, s, role))
		got = strings.NewReplacer("credentials from static", "credentials from environment", "role/exporter", "role/imagebuilder-exporter").Replace(got)
		if !strings.Contains(string(doc), "```\n"+got) {
			t.Errorf("docs/iam.md does not have\n%s", got)
		}
	})
}

// TestItIsCheap holds that one page of a list is enough, but for that of the pipelines.
func TestItIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := web()
		for n := range 60 {
			i := a.Images[0]
			i.ARN, i.Attempts = account+"image/web/1.0.0/"+strings.Repeat("1", 1+n), nil
			a.Images = append(a.Images, i)
		}
		api, role := behindRole(a)
		if _, ok := run(t, target(t, api, everything(), role)); !ok {
			t.Error("something is missing")
		}
		for _, operation := range []string{"ListImageBuildVersions", "GetImage", "ListWorkflowExecutions", "ListWorkflowStepExecutions", "GetWorkflowStepExecution"} {
			if n := api.Requests(operation); n != 1 {
				t.Errorf("%d requests of %s, want one", n, operation)
			}
		}
		if n := api.Requests("ListImagePipelineImages"); n != 2 { // the first pipeline has built nothing
			t.Errorf("%d requests of ListImagePipelineImages, want two", n)
		}
	})
}

// TestOneTargetThatHangs holds up no other, and the whole has a bound.
func TestOneTargetThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, role := behindRole(web())
		bad := &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler { return emulator.Hang() }}
		targets := []Request{target(t, bad, everything(), imagebuilder.Role{}), target(t, good, everything(), role)}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		begin := time.Now()
		var out bytes.Buffer
		if Run(ctx, targets, &out) || time.Since(begin) > 15*time.Second {
			t.Errorf("it took %s", time.Since(begin))
		}
		if text := out.String(); !strings.HasSuffix(text, title+operations) || strings.Count(text, "failed ") < 5 {
			t.Errorf("it is printed:\n%s", text)
		}
	})
}
