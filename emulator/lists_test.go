package emulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

const inEurope = "arn:aws:imagebuilder:eu-west-1:111122223333:"

// manyThings has 60 pipelines, 60 images of the first, and 60 executions of the first
// image, each with 30 steps, the last of which waits.
func manyThings() *Account {
	a := &Account{}
	steps := make([]Step, 30)
	steps[29] = Step{Name: "Approve", Takes: time.Hour, Waits: true}
	for n := range 60 {
		a.Pipelines = append(a.Pipelines, Pipeline{ARN: fmt.Sprintf("%simage-pipeline/p%d", inEurope, n), Disabled: n%2 == 1})
		a.Images = append(a.Images, Image{
			ARN: fmt.Sprintf("%simage/web/1.%d.0/%d", inEurope, n/10, n%10+1), PipelineARN: a.Pipelines[0].ARN,
			Created: start.Add(time.Duration(-n) * time.Hour),
		})
		a.Runs = append(a.Runs, Run{ID: runID(1, "many", n), ImageBuildVersionARN: a.Images[0].ARN, Start: start, Steps: steps})
	}
	return a
}

func TestEveryListIsFoundExactlyOnce(t *testing.T) {
	account := manyThings()
	for _, api := range []*API{{}, {PageSize: 7}, {PageSize: 100}, {Unruly: 1}, {Unruly: 2, PageSize: 3}} {
		t.Run(fmt.Sprint(api.PageSize, api.Unruly), func(t *testing.T) {
			api.Scenario, api.Now = account, func() time.Time { return start }
			client := newSDK(t, api, "eu-west-1")
			lists := map[string][]string{}
			for name := range allPipelines(t, client) {
				lists["pipelines"] = append(lists["pipelines"], name)
			}
			for _, i := range allPipelineImages(t, client, account.Pipelines[0].ARN) {
				lists["images"] = append(lists["images"], *i.Arn)
			}
			for _, i := range allBuilds(t, client, inEurope+"image/web/x.x.x") {
				lists["builds"] = append(lists["builds"], *i.Arn)
			}
			for _, e := range allExecutions(t, client, account.Images[0].ARN) {
				lists["executions"] = append(lists["executions"], *e.WorkflowExecutionId)
			}
			for p := imagebuilder.NewListWaitingWorkflowStepsPaginator(client, &imagebuilder.ListWaitingWorkflowStepsInput{}); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range out.Steps {
					lists["waiting"] = append(lists["waiting"], *s.StepExecutionId)
				}
			}
			steps := &imagebuilder.ListWorkflowStepExecutionsInput{WorkflowExecutionId: &account.Runs[0].ID}
			for p := imagebuilder.NewListWorkflowStepExecutionsPaginator(client, steps); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range out.Steps {
					lists["steps"] = append(lists["steps"], *s.StepExecutionId)
				}
			}
			for name, want := range map[string]int{"pipelines": 60, "images": 60, "builds": 60, "executions": 60, "waiting": 60, "steps": 30} {
				slices.Sort(lists[name])
				if got := len(slices.Compact(lists[name])); got != want || len(lists[name]) != want {
					t.Errorf("%s: %d different ones among %d, want %d", name, got, len(lists[name]), want)
				}
			}
		})
	}
}

func TestUnrulyPages(t *testing.T) {
	account := manyThings()
	pages := func(api *API) (sizes []int, arns []string) {
		api.Scenario, api.Now = account, func() time.Time { return start }
		client := newSDK(t, api, "eu-west-1")
		in := &imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: &account.Pipelines[0].ARN}
		for p := imagebuilder.NewListImagePipelineImagesPaginator(client, in); p.HasMorePages(); {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(out.ImageSummaryList))
			for _, i := range out.ImageSummaryList {
				arns = append(arns, *i.Arn)
			}
		}
		return sizes, arns
	}
	sizes, arns := pages(&API{})
	if diff := cmp.Diff([]int{25, 25, 10}, sizes); diff != "" || arns[0] != account.Images[0].ARN {
		t.Errorf("the newest is %s, pages (-want +got):\n%s", arns[0], diff)
	}
	sizes, unruly := pages(&API{Unruly: 1})
	if sizes[0] != 0 || slices.Equal(sizes[slices.IndexFunc(sizes, func(n int) bool { return n > 0 }):], []int{25, 25, 10}) {
		t.Errorf("pages of %v, want empty ones in front of and between the others", sizes)
	}
	_, again := pages(&API{Unruly: 1})
	_, other := pages(&API{Unruly: 2})
	if slices.Equal(arns, unruly) || !slices.Equal(unruly, again) || slices.Equal(unruly, other) {
		t.Error("the order does not follow from the seed")
	}
}

