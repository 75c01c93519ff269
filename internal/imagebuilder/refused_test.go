package imagebuilder

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestCredentialsThatAreRefused holds that they are fetched again from their source, also
// those that assume a role.
func TestCredentialsThatAreRefused(t *testing.T) {
	for _, withRole := range []bool{false, true} {
		var served atomic.Int32
		source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			n := served.Add(1)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"AccessKeyId":"AKID%d","SecretAccessKey":"s","Token":"t","Expiration":%q}`, n, time.Now().Add(6*time.Hour).UTC().Format(time.RFC3339))
		}))
		defer source.Close()
		api := roleAPI()
		api.Fault = func(operation, _ string) http.Handler {
			if (operation == "AssumeRole" || !withRole) && served.Load() < 2 {
				if operation == "AssumeRole" {
					return emulator.Body(403, "text/xml", `<ErrorResponse><Error><Code>ExpiredToken</Code><Message>m</Message></Error></ErrorResponse>`)
				}
				return emulator.Error(403, "ExpiredTokenException", "")
			}
			return nil
		}
		server := httptest.NewServer(api)
		defer server.Close()
		none := filepath.Join(t.TempDir(), "none")
		for k, v := range map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": source.URL, "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
			"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
		} {
			t.Setenv(k, v)
		}
		c := ClientConfig{Target: "x", Region: "eu-west-1", EndpointURL: server.URL, Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 5 * time.Second}, Metrics: NewMetrics(prometheus.NewRegistry()), HTTPClient: server.Client()}
		if withRole {
			c.Role, c.STSEndpointURL = Role{ARN: testRole, ExternalID: "external-secret"}, server.URL
		}
		client, err := NewClient(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for range 5 {
			if last = client.Authenticate(t.Context()); last == nil {
				_, last = client.GetImage(t.Context(), testImage, nil)
			}
		}
		if served.Load() != 2 {
			t.Errorf("role %t: after 5 tries: the source was asked %d times; %v", withRole, served.Load(), last)
		}
	}
}
