package emulator

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// found are the reads that find something in the scenario of these tests, beside most lists.
var found = map[string]bool{
	"GetImage": true, "GetImagePipeline": true, "GetImageRecipe": true, "GetInfrastructureConfiguration": true,
	"GetWorkflowExecution": true, "GetWorkflowStepExecution": true,
}

// newReads returns a client of an API with one pipeline, image, execution and step.
func newReads(t *testing.T) *imagebuilder.Client {
	t.Helper()
	run := Run{ID: testID, Start: start, Steps: []Step{{Name: "Launch", Takes: time.Minute}}}
	return newSDK(t, &API{Now: func() time.Time { return start }, Scenario: &Account{
		Pipelines: []Pipeline{{ARN: testPipeline, Tags: map[string]string{"team": "web"}}},
		Images:    []Image{{ARN: testImage, PipelineARN: testPipeline, Tags: map[string]string{"team": "base"}, Attempts: []Attempt{{Runs: []Run{run}}}}},
	}}, "eu-west-1")
}

// reads calls visit with each method of the SDK's client that begins with Get or List.
func reads(visit func(name string, input reflect.Type)) {
	client := reflect.TypeFor[*imagebuilder.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if strings.HasPrefix(m.Name, "Get") || strings.HasPrefix(m.Name, "List") {
			visit(m.Name, m.Type.In(2).Elem())
		}
	}
}

// parameters has a good value for each parameter of a read.
var parameters = map[string]string{
	"ComponentArn":                   inEurope + "component/harden/1.0.0/1",
	"ComponentBuildVersionArn":       inEurope + "component/harden/1.0.0/1",
	"ContainerRecipeArn":             inEurope + "container-recipe/base/1.0.0",
	"DistributionConfigurationArn":   inEurope + "distribution-configuration/everywhere",
	"ImageArn":                       testImage,
	"ImageBuildVersionArn":           testImage,
	"ImagePipelineArn":               testPipeline,
	"ImageRecipeArn":                 inEurope + "image-recipe/web-server/1.0.0",
	"ImageVersionArn":                testVersion,
	"InfrastructureConfigurationArn": inEurope + "infrastructure-configuration/web-server",
	"LifecycleExecutionId":           "lce-" + testID[3:],
	"LifecyclePolicyArn":             inEurope + "lifecycle-policy/old",
	"ResourceArn":                    testPipeline,
	"ResourceType":                   "COMPONENT_DATA",
	"StepExecutionId":                Run{ID: testID}.StepID(0),
	"WorkflowBuildVersionArn":        inEurope + "workflow/build/mine/1.0.0/1",
	"WorkflowExecutionId":            testID,
}

