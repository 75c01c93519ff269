package imagebuilder

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const testRole = "arn:aws:iam::444455556666:role/exporter"

// roleAPI has an image in the account of a role that wants the external id "secret".
func roleAPI() *emulator.API {
	image := emulator.Image{ARN: testImage, Name: "in the other account"}
	return &emulator.API{
		Scenario: emulator.Runs(),
		Roles:    []emulator.Role{{ARN: testRole, ExternalID: "external-secret", Scenario: &emulator.Account{Images: []emulator.Image{image}}}},
	}
}

func TestARoleIsAssumedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := roleAPI()
		client, reg := newClientWith(t, api, ClientConfig{
			Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
			Role:   Role{ARN: testRole, ExternalID: "external-secret"}, STSEndpointURL: "http://sts",
		})
		for range 100 {
			if _, err := client.GetImage(t.Context(), testImage, nil); err != nil {
				t.Fatal(err)
			}
			<-time.After(30 * time.Second)
		}
		if n := api.Requests("AssumeRole"); n != 1 {
			t.Errorf("%d times in 50 minutes, want 1", n)
		}
		<-time.After(10 * time.Minute)
		if _, err := client.GetImage(t.Context(), testImage, nil); err != nil || api.Requests("AssumeRole") != 2 {
			t.Errorf("%d times in an hour, %v; want 2", api.Requests("AssumeRole"), err)
		}
		want := `# HELP imagebuilder_exporter_api_requests_total Attempts to call the AWS API, including retries, whether they succeeded or failed.
# TYPE imagebuilder_exporter_api_requests_total counter
imagebuilder_exporter_api_requests_total{operation="AssumeRole",region="eu-west-1",target="golden-images"} 2
imagebuilder_exporter_api_requests_total{operation="GetImage",region="eu-west-1",target="golden-images"} 101
imagebuilder_exporter_api_requests_total{operation="GetWorkflowExecution",region="eu-west-1",target="golden-images"} 0
`
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "imagebuilder_exporter_api_requests_total"); err != nil {
			t.Error(err)
		}
	})
}

// TestARoleThatCannotBeAssumed has the ways in which STS refuses or fails.
func TestARoleThatCannotBeAssumed(t *testing.T) {
	for _, c := range []struct {
		name  string
		role  Role
		fault http.Handler
		class Class
		code  string
	}{
		{"another external id", Role{ARN: testRole, ExternalID: "guessed-secret"}, nil, Denied, "AccessDenied"},
		{"no external id", Role{ARN: testRole}, nil, Denied, "AccessDenied"},
		{"unknown role", Role{ARN: testRole + "s", ExternalID: "external-secret"}, nil, Denied, "AccessDenied"},
		{"validation", Role{ARN: testRole}, emulator.Body(400, "text/xml", `<ErrorResponse><Error><Code>ValidationError</Code><Message>m</Message></Error></ErrorResponse>`), Denied, "ValidationError"},
		{"an answer that is none", Role{ARN: testRole}, emulator.Body(200, "text/xml", ``), Unavailable, ""},
		{"a refusal that repeats the external id", Role{ARN: testRole, ExternalID: "external-secret"}, emulator.Body(400, "text/xml", `<ErrorResponse><Error><Code>ValidationError</Code><Message>external-secret is bad</Message></Error></ErrorResponse>`), Denied, "ValidationError"},
		{"throttled", Role{ARN: testRole}, emulator.Body(400, "text/xml", `<ErrorResponse><Error><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>`), Throttled, "Throttling"},
		{"an outage", Role{ARN: testRole}, emulator.Body(503, "text/html", `<html>`), Unavailable, ""},
		{"it hangs", Role{ARN: testRole}, emulator.Hang(), Unavailable, ""},
		{"it resets", Role{ARN: testRole}, emulator.Reset(""), Unavailable, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			api := roleAPI()
			api.Fault = func(operation, _ string) http.Handler {
				if operation == "AssumeRole" {
					return c.fault
				}
				t.Errorf("%s was asked", operation)
				return nil
			}
			client, _ := newClientWith(t, api, ClientConfig{Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}, Role: c.role, STSEndpointURL: "http://sts"})
			begin := time.Now()
			err := client.Authenticate(t.Context())
			var e *Error
			if !errors.As(err, &e) || e.Class != c.class || e.Code != c.code {
				t.Fatalf("%s: %v, want class %s and code %s", c.name, err, c.class, c.code)
			}
			if took := time.Since(begin); took > 11*time.Second {
				t.Errorf("%s: it took %s", c.name, took)
			}
			if strings.Contains(err.Error(), "-secret") || !strings.Contains(err.Error(), "assuming the role "+c.role.ARN) {
				t.Errorf("%s: the error reads %v", c.name, err)
			}
			if _, err := client.GetImage(t.Context(), testImage, nil); !errors.Is(err, c.class) {
				t.Errorf("%s: a call says %v", c.name, err)
			}
		})
	}
}