func TestTokens(t *testing.T) {
	account := manyThings()
	now := start
	api := &API{Scenario: account, Now: func() time.Time { return now }}
	client := newSDK(t, api, "eu-west-1")
	images := func(pipeline int, token *string) (*imagebuilder.ListImagePipelineImagesOutput, error) {
		return client.ListImagePipelineImages(t.Context(), &imagebuilder.ListImagePipelineImagesInput{
			ImagePipelineArn: &account.Pipelines[pipeline].ARN, NextToken: token, MaxResults: aws.Int32(10),
		})
	}
	first, err := images(0, nil)
	if err != nil || len(first.ImageSummaryList) != 10 {
		t.Fatalf("the first page: %+v, %v", first, err)
	}
	_, err = images(1, first.NextToken)
	if code(err) != "InvalidPaginationTokenException" {
		t.Errorf("a token of another list: %v", err)
	}
	_, err = images(0, aws.String(*first.NextToken+"x"))
	if code(err) != "InvalidPaginationTokenException" {
		t.Errorf("a token that is none: %v", err)
	}
	now = start.Add(time.Hour)
	if _, err = images(0, first.NextToken); err != nil {
		t.Errorf("after an hour: %v", err)
	}
	now = now.Add(1)
	if _, err = images(0, first.NextToken); code(err) != "InvalidPaginationTokenException" {
		t.Errorf("after more than an hour: %v", err)
	}
}

func TestFilters(t *testing.T) {
	client := newSDK(t, &API{Scenario: manyThings(), Now: func() time.Time { return start }}, "eu-west-1")
	filter := func(name string, values ...string) []types.Filter {
		return []types.Filter{{Name: &name, Values: values}}
	}
	for _, c := range []struct {
		filters []types.Filter
		want    int
	}{
		{filter("status", "DISABLED"), 25},
		{filter("name", "p3", "p4", "p99"), 2},
		{filter("name", "P3"), 0},
		{filter("description", "x"), 0},
		{filter("imageRecipeArn", inEurope+"image-recipe/p3/1.0.0"), 1},
		{filter("color", "x"), -1},
	} {
		out, err := client.ListImagePipelines(t.Context(), &imagebuilder.ListImagePipelinesInput{Filters: c.filters})
		if c.want < 0 && code(err) != "InvalidParameterValueException" || c.want >= 0 && (err != nil || len(out.ImagePipelineList) != c.want) {
			t.Errorf("pipelines with %s of %v: %+v, %v", *c.filters[0].Name, c.filters[0].Values, out, err)
		}
	}
	for _, c := range []struct {
		version string
		filters []types.Filter
		want    int
	}{
		{"1.4.0", nil, 10},
		{"1.4.x", nil, 10},
		{"1.x.x", filter("version", "1.2.0"), 10},
		{"x.x.x", filter("version", "1.2.0/3"), 1},
		{"1.0.0", filter("platform", "Windows"), 0},
		{"1.0.0", filter("type", "AMI"), 10},
		{"1.0.0", filter("name", "web"), 10},
	} {
		out, err := client.ListImageBuildVersions(t.Context(), &imagebuilder.ListImageBuildVersionsInput{
			ImageVersionArn: aws.String(inEurope + "image/web/" + c.version), Filters: c.filters,
		})
		if err != nil || len(out.ImageSummaryList) != c.want {
			t.Errorf("builds of %s: %+v, %v", c.version, out, err)
		}
	}
}