// call calls a read of the SDK's client. set gives each parameter of its input a value; "" leaves
// it alone.
func call(t *testing.T, client *imagebuilder.Client, name string, set func(field string) string) error {
	t.Helper()
	method := reflect.ValueOf(client).MethodByName(name)
	input := reflect.New(method.Type().In(1).Elem())
	for i := range input.Elem().NumField() {
		field, value := input.Elem().Field(i), set(input.Elem().Type().Field(i).Name)
		switch {
		case value == "":
		case field.Kind() == reflect.String:
			field.SetString(value)
		case field.Type() == reflect.TypeFor[*int32]():
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			field.Set(reflect.ValueOf(aws.Int32(int32(n))))
		default:
			field.Set(reflect.ValueOf(&value))
		}
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
	err, _ := out[1].Interface().(error)
	return err
}

func TestEveryReadIsAnswered(t *testing.T) {
	client := newReads(t)
	n := 0
	reads(func(name string, _ reflect.Type) {
		n++
		want := "ResourceNotFoundException"
		if found[name] || strings.HasPrefix(name, "List") && name != "ListLifecycleExecutionResources" {
			want = ""
		}
		err := call(t, client, name, func(field string) string { return parameters[field] })
		if got := code(err); got != want || (err != nil) != (want != "") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if e, ok := errors.AsType[smithy.APIError](err); ok && !strings.HasSuffix(e.ErrorMessage(), " does not exist.") {
			t.Errorf("%s: the message is %q", name, e.ErrorMessage())
		}
	})
	if n < 39 {
		t.Errorf("%d reads were called, want at least 39", n)
	}
}

// TestEveryReadChecksItsParameters gives each read a parameter of the wrong form, and each list a
// wrong page.
func TestEveryReadChecksItsParameters(t *testing.T) {
	client := newReads(t)
	reads(func(name string, input reflect.Type) {
		with := func(wrong, value string) func(string) string {
			return func(field string) string {
				if field == wrong {
					return value
				}
				return parameters[field]
			}
		}
		for i := range input.NumField() {
			switch field := input.Field(i).Name; {
			case field == "NextToken":
				if err := call(t, client, name, with(field, "x")); code(err) != "InvalidPaginationTokenException" {
					t.Errorf("%s, a token that is none: %v", name, err)
				}
			case field == "MaxResults" && name != "ListLifecycleExecutionResources":
				if err := call(t, client, name, with(field, "26")); code(err) != "InvalidParameterValueException" {
					t.Errorf("%s, too many rows: %v", name, err)
				}
			case parameters[field] == "" || field == "ResourceType" || strings.HasPrefix(name, "ListLifecycleExecutions"):
			default:
				if err := call(t, client, name, with(field, "wrong")); code(err) != "InvalidParameterValueException" {
					t.Errorf("%s, a wrong %s: %v", name, field, err)
				}
			}
		}
	})
}

func TestTagsOfResources(t *testing.T) {
	client := newReads(t)
	for _, c := range []struct {
		name, arn, code string
		want            map[string]string
	}{
		{"a pipeline", testPipeline, "", map[string]string{"team": "web"}},
		{"an image", testImage, "", map[string]string{"team": "base"}},
		{"a version of an image, which has none of its own", testVersion, "ResourceNotFoundException", nil},
		{"what is not there", inEurope + "image-pipeline/other", "ResourceNotFoundException", nil},
		{"what is in another region", strings.Replace(testPipeline, "eu-west-1", "us-east-1", 1), "ResourceNotFoundException", nil},
	} {
		out, err := client.ListTagsForResource(t.Context(), &imagebuilder.ListTagsForResourceInput{ResourceArn: &c.arn})
		if code(err) != c.code || (err != nil) != (c.code != "") {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
			continue
		}
		if err == nil && cmp.Diff(c.want, out.Tags) != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, cmp.Diff(c.want, out.Tags))
		}
	}
}

// TestWhatAPipelineNames reads a pipeline, and then its recipe and its infrastructure.
func TestWhatAPipelineNames(t *testing.T) {
	client := newReads(t)
	out, err := client.GetImagePipeline(t.Context(), &imagebuilder.GetImagePipelineInput{ImagePipelineArn: aws.String(testPipeline)})
	if err != nil {
		t.Fatal(err)
	}
	p := out.ImagePipeline
	recipe, err := client.GetImageRecipe(t.Context(), &imagebuilder.GetImageRecipeInput{ImageRecipeArn: p.ImageRecipeArn})
	if err != nil || *recipe.ImageRecipe.Arn != *p.ImageRecipeArn || *recipe.ImageRecipe.Version != "1.0.0" {
		t.Errorf("the recipe: %+v, %v", recipe, err)
	}
	infra, err := client.GetInfrastructureConfiguration(t.Context(), &imagebuilder.GetInfrastructureConfigurationInput{
		InfrastructureConfigurationArn: p.InfrastructureConfigurationArn,
	})
	if err != nil || *infra.InfrastructureConfiguration.Arn != *p.InfrastructureConfigurationArn {
		t.Errorf("the infrastructure: %+v, %v", infra, err)
	}
	for _, c := range []struct {
		name   string
		owner  types.Ownership
		filter string
		want   int
	}{
		{"all", "", "", 1},
		{"those of the account", types.OwnershipSelf, "", 1},
		{"those of Amazon", types.OwnershipAmazon, "", 0},
		{"those of a name", "", "web-server", 1},
		{"those of another name", "", "other", 0},
	} {
		in := &imagebuilder.ListImageRecipesInput{Owner: c.owner}
		if c.filter != "" {
			in.Filters = []types.Filter{{Name: aws.String("name"), Values: []string{c.filter}}}
		}
		out, err := client.ListImageRecipes(t.Context(), in)
		if err != nil || len(out.ImageRecipeSummaryList) != c.want {
			t.Errorf("%s: %+v, %v, want %d recipes", c.name, out, err, c.want)
		}
	}
}
