package check

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

const (
	deniedSentence  = "STS denied the call; a policy of the identity, the organization or the VPC endpoint does not allow it"
	networkSentence = "STS cannot be reached; check the network, proxies and the VPC endpoint of STS"
	keySentence     = "AWS does not accept the access key; it is wrong, deleted, or not valid in this region"
	anotherSentence = "the answer did not come from STS; check AWS_ENDPOINT_URL_STS and proxies"
)

// stsFaults are the ways in which STS gives no usable answer, and what is printed for each.
var stsFaults = []struct {
	name     string
	answer   http.Handler
	sentence string
}{
	{"the token has expired", emulator.Error(400, "ExpiredToken", "no"), "the credentials have expired; renew them"},
	{"the access key is unknown", emulator.Error(403, "InvalidClientTokenId", "no"), keySentence},
	{"the secret key is wrong", emulator.Error(403, "SignatureDoesNotMatch", "no"), "the signature is not valid; check the secret key and the clock of this machine"},
	{"the region is not activated", emulator.Error(403, "RegionDisabledException", "no"), "STS is not activated in this region; activate it for the account, or use another region"},
	{"the account is not subscribed", emulator.Error(403, "OptInRequired", "no"), "the account is not subscribed to the service, or the region is not enabled for it"},
	{"it throttles", emulator.Error(400, "Throttling", "no"), "STS throttled the request; try again"},
	{"it is down", emulator.Error(503, "ServiceUnavailable", "no"), "STS failed with ServiceUnavailable; try again"},
	{"the request is not valid", emulator.Error(400, "ValidationError", "no"), "STS rejected the request with ValidationError"},
	{"it hangs", emulator.Hang(), networkSentence},
	{"the connection is reset", emulator.Reset(""), networkSentence},
	{"a proxy denies access", emulator.Body(403, "text/html", "<html>no</html>"), anotherSentence},
}

// answering returns an API whose STS gives an answer, and a role.
func answering(answer http.Handler) (*emulator.API, imagebuilder.Role) {
	api, role := behindRole(web())
	api.Fault = func(operation, _ string) http.Handler {
		if operation == "GetCallerIdentity" || operation == "AssumeRole" {
			return answer
		}
		return nil
	}
	return api, role
}

// TestWhyTheIdentityIsUnknown holds that the title says why STS did not say who asks, and that the
// permissions are checked nevertheless.
func TestWhyTheIdentityIsUnknown(t *testing.T) {
	ids := lookup.Selection{WorkflowExecutions: []string{id}}
	const tried = "\n  ok       imagebuilder:GetWorkflowExecution (but AWS rejected the request; does the resource exist?)\n"
	denied := stsFaults[0]
	denied.name, denied.answer, denied.sentence = "it denies the call", emulator.Error(403, "AccessDenied", "no"), deniedSentence
	for _, c := range append(stsFaults, denied) {
		synctest.Test(t, func(t *testing.T) {
			api, _ := answering(c.answer)
			got, ok := run(t, target(t, api, ids, imagebuilder.Role{}))
			want := "golden-images, eu-west-1: credentials from static, identity unknown (" + c.sentence + ")" + tried
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%s: ok %t (-want +got):\n%s", c.name, ok, diff)
			}
		})
	}
}

// TestWhyARoleCannotBeAssumed holds that the line of AssumeRole says why, unless the role is denied:
// then the permission is missing.
func TestWhyARoleCannotBeAssumed(t *testing.T) {
	for _, c := range stsFaults {
		synctest.Test(t, func(t *testing.T) {
			api, role := answering(c.answer)
			got, ok := run(t, target(t, api, everything(), role))
			want := "golden-images, eu-west-1: credentials from static\n  failed   sts:AssumeRole on " + role.ARN + " (" + c.sentence + ")\n"
			if diff := cmp.Diff(want, got); diff != "" || ok {
				t.Errorf("%s: ok %t (-want +got):\n%s", c.name, ok, diff)
			}
		})
	}
}

// withoutDNS is a transport that does not know the name of a host.
type withoutDNS struct {
	host string
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w withoutDNS) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == w.host {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: w.host, IsNotFound: true}}
	}
	return w.next.RoundTrip(r)
}

// TestAWrongRegionOfSTS has an STS whose name is not in DNS, as in a region that does not exist.
func TestAWrongRegionOfSTS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := behindRole(web())
		httpClient, end := emulator.Pipe(api)
		t.Cleanup(end)
		httpClient.Transport = withoutDNS{"sts", httpClient.Transport}
		got, _ := run(t, targetThrough(t, httpClient, lookup.Selection{WorkflowExecutions: []string{id}}, imagebuilder.Role{}))
		const want = "identity unknown (the host name of STS cannot be resolved; check the region, DNS and AWS_ENDPOINT_URL_STS)\n"
		if !strings.Contains(got, want) {
			t.Errorf("it prints no %q:\n%s", want, got)
		}
	})
}
