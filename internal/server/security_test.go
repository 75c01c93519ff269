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
}

// TestAWebConfigurationThatIsWrong holds that the sentence tells where, and shows no secret.
func TestAWebConfigurationThatIsWrong(t *testing.T) {
	const allowed = "the file must be a web configuration of Prometheus' exporter-toolkit, with keys such as tls_server_config and basic_auth_users"
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key":             {"nonsense: verysecret", "line 1: unknown key nonsense; " + allowed},
		"a password for the users":   {"basic_auth_users: verysecret", "line 1: " + allowed},
		"a list of passwords":        {"basic_auth_users:\n- verysecret", "line 2: " + allowed},
		"a password without a hash":  {"basic_auth_users: {a: verysecret}", "a value of basic_auth_users is not a bcrypt hash"},
		"a long one without a hash":  {"basic_auth_users: {a: verysecretverysecretverysecretverysecretverysecretverysecretverysecret}", "a value of basic_auth_users is not a bcrypt hash"},
		"no YAML":                    {"basic_auth_users: {\nverysecret", "line "},
		"an unknown anchor":          {"basic_auth_users: *verysecret", allowed},
		"a key in place of its file": {"tls_server_config: {cert_file: verysecret, key_file: verysecret}", "cannot read the file in cert_file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadSecurity(flags(t, c.text, "127.0.0.1:0"))
			want := "reading --web.config.file: " + c.want
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
