package imagebuilder

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// identified returns a Client that asks api, as c says.
func identified(t *testing.T, api *emulator.API, c ClientConfig) *Client {
	t.Helper()
	httpClient, end := emulator.Pipe(api)
	t.Cleanup(end)
	c.Target, c.Region, c.EndpointURL, c.STSEndpointURL, c.HTTPClient = "a", "eu-west-1", "http://emulator", "http://sts", httpClient
	c.Limits = Limits{Concurrency: 1, Burst: 1, Timeout: time.Second}
	if c.Metrics = NewMetrics(prometheus.NewRegistry()); c.Role == (Role{}) {
		c.Static = &StaticCredentials{"AKID", "secret"}
	}
	client, err := NewClient(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestCredentialsSource(t *testing.T) {
	profiles := filepath.Join(t.TempDir(), "config")
	text := "[profile keys]\naws_access_key_id = AKID\naws_secret_access_key = secret\n" +
		"[profile process]\ncredential_process = /bin/true\n" +
		"[profile chain]\nrole_arn = arn:aws:iam::111122223333:role/a\nsource_profile = keys\n"
	if err := os.WriteFile(profiles, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"access key", map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}, "environment"},
		{"profile", map[string]string{"AWS_PROFILE": "keys"}, "profile"},
		{"process", map[string]string{"AWS_PROFILE": "process"}, "process"},
		{"chain of profiles", map[string]string{"AWS_PROFILE": "chain"}, "source profile, profile, assumed role"},
		{"web identity", map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/dev/null", "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/a"}, "web identity"},
		{"container", map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/get"}, "container"},
		{"nothing", nil, "instance metadata"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
				t.Setenv(name, c.env[name])
			}
			t.Setenv("AWS_CONFIG_FILE", profiles)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
			client, err := NewClient(t.Context(), ClientConfig{
				Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: time.Second}, Metrics: NewMetrics(prometheus.NewRegistry()),
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := client.CredentialsSource(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const role = "arn:aws:iam::444455556666:role/exporter"
		api := &emulator.API{Scenario: emulator.Runs(), Roles: []emulator.Role{{ARN: role, Scenario: emulator.Runs()}}}
		client := identified(t, api, ClientConfig{Static: &StaticCredentials{"AKID", "secret"}, Role: Role{ARN: role}})
		const user = "arn:aws:iam::111122223333:user/emulator"
		if arn, err := client.Identity(t.Context()); arn != "arn:aws:sts::444455556666:assumed-role/exporter/emulator" {
			t.Errorf("the role is %q, %v", arn, err)
		}
		if arn, err := client.BaseIdentity(t.Context()); arn != user {
			t.Errorf("who assumes it is %q, %v", arn, err)
		}
		client = identified(t, api, ClientConfig{})
		if arn, err := client.Identity(t.Context()); arn != user {
			t.Errorf("without a role it is %q, %v", arn, err)
		}
		if source := client.CredentialsSource(); source != "static" {
			t.Errorf("credentials from %q", source)
		}
		client = identified(t, &emulator.API{Scenario: emulator.Runs(), Fault: nil}, ClientConfig{Static: &StaticCredentials{"AKID", "secret"}, Role: Role{ARN: role}})
		if arn, err := client.Identity(t.Context()); ClassOf(err) != Denied {
			t.Errorf("a role that cannot be assumed is %q, %v", arn, err)
		}
	})
}
