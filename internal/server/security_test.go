package server

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSecurity(t *testing.T) {
	a := newAuthority(t)
	certificates := func(kind string) string {
		return a.webConfig("  client_auth_type: " + kind + "\n  client_ca_file: " + a.file)
	}
	for name, c := range map[string]struct {
		text string
		want Security
	}{
		"no file":                        {"", Security{}},
		"headers":                        {"http_server_config: {headers: {X-Frame-Options: sameorigin}}", Security{}},
		"a password":                     {"basic_auth_users: {a: $2y$04$zRoFIpQTtqRIk1ozhMFQhuSw4jd/S0Vqk5GKw1SMxeNxpVTQ1.9m6}", Security{Credentials: true}},
		"TLS":                            {a.webConfig(""), Security{TLS: true}},
		"a certificate":                  {certificates("RequireAndVerifyClientCert"), Security{TLS: true, Credentials: true}},
		"any certificate":                {certificates("RequireAnyClientCert"), Security{TLS: true, Credentials: true}},
		"any certificate, as it was":     {certificates("RequireClientCert"), Security{TLS: true, Credentials: true}},
		"a certificate, if there is one": {certificates("VerifyClientCertIfGiven"), Security{TLS: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadSecurity(flags(t, c.text, "127.0.0.1:0"))
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if _, err := ReadSecurity(flags(t, "nonsense: 1", "127.0.0.1:0")); err == nil || !strings.HasPrefix(err.Error(), "reading --web.config.file: ") {
		t.Errorf("a bad file: %v", err)
	}
}
