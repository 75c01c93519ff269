package emulator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const (
	executionID = "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"
	image       = "arn:aws:imagebuilder:eu-west-1:111122223333:image/web-server/1.0.0/1"
)

// anyKey signs requests. The emulator accepts every access key.
var anyKey = credentials.NewStaticCredentialsProvider("AKID", "secret", "")

// newClient returns the SDK's client for an emulator.
func newClient(url string, with aws.CredentialsProvider) *imagebuilder.Client {
	return imagebuilder.New(imagebuilder.Options{Region: "eu-west-1", BaseEndpoint: &url, Credentials: with})
}

// A program's own test: the program asks the emulator with the real client of the SDK.
func Example() {
	begun := time.Now().Add(-time.Hour)
	server := httptest.NewServer(&emulator.API{Scenario: emulator.Runs(emulator.Run{
		ID: executionID, ImageBuildVersionARN: image, Type: "BUILD", Start: begun,
		Steps: []emulator.Step{
			{Name: "LaunchBuildInstance", Action: "LaunchInstance", Takes: time.Minute},
			{Name: "ApplyBuildComponents", Action: "ExecuteComponents", Takes: 10 * time.Minute, Ends: emulator.Failed},
		},
	})})
	defer server.Close()

	out, err := newClient(server.URL, anyKey).GetWorkflowExecution(context.Background(),
		&imagebuilder.GetWorkflowExecutionInput{WorkflowExecutionId: aws.String(executionID)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Status, out.TotalStepsFailed, *out.Message)
	// Output: FAILED 1 Step 'ApplyBuildComponents' failed.
}

// The first request fails. The SDK's client retries it.
func ExampleAPI_fault() {
	var asked atomic.Int32
	api := &emulator.API{
		Scenario: emulator.Runs(),
		Fault: func(operation, _ string) http.Handler {
			if operation == "ListImagePipelines" && asked.Add(1) == 1 {
				return emulator.Error(http.StatusServiceUnavailable, "ServiceUnavailableException", "try again")
			}
			return nil
		},
	}
	server := httptest.NewServer(api)
	defer server.Close()

	_, err := newClient(server.URL, anyKey).ListImagePipelines(context.Background(), &imagebuilder.ListImagePipelinesInput{})
	fmt.Println(err, api.Requests("ListImagePipelines"))
	// Output: <nil> 2
}

// A clock that the test sets: what is answered follows from it.
func ExampleAPI_clock() {
	begun := time.Date(2026, time.September, 9, 19, 0, 0, 0, time.UTC)
	var after atomic.Int64
	server := httptest.NewServer(&emulator.API{
		Now: func() time.Time { return begun.Add(time.Duration(after.Load())) },
		Scenario: emulator.Runs(emulator.Run{
			ID: executionID, ImageBuildVersionARN: image, Start: begun,
			Steps: []emulator.Step{{Name: "Build", Takes: time.Hour}},
		}),
	})
	defer server.Close()

	client := newClient(server.URL, anyKey)
	for _, d := range []time.Duration{-time.Minute, 30 * time.Minute, 2 * time.Hour} {
		after.Store(int64(d))
		out, err := client.GetWorkflowExecution(context.Background(),
			&imagebuilder.GetWorkflowExecutionInput{WorkflowExecutionId: aws.String(executionID)})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(d, out.Status)
	}
	// Output:
	// -1m0s PENDING
	// 30m0s RUNNING
	// 2h0m0s COMPLETED
}

// Two accounts: one that every caller sees, and one behind a role that callers assume.
func ExampleAPI_accounts() {
	const role = "arn:aws:iam::444455556666:role/reader"
	pipeline := func(account, name string) *emulator.Account {
		return &emulator.Account{Pipelines: []emulator.Pipeline{
			{ARN: "arn:aws:imagebuilder:eu-west-1:" + account + ":image-pipeline/" + name},
		}}
	}
	server := httptest.NewServer(&emulator.API{
		Scenario: pipeline("111122223333", "web-server"),
		Roles:    []emulator.Role{{ARN: role, ExternalID: "ci", Scenario: pipeline("444455556666", "database")}},
	})
	defer server.Close()

	service := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: anyKey})
	assumed := aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(service, role, func(o *stscreds.AssumeRoleOptions) {
		o.ExternalID = aws.String("ci")
	}))
	for _, with := range []aws.CredentialsProvider{anyKey, assumed} {
		out, err := newClient(server.URL, with).ListImagePipelines(context.Background(), &imagebuilder.ListImagePipelinesInput{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(*out.ImagePipelineList[0].Name)
	}
	// Output:
	// web-server
	// database
}
