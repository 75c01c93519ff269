package imagebuilder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/prometheus/client_golang/prometheus"
)

// TestRefusedCredentialsAreReplacedOnceAMinute refuses them at these times.
func TestRefusedCredentialsAreReplacedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		source := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			fetched++
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
		})
		c := &credentials{current: aws.NewCredentialsCache(source)}
		begin := time.Now()
		for _, refusal := range []struct {
			at      time.Duration
			fetched int // in all, after the next call
		}{
			{0, 2},
			{time.Second, 2},
			{time.Minute - time.Nanosecond, 2},
			{time.Minute, 3},
			{time.Minute + time.Second, 3},
			{2 * time.Minute, 4},
		} {
			<-time.After(time.Until(begin.Add(refusal.at)))
			for range 2 { // it has some, then they are refused
				if _, err := c.Retrieve(t.Context()); err != nil {
					t.Fatal(err)
				}
				c.expire()
			}
			if _, err := c.Retrieve(t.Context()); err != nil || fetched != refusal.fetched {
				t.Errorf("refused after %s: fetched %d times, want %d (%v)", refusal.at, fetched, refusal.fetched, err)
			}
		}
	})
}

func TestWithoutCredentialsNothingIsSent(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	reg := prometheus.NewRegistry()
	client, err := NewClient(t.Context(), ClientConfig{
		Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}, Metrics: NewMetrics(reg),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(t.Context()); !errors.Is(err, Denied) {
		t.Errorf("Authenticate: got %v, want %s", err, Denied)
	}
	if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, Denied) {
		t.Errorf("GetWorkflowExecution: got %v, want %s", err, Denied)
	}
	if got := total(t, reg, "imagebuilder_exporter_api_requests_total", ""); got != 0 {
		t.Errorf("%d attempts were counted, want 0", got)
	}
}

func TestCredentialsMayComeLater(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	client, err := NewClient(t.Context(), ClientConfig{
		Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
		Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(t.Context()); !errors.Is(err, Denied) || !strings.Contains(err.Error(), errNoCredentials.Error()) {
		t.Fatalf("without a file: got %v", err)
	}
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(t.Context()); err != nil {
		t.Errorf("with the file: %v", err)
	}
}

func TestCodesOfCredentialsThatAreNoLongerAccepted(t *testing.T) {
	for code, want := range map[string]bool{
		"ExpiredToken": true, "ExpiredTokenException": true, "UnrecognizedClientException": true, "InvalidClientTokenId": true,
		"": false, "AccessDeniedException": false, "RequestExpired": false,
	} {
		if got := credentialsExpired(code); got != want {
			t.Errorf("%q: %t, want %t", code, got, want)
		}
	}
}

// failing is a source of credentials that always fails with err.
func failing(err error) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, err })
}

func TestTheClassOfMissingCredentials(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want failure
	}{
		{"there are none", errors.New("no source"), failure{class: Denied}},
		{"their source refuses", &smithy.GenericAPIError{Code: "InvalidIdentityToken"}, failure{class: Denied, code: "InvalidIdentityToken"}},
		{"their source throttles", &smithy.GenericAPIError{Code: "Throttling"}, failure{class: Throttled, code: "Throttling"}},
		{"their source is down", &smithy.GenericAPIError{Code: "ServiceUnavailable"}, failure{class: Unavailable, code: "ServiceUnavailable"}},
	} {
		_, err := (&credentials{current: failing(c.err)}).Retrieve(t.Context())
		if f := failureOf(err); f.class != c.want.class || f.code != c.want.code || !errors.Is(err, errNoCredentials) {
			t.Errorf("%s: class %s, code %q (%v); want %s, %q", c.name, f.class, f.code, err, c.want.class, c.want.code)
		}
	}
}

func TestSourcesAreLookedForUntilThereIsOne(t *testing.T) {
	looked := 0
	c := &credentials{
		current: failing(errors.New("no source")),
		reload: func(context.Context) (aws.CredentialsProvider, error) {
			looked++
			return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{AccessKeyID: "AKID"}, nil }), nil
		},
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Retrieve(ended); errors.Is(err, errNoCredentials) || looked != 0 {
		t.Errorf("a caller that gave up: looked %d times, %v", looked, err)
	}
	for range 3 {
		if v, err := c.Retrieve(t.Context()); v.AccessKeyID != "AKID" || err != nil {
			t.Error(v.AccessKeyID, err)
		}
	}
	if looked != 1 {
		t.Errorf("looked for a source %d times, want 1", looked)
	}
}

func TestASourceThatHangsHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, always(nil))
		client.credentials = &credentials{current: aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			<-ctx.Done()
			return aws.Credentials{}, context.Cause(ctx)
		})}
		begin := time.Now()
		err := client.Authenticate(t.Context())
		if took := time.Since(begin); took != 11*time.Second || !errors.Is(err, errTimeLimit) || !errors.Is(err, Unavailable) {
			t.Errorf("after %s: %v", took, err)
		}
	})
}