func TestRefusalsOfTheOtherOperations(t *testing.T) {
	client := newSDK(t, &API{Scenario: manyThings(), Now: func() time.Time { return start }}, "eu-west-1")
	elsewhere := newSDK(t, &API{Scenario: manyThings(), Now: func() time.Time { return start }}, "us-east-1")
	ctx := t.Context()
	calls := map[string]func(c *imagebuilder.Client, arg string) error{
		"GetWorkflowExecution": func(c *imagebuilder.Client, arg string) error {
			_, err := c.GetWorkflowExecution(ctx, &imagebuilder.GetWorkflowExecutionInput{WorkflowExecutionId: &arg})
			return err
		},
		"ListWorkflowExecutions": func(c *imagebuilder.Client, arg string) error {
			_, err := c.ListWorkflowExecutions(ctx, &imagebuilder.ListWorkflowExecutionsInput{ImageBuildVersionArn: &arg})
			return err
		},
		"ListWorkflowStepExecutions": func(c *imagebuilder.Client, arg string) error {
			_, err := c.ListWorkflowStepExecutions(ctx, &imagebuilder.ListWorkflowStepExecutionsInput{WorkflowExecutionId: &arg})
			return err
		},
		"GetWorkflowStepExecution": func(c *imagebuilder.Client, arg string) error {
			_, err := c.GetWorkflowStepExecution(ctx, &imagebuilder.GetWorkflowStepExecutionInput{StepExecutionId: &arg})
			return err
		},
		"ListImagePipelineImages": func(c *imagebuilder.Client, arg string) error {
			_, err := c.ListImagePipelineImages(ctx, &imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: &arg})
			return err
		},
		"ListImageBuildVersions": func(c *imagebuilder.Client, arg string) error {
			_, err := c.ListImageBuildVersions(ctx, &imagebuilder.ListImageBuildVersionsInput{ImageVersionArn: &arg})
			return err
		},
		"GetImage": func(c *imagebuilder.Client, arg string) error {
			_, err := c.GetImage(ctx, getImage(arg))
			return err
		},
	}
	run := Run{ID: runID(1, "many", 0)}
	good := map[string]string{
		"GetWorkflowExecution": run.ID, "ListWorkflowStepExecutions": run.ID, "GetWorkflowStepExecution": run.StepID(0),
		"ListWorkflowExecutions": inEurope + "image/web/1.0.0/1", "GetImage": inEurope + "image/web/1.0.0/1",
		"ListImagePipelineImages": inEurope + "image-pipeline/p0", "ListImageBuildVersions": inEurope + "image/web/1.0.0",
	}
	for operation, call := range calls {
		arg := good[operation]
		missing := strings.NewReplacer(run.ID[:6], "wf-000", "step-", "step-", "web", "nowhere", "/p0", "/p99").Replace(arg)
		if strings.HasPrefix(arg, "step-") {
			missing = arg[:len(arg)-12] + "000000000000"
		}
		if err := call(client, arg); err != nil {
			t.Errorf("%s: %v", operation, err)
		}
		for name, got := range map[string]error{"unknown": call(client, missing), "in another region": call(elsewhere, arg)} {
			if code(got) != "ResourceNotFoundException" {
				t.Errorf("%s, %s: %v", operation, name, got)
			}
		}
		for _, bad := range []string{"nonsense", ""} {
			if got := call(client, bad); code(got) != "InvalidParameterValueException" {
				t.Errorf("%s, %q: %v", operation, bad, got)
			}
		}
	}
	for _, n := range []int32{0, 26} {
		if _, err := client.ListImagePipelines(ctx, &imagebuilder.ListImagePipelinesInput{MaxResults: &n}); code(err) != "InvalidParameterValueException" {
			t.Errorf("%d results: %v", n, err)
		}
	}
	if n := len(allPipelines(t, elsewhere)); n > 0 {
		t.Errorf("%d pipelines in another region", n)
	}
}

// TestAccountsOfImages asks for the builds of images that AWS owns, or nobody.
func TestAccountsOfImages(t *testing.T) {
	for account, want := range map[string]bool{
		"aws": true, "aws-marketplace": true, "aws-cn-marketplace": true, "awsx": false, "aws-": false, "aws1": false,
	} {
		image := "arn:aws:imagebuilder:eu-west-1:" + account + ":image/web/1.0.0"
		client := newSDK(t, &API{Scenario: &Account{Images: []Image{{ARN: image + "/1"}}}}, "eu-west-1")
		out, err := client.ListImageBuildVersions(t.Context(), &imagebuilder.ListImageBuildVersionsInput{ImageVersionArn: &image})
		if got := err == nil && len(out.ImageSummaryList) == 1; got != want {
			t.Errorf("%s: %v", image, err)
		}
	}
}
