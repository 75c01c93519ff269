package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Security is what a web configuration requires of clients.
type Security struct {
	TLS         bool // they have to use HTTPS
	Credentials bool // they have to have a password or a certificate
}

// requireCertificate are the values of client_auth_type with which a client needs a certificate.
var requireCertificate = []string{"RequireAnyClientCert", "RequireClientCert", "RequireAndVerifyClientCert"}

// ReadSecurity reads the web configuration. Without one, nothing is required. It fails if the
// server could not serve with the configuration. The error has no secrets.
func ReadSecurity(f *web.FlagConfig) (Security, error) {
	if f.WebConfigFile == nil || *f.WebConfigFile == "" {
		return Security{}, nil
	}
	if err := web.Validate(*f.WebConfigFile); err != nil {
		return Security{}, fmt.Errorf("reading --web.config.file: %w", withoutSecrets(err))
	}
	text, err := os.ReadFile(*f.WebConfigFile)
	if err != nil {
		return Security{}, fmt.Errorf("reading --web.config.file: %w", withoutSecrets(err))
	}
	var c web.Config
	if err := yaml.Unmarshal(text, &c); err != nil {
		return Security{}, fmt.Errorf("reading --web.config.file: %w", withoutSecrets(err))
	}
	return Security{TLS: c.TLSConfig.IsEnabled(), Credentials: len(c.Users) > 0 || slices.Contains(requireCertificate, c.TLSConfig.ClientAuth)}, nil
}

var (
	lineOf     = regexp.MustCompile(`\bline \d+\b`)
	unreadFile = regexp.MustCompile(`^failed to read ([a-z_]{1,60}) `)
	unknownKey = regexp.MustCompile(`\bline (\d+): field ([0-9A-Za-z_]{1,60}) not found\b`)
)

// withoutSecrets returns what may be shown of an error about a web configuration: the parser
// quotes what stands there, which may be a password or a key.
func withoutSecrets(err error) error {
	const allowed = "the file must be a web configuration of Prometheus' exporter-toolkit, with keys such as tls_server_config and basic_auth_users"
	text := err.Error()
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("the file or a file that it refers to: %w", path.Err)
	}
	if m := unreadFile.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("cannot read the file in %s", m[1])
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("line %s: unknown key %s; %s", m[1], m[2], allowed)
	}
	if strings.HasPrefix(text, "crypto/bcrypt:") {
		return errors.New("a value of basic_auth_users is not a bcrypt hash")
	}
	if !strings.ContainsAny(text, "`'\"\n") && !strings.HasPrefix(text, "yaml:") {
		return err // of its own validation, which names keys only
	}
	if line := lineOf.FindString(text); line != "" {
		return fmt.Errorf("%s: %s", line, allowed)
	}
	return errors.New(allowed)
}
