package check

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

func TestWhoIsToldOf(t *testing.T) {
	const user = "arn:aws:iam::111122223333:user/emulator"
	denied := func(string, string) http.Handler { return emulator.Error(403, "AccessDeniedException", "no") }
	ids, pipelines := lookup.Selection{WorkflowExecutions: []string{id}}, lookup.Selection{Pipelines: everything().Pipelines}
	answering := func(operation string, with http.Handler) func(*emulator.API, *imagebuilder.Role) {
		return func(api *emulator.API, _ *imagebuilder.Role) {
			api.Fault = func(o, _ string) http.Handler {
				if o == operation {
					return with
				}
				return nil
			}
		}
	}
	const anotherService = ": credentials from static, the role " + role + `
  failed   imagebuilder:ListImagePipelines (the answer did not come from Image Builder; check endpoint_url and proxies)
  untried  imagebuilder:ListImagePipelineImages (no pipeline is known)
  untried  imagebuilder:GetImage (no build is known)
  untried  imagebuilder:ListWorkflowExecutions (no build is known)
`
	for _, c := range []struct {
		name string
		with func(api *emulator.API, role *imagebuilder.Role)
		s    lookup.Selection
		ok   bool
		want string
	}{
		{
			"no role", func(_ *emulator.API, role *imagebuilder.Role) { *role = imagebuilder.Role{} }, ids, true,
			": credentials from static, " + user + "\n  ok       imagebuilder:GetWorkflowExecution (but AWS rejected the request; does the resource exist?)\n",
		},
		{
			"no role, denied, and STS is, too", func(api *emulator.API, role *imagebuilder.Role) { *role, api.Fault = imagebuilder.Role{}, denied }, ids, false,
			": credentials from static, identity unknown (" + deniedSentence + ")\n  missing  imagebuilder:GetWorkflowExecution on arn:aws:imagebuilder:eu-west-1:*:workflow-execution/* for these credentials\n",
		},
		{
			"wrong external id", func(_ *emulator.API, role *imagebuilder.Role) { role.ExternalID = "very-wrong" }, ids, false,
			": credentials from static\n  missing  sts:AssumeRole on " + role + " for " + user + "; or the trust policy of the role does not allow it, or requires another external_id\n",
		},
		{
			"the role is denied, and STS does not say to whom", func(api *emulator.API, _ *imagebuilder.Role) { api.Fault = denied }, ids, false,
			": credentials from static\n  missing  sts:AssumeRole on " + role + " for these credentials, identity unknown (" + deniedSentence + "); or the trust policy of the role does not allow it, or requires another external_id\n",
		},
		{"STS is down", func(api *emulator.API, _ *imagebuilder.Role) {
			api.Fault = func(string, string) http.Handler { return emulator.Error(503, "ServiceUnavailable", "") }
		}, ids, false, ": credentials from static\n  failed   sts:AssumeRole on " + role + " (STS failed with ServiceUnavailable; try again)\n"},
		{"Image Builder is down", func(api *emulator.API, _ *imagebuilder.Role) {
			api.Fault = func(operation, _ string) http.Handler {
				if operation == "GetWorkflowExecution" {
					return emulator.Hang()
				}
				return nil
			}
		}, ids, false, ": credentials from static, the role " + role + "\n  failed   imagebuilder:GetWorkflowExecution\n"},
		{
			"the role's own account, when STS does not tell", func(api *emulator.API, _ *imagebuilder.Role) {
				api.Fault = func(operation, _ string) http.Handler {
					if operation != "AssumeRole" {
						return emulator.Error(403, "AccessDeniedException", "no")
					}
					return nil
				}
			}, ids, false,
			": credentials from static, the role " + role + "\n  missing  imagebuilder:GetWorkflowExecution on " + account + "workflow-execution/* for the role " + role + "\n",
		},
		{
			"throttled", func(api *emulator.API, _ *imagebuilder.Role) {
				api.Fault = func(operation, _ string) http.Handler {
					if operation == "GetWorkflowExecution" {
						return emulator.Error(429, "TooManyRequestsException", "no")
					}
					return nil
				}
			}, ids, false,
			": credentials from static, the role " + role + "\n  failed   imagebuilder:GetWorkflowExecution\n",
		},
		{
			"a request that is refused as a bad one is one that is allowed", func(api *emulator.API, _ *imagebuilder.Role) {
				api.Fault = func(operation, _ string) http.Handler {
					if operation == "GetWorkflowExecution" {
						return emulator.Error(400, "InvalidRequestException", "no")
					}
					return nil
				}
			},
			lookup.Selection{WorkflowExecutions: ids.WorkflowExecutions, Steps: lookup.StepsAll},
			true,
			": credentials from static, the role " + role + `
  ok       imagebuilder:GetWorkflowExecution (but AWS rejected the request; does the resource exist?)
  untried  imagebuilder:ListWorkflowStepExecutions (no execution is known)
`,
		},
		{
			"another service does not know the route",
			answering("ListImagePipelines", emulator.Body(404, "application/json", `{"message":"no Route matched with those values"}`)),
			pipelines, false, anotherService,
		},
		{
			"another service does not know the operation",
			answering("ListImagePipelines", emulator.Error(404, "UnknownOperationException", "no")),
			pipelines, false, anotherService,
		},
		{
			"another service finds the request bad",
			answering("ListImagePipelines", emulator.Error(400, "ValidationException", "no")),
			pipelines, false, anotherService,
		},
		{
			"another service is asked for steps that wait",
			answering("ListWaitingWorkflowSteps", emulator.Body(404, "application/json", `{"message":"no Route matched with those values"}`)),
			lookup.Selection{WorkflowExecutions: ids.WorkflowExecutions, Waiting: true},
			false,
			": credentials from static, the role " + role + `
  ok       imagebuilder:GetWorkflowExecution
  failed   imagebuilder:ListWaitingWorkflowSteps (the answer did not come from Image Builder; check endpoint_url and proxies)
  untried  imagebuilder:GetWorkflowStepExecution (no waiting step is known)
`,
		},
		{
			"another service is asked for an execution",
			answering("GetWorkflowExecution", emulator.Error(404, "UnknownOperationException", "no")),
			ids, false,
			": credentials from static, the role " + role + "\n  failed   imagebuilder:GetWorkflowExecution (the answer did not come from Image Builder; check endpoint_url and proxies)\n",
		},
		{
			"nothing is there", func(api *emulator.API, _ *imagebuilder.Role) { api.Roles[0].Scenario = &emulator.Account{} },
			lookup.Selection{Pipelines: everything().Pipelines, Images: everything().Images[:1], Steps: lookup.StepsAll},
			false,
			": credentials from static, the role " + role + `
  ok       imagebuilder:ListImagePipelines
  untried  imagebuilder:ListImagePipelineImages (no pipeline matches)
  ok       imagebuilder:ListImageBuildVersions (but AWS rejected the request; does the resource exist?)
  untried  imagebuilder:GetImage (no build is known)
  untried  imagebuilder:ListWorkflowExecutions (no build is known)
  untried  imagebuilder:ListWorkflowStepExecutions (no execution is known)
  failed   selector "name=.*" (no match among 0 pipelines in eu-west-1)
`,
		},
		{
			"a selector that matches nothing", func(*emulator.API, *imagebuilder.Role) {},
			lookup.Selection{Pipelines: []lookup.Selector{{Name: regexp.MustCompile("^web$")}, {Tags: map[string]string{"a": "b"}, Text: "tag:a=b"}}},
			false,
			": credentials from static, the role " + role + `
  ok       imagebuilder:ListImagePipelines
  ok       imagebuilder:ListImagePipelineImages
  ok       imagebuilder:GetImage
  ok       imagebuilder:ListWorkflowExecutions
  failed   selector "tag:a=b" (no match among 2 pipelines in eu-west-1)
`,
		},
		{
			"selectors of images, of which one matches nothing", func(*emulator.API, *imagebuilder.Role) {},
			lookup.Selection{ImageSelectors: []lookup.Selector{{Name: regexp.MustCompile("^web$"), Text: "name=web"}, {Name: regexp.MustCompile("^x$"), Text: "name=x"}}},
			false,
			": credentials from static, the role " + role + `
  ok       imagebuilder:ListImages
  ok       imagebuilder:ListImageBuildVersions
  ok       imagebuilder:GetImage
  ok       imagebuilder:ListWorkflowExecutions
  failed   selector "name=x" (no match among 1 image in eu-west-1)
`,
		},
		{
			"no image is there", func(api *emulator.API, _ *imagebuilder.Role) { api.Roles[0].Scenario = &emulator.Account{} },
			lookup.Selection{ImageSelectors: []lookup.Selector{{Text: "name=.*"}}},
			false,
			": credentials from static, the role " + role + `
  ok       imagebuilder:ListImages
  untried  imagebuilder:ListImageBuildVersions (no image matches)
  untried  imagebuilder:GetImage (no build is known)
  untried  imagebuilder:ListWorkflowExecutions (no build is known)
  failed   selector "name=.*" (no match among 0 images in eu-west-1)
`,
		},
		{
			"another service does not know images",
			answering("ListImages", emulator.Error(404, "UnknownOperationException", "no")),
			lookup.Selection{ImageSelectors: []lookup.Selector{{Text: "name=.*"}}},
			false,
			": credentials from static, the role " + role + `
  failed   imagebuilder:ListImages (the answer did not come from Image Builder; check endpoint_url and proxies)
  untried  imagebuilder:ListImageBuildVersions (no image is known)
  untried  imagebuilder:GetImage (no build is known)
  untried  imagebuilder:ListWorkflowExecutions (no build is known)
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, role := behindRole(web())
				c.with(api, &role)
				got, ok := run(t, target(t, api, c.s, role))
				if diff := cmp.Diff("golden-images, eu-west-1"+c.want, got); diff != "" || ok != c.ok {
					t.Errorf("ok %t (-want +got):\n%s", ok, diff)
				}
			})
		})
	}
}

// TestASelectorOfAnotherRegion holds that a selector has to match in one region of a target
// only, and that a region that does not tell may have its pipelines.
func TestASelectorOfAnotherRegion(t *testing.T) {
	other := lookup.Selection{Pipelines: []lookup.Selector{{Name: regexp.MustCompile("^other$"), Text: "name=other"}}}
	for _, c := range []struct {
		name   string
		second string // the pipeline of the other region; empty when that is down
		ok     bool
		want   string
	}{
		{"the other region has it", "other", true, "  untried  selector"},
		{"nor has the other region", "third", false, "  failed   selector"},
		{"the other region does not tell", "", false, "  untried  selector"},
	} {
		synctest.Test(t, func(t *testing.T) {
			first, role := behindRole(web())
			second, _ := behindRole(&emulator.Account{Pipelines: []emulator.Pipeline{{ARN: account + "image-pipeline/" + c.second}}})
			if c.second == "" {
				second.Fault = func(string, string) http.Handler { return emulator.Error(503, "ServiceUnavailable", "") }
			}
			got, ok := run(t, target(t, first, other, role), target(t, second, other, role))
			if !strings.Contains(got, c.want+` "name=other" (no match among 2 pipelines in eu-west-1)`) || ok != c.ok {
				t.Errorf("%s: ok %t, it is printed:\n%s", c.name, ok, got)
			}
		})
	}
}

// TestNoCredentials tries nothing but the credentials.
func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	const sentence = " (no usable credentials were found; set them in the environment, a profile or a role of this machine)\n"
	for _, c := range []struct {
		name string
		role imagebuilder.Role
		want string
	}{
		{"without a role", imagebuilder.Role{}, "  failed   credentials" + sentence},
		{"with a role", imagebuilder.Role{ARN: role}, "  failed   credentials to assume " + role + sentence},
	} {
		client, err := imagebuilder.NewClient(t.Context(), imagebuilder.ClientConfig{
			Target: "golden-images", Region: "eu-west-1", EndpointURL: "http://emulator", Role: c.role,
			Limits:  imagebuilder.Limits{Concurrency: 10, Burst: 1, Timeout: 10 * time.Second},
			Metrics: imagebuilder.NewMetrics(prometheus.NewRegistry()),
		})
		if err != nil {
			t.Fatal(err)
		}
		got, ok := run(t, Request{Name: "golden-images", Region: "eu-west-1", Selection: everything(), Client: client, Role: c.role})
		if diff := cmp.Diff("golden-images, eu-west-1: credentials from instance metadata\n"+c.want, got); diff != "" || ok {
			t.Errorf("%s: ok %t (-want +got):\n%s", c.name, ok, diff)
		}
	}
}