// TestAnOutageOfSTS begins before the credentials are renewed, and outlasts them.
func TestAnOutageOfSTS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := roleAPI()
		var down atomic.Bool
		api.Fault = func(operation, _ string) http.Handler {
			if operation == "AssumeRole" && down.Load() {
				return emulator.Error(403, "AccessDenied", "")
			}
			return nil
		}
		client, _ := newClientWith(t, api, ClientConfig{
			Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
			Role:   Role{ARN: testRole, ExternalID: "external-secret"}, STSEndpointURL: "http://sts",
		})
		begin := time.Now()
		for at := time.Duration(0); at < 70*time.Minute; at += 20 * time.Second {
			<-time.After(time.Until(begin.Add(at)))
			down.Store(at >= 30*time.Minute && at < 65*time.Minute)
			_, err := client.GetImage(t.Context(), testImage, nil)
			if denied := at >= time.Hour && at < 65*time.Minute; denied != (err != nil) {
				t.Errorf("after %s: %v", at, err)
			}
		}
		// Once at first, five times in the last minutes, at each call while it is denied, once again.
		if n := api.Requests("AssumeRole"); n != 1+5+15+1 {
			t.Errorf("the role was assumed or tried %d times", n)
		}
	})
}

// TestHowLongPreviousCredentialsAreUsed has, for what is left of them when they cannot be
// renewed, when the next try is due. The cache takes roleRenewal off again.
func TestHowLongPreviousCredentialsAreUsed(t *testing.T) {
	refused := errors.New("refused")
	for _, c := range []struct {
		name string
		left time.Duration
		next time.Duration
		err  error
	}{
		{"the next try is due after a minute", time.Hour, time.Minute, nil},
		{"a minute is left", time.Minute, time.Minute, nil},
		{"the next try is due at their end", time.Second, time.Second, nil},
		{"a moment is left", 1, 1, nil},
		{"they end now", 0, 0, refused},
		{"they have ended", -time.Second, 0, refused},
	} {
		synctest.Test(t, func(t *testing.T) {
			end := time.Now().Add(c.left)
			p := &roleProvider{}
			p.end.Store(&end)
			previous := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
			got, err := p.HandleFailToRefresh(t.Context(), previous, refused)
			want := previous
			if c.err == nil {
				want.Expires = time.Now().Add(c.next + roleRenewal)
			}
			if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, c.err) {
				t.Errorf("%s: %v, want %v (-want +got):\n%s", c.name, err, c.err, diff)
			}
		})
	}
}

// TestCredentialsThatExpireEarly are replaced when the service says so.
func TestCredentialsThatExpireEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := roleAPI()
		var expired atomic.Bool
		api.Fault = func(operation, _ string) http.Handler {
			if operation == "AssumeRole" {
				expired.Store(false)
			} else if expired.Load() {
				return emulator.Error(403, "ExpiredTokenException", "")
			}
			return nil
		}
		client, _ := newClientWith(t, api, ClientConfig{
			Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
			Role:   Role{ARN: testRole, ExternalID: "external-secret"}, STSEndpointURL: "http://sts",
		})
		for _, want := range []error{nil, Denied, nil} {
			_, err := client.GetImage(t.Context(), testImage, nil)
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			expired.Store(want == nil)
		}
	})
}
