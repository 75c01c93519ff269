package emulator

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// twoAccounts has a pipeline in the caller's account, and others behind two roles.
func twoAccounts() *API {
	account := func(id, name string) *Account {
		return &Account{Pipelines: []Pipeline{{ARN: "arn:aws:imagebuilder:eu-west-1:" + id + ":image-pipeline/" + name}}}
	}
	return &API{
		Scenario: account("111122223333", "own"),
		Roles: []Role{
			{ARN: "arn:aws:iam::444455556666:role/exporter", ExternalID: "secret", Scenario: account("444455556666", "theirs")},
			{ARN: "arn:aws:iam::777788889999:role/open", Scenario: account("777788889999", "open")},
		},
		// A clock of the past, for the credentials must not depend on it.
		Now: func() time.Time { return start.AddDate(-10, 0, 0) },
	}
}

func TestARoleSeesAnotherAccount(t *testing.T) {
	api := twoAccounts()
	if _, ok := allPipelines(t, newSDK(t, api, "eu-west-1"))["own"]; !ok {
		t.Error("the caller does not see its own account")
	}
	theirs := assumed(t, api, "eu-west-1", api.Roles[0].ARN, "secret")
	for range 3 {
		if all := allPipelines(t, theirs); len(all) != 1 || *all["theirs"].Arn != api.Roles[0].Scenario.ImagePipelines(start)[0].ARN {
			t.Errorf("the role sees %v", all)
		}
	}
	if got := api.Requests("AssumeRole"); got != 1 {
		t.Errorf("the role was assumed %d times, want once", got)
	}
	if _, ok := allPipelines(t, assumed(t, api, "eu-west-1", api.Roles[1].ARN, ""))["open"]; !ok {
		t.Error("a role without an external id does not see its account")
	}
}

func TestARoleIsDenied(t *testing.T) {
	api := twoAccounts()
	for name, c := range map[string]struct{ role, externalID string }{
		"wrong external id": {api.Roles[0].ARN, "wrong"},
		"no external id":    {api.Roles[0].ARN, ""},
		"unknown role":      {"arn:aws:iam::444455556666:role/unknown", "secret"},
	} {
		_, err := assumed(t, api, "eu-west-1", c.role, c.externalID).ListImagePipelines(t.Context(), &imagebuilder.ListImagePipelinesInput{})
		if code(err) != "AccessDenied" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheCredentialsOfARole(t *testing.T) {
	api := twoAccounts()
	r := &api.Roles[0]
	list := func(key, token string) error {
		client := newSDKWith(pipe(t, api), "eu-west-1", credentials.NewStaticCredentialsProvider(key, "secret", token))
		_, err := client.ListImagePipelines(t.Context(), &imagebuilder.ListImagePipelinesInput{})
		return err
	}
	good, old := r.accessKey(time.Now().Add(time.Hour)), r.accessKey(time.Now().Add(-time.Second))
	if err := list(good, r.sessionToken(good)); err != nil {
		t.Error(err)
	}
	if err := list(old, r.sessionToken(old)); code(err) != "ExpiredTokenException" {
		t.Errorf("after their end: %v", err)
	}
	if err := list(good, "x"); code(err) != "UnrecognizedClientException" {
		t.Errorf("with another session token: %v", err)
	}
}

func TestWhoTheCallerIs(t *testing.T) {
	api := twoAccounts()
	r := &api.Roles[0]
	identity := func(key, token string) (*sts.GetCallerIdentityOutput, error) {
		client := sts.New(sts.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String("http://sts"), HTTPClient: pipe(t, api), Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(key, "secret", token),
		})
		return client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	}
	good, old := r.accessKey(time.Now().Add(time.Hour)), r.accessKey(time.Now().Add(-time.Second))
	for _, c := range []struct{ name, key, token, arn, account string }{
		{"no role", "AKID", "", "arn:aws:iam::111122223333:user/emulator", "111122223333"},
		{"a role", good, r.sessionToken(good), "arn:aws:sts::444455556666:assumed-role/exporter/emulator", "444455556666"},
	} {
		out, err := identity(c.key, c.token)
		if err != nil || aws.ToString(out.Arn) != c.arn || aws.ToString(out.Account) != c.account || aws.ToString(out.UserId) == "" {
			t.Errorf("%s: %+v, %v", c.name, out, err)
		}
	}
	api.AccountID = "222233334444"
	if out, err := identity("AKID", ""); err != nil || *out.Account != api.AccountID || *out.Arn != "arn:aws:iam::222233334444:user/emulator" {
		t.Errorf("no role, in another account: %+v, %v", out, err)
	}
	if _, err := identity(old, r.sessionToken(old)); code(err) != "ExpiredTokenException" {
		t.Errorf("a role after the end of its credentials: %v", err)
	}
}

func TestWhatAFaultSees(t *testing.T) {
	api := twoAccounts()
	type call struct{ Operation, ID string }
	var got []call
	denied := ""
	api.Fault = func(operation, id string) http.Handler {
		got = append(got, call{operation, id})
		if operation == denied {
			return Error(http.StatusForbidden, "AccessDenied", "no")
		}
		return nil
	}
	ctx, client := context.Background(), newSDK(t, api, "eu-west-1")
	step := "step-" + testID[3:]
	_, _ = client.GetWorkflowExecution(ctx, &imagebuilder.GetWorkflowExecutionInput{WorkflowExecutionId: aws.String("wf-" + strings.ToUpper(testID[3:]))})
	_, _ = client.GetWorkflowStepExecution(ctx, &imagebuilder.GetWorkflowStepExecutionInput{StepExecutionId: &step})
	_, _ = client.GetImage(ctx, getImage(testImage))
	_, _ = client.ListImagePipelineImages(ctx, &imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: aws.String("p")})
	_, _ = client.ListImageBuildVersions(ctx, &imagebuilder.ListImageBuildVersionsInput{ImageVersionArn: aws.String("i")})
	_, _ = client.ListWaitingWorkflowSteps(ctx, &imagebuilder.ListWaitingWorkflowStepsInput{})
	denied = "AssumeRole"
	_, err := assumed(t, api, "eu-west-1", api.Roles[0].ARN, "secret").ListImagePipelines(ctx, &imagebuilder.ListImagePipelinesInput{})
	if code(err) != "AccessDenied" {
		t.Errorf("a fault of STS: %v", err)
	}
	want := []call{
		{"GetWorkflowExecution", testID},
		{"GetWorkflowStepExecution", step},
		{"GetImage", testImage},
		{"ListImagePipelineImages", "p"},
		{"ListImageBuildVersions", "i"},
		{"ListWaitingWorkflowSteps", ""},
		{"AssumeRole", api.Roles[0].ARN},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
