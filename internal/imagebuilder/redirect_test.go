package imagebuilder

import (
	"context"
	"crypto/sha1" //nolint:gosec // the SDK names a cached token by it
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// noCredentialsBut sets the environment to env, without any other source of credentials.
func noCredentialsBut(t *testing.T, env map[string]string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	for name, value := range env {
		t.Setenv(name, value)
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// authenticate gets credentials as a Client does that is told nothing.
func authenticate(t *testing.T) error {
	t.Helper()
	client, err := NewClient(t.Context(), ClientConfig{
		Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
		Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client.Authenticate(t.Context())
}

// TestNoRedirectOfACredentialEndpointIsFollowed has endpoints that redirect all that they
// are asked to another server, and send a token of IMDS.
func TestNoRedirectOfACredentialEndpointIsFollowed(t *testing.T) {
	region := func(*testing.T) error {
		if region, err := DefaultRegion(context.Background()); region != "" || err != nil {
			return fmt.Errorf("the region is %q, %w", region, err)
		}
		return Denied // there is none
	}
	for _, c := range []struct {
		name string
		env  func(t *testing.T, endpoint string) map[string]string
		ask  func(*testing.T) error
	}{
		{"container credentials", func(_ *testing.T, endpoint string) map[string]string {
			return map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token"}
		}, authenticate},
		{"instance metadata", func(_ *testing.T, endpoint string) map[string]string {
			return map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint, "AWS_EC2_METADATA_DISABLED": "false"}
		}, authenticate},
		{"the region in the instance metadata", func(_ *testing.T, endpoint string) map[string]string {
			return map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint, "AWS_EC2_METADATA_DISABLED": "false"}
		}, region},
		{"web identity at STS", func(t *testing.T, endpoint string) map[string]string {
			return map[string]string{
				"AWS_ENDPOINT_URL_STS": endpoint, "AWS_ROLE_ARN": testRole,
				"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, filepath.Join(t.TempDir(), "token"), "token"),
			}
		}, authenticate},
		{"single sign-on", func(t *testing.T, endpoint string) map[string]string {
			home := t.TempDir()
			const start = "https://example.com/start"
			name := sha1.Sum([]byte(start)) //nolint:gosec // as above
			write(t, filepath.Join(home, ".aws", "sso", "cache", hex.EncodeToString(name[:])+".json"),
				fmt.Sprintf(`{"accessToken":"token","expiresAt":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
			config := write(t, filepath.Join(home, "config"),
				"[default]\nsso_start_url = "+start+"\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = a\n")
			return map[string]string{"HOME": home, "AWS_CONFIG_FILE": config, "AWS_ENDPOINT_URL_SSO": endpoint}
		}, authenticate},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(c.name, " ", status), func(t *testing.T) {
				var followed, asked atomic.Int32
				elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
				defer elsewhere.Close()
				endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					if r.Method == http.MethodPut { // a token of IMDS
						w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
						_, _ = w.Write([]byte("token"))
						return
					}
					http.Redirect(w, r, elsewhere.URL, status)
				}))
				defer endpoint.Close()
				noCredentialsBut(t, c.env(t, endpoint.URL))
				if err := c.ask(t); !errors.Is(err, Denied) {
					t.Errorf("%v, want %s", err, Denied)
				}
				if asked.Load() == 0 || followed.Load() != 0 {
					t.Errorf("after %d requests %d were followed to another server", asked.Load(), followed.Load())
				}
			})
		}
	}
}

// TestTheUsersCABundle holds that it is trusted by what asks for credentials, too, and that
// Image Builder is asked over HTTP/2.
func TestTheUsersCABundle(t *testing.T) {
	protocols := make(chan string, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocols <- r.Method + " " + r.Proto
		if r.Method == http.MethodPost { // to STS
			fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKID</AccessKeyId>
<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
				time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
			return
		}
		fmt.Fprintf(w, `{"workflowExecutionId":%q,"status":"RUNNING"}`, testID)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	noCredentialsBut(t, map[string]string{
		"AWS_CA_BUNDLE":        write(t, filepath.Join(t.TempDir(), "ca.pem"), string(ca)),
		"AWS_ENDPOINT_URL_STS": server.URL, "AWS_ROLE_ARN": testRole,
		"AWS_WEB_IDENTITY_TOKEN_FILE": write(t, filepath.Join(t.TempDir(), "token"), "token"),
	})
	client, err := NewClient(t.Context(), ClientConfig{
		Target: "a", Region: "eu-west-1", EndpointURL: server.URL, Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
		Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); err != nil {
		t.Fatal(err)
	}
	got := []string{<-protocols, <-protocols}
	if diff := cmp.Diff([]string{"POST HTTP/1.1", "GET HTTP/2.0"}, got); diff != "" {
		t.Errorf("credentials, then an execution, are asked for over (-want +got):\n%s", diff)
	}
}
