package server

import (
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// Security is what a web configuration asks of clients.
type Security struct {
	TLS         bool // they have to use HTTPS
	Credentials bool // they have to have a password or a certificate
}

// requireCertificate are the values of client_auth_type with which a client needs a certificate.
var requireCertificate = []string{"RequireAnyClientCert", "RequireClientCert", "RequireAndVerifyClientCert"}

// ReadSecurity reads the web configuration. Without one nothing is asked for. It fails when the
// server could not serve with it.
func ReadSecurity(f *web.FlagConfig) (Security, error) {
	if f.WebConfigFile == nil || *f.WebConfigFile == "" {
		return Security{}, nil
	}
	if err := web.Validate(*f.WebConfigFile); err != nil {
		return Security{}, fmt.Errorf("reading --web.config.file: %w", err)
	}
	text, err := os.ReadFile(*f.WebConfigFile)
	if err != nil {
		return Security{}, fmt.Errorf("reading --web.config.file: %w", err)
	}
	var c web.Config
	if err := yaml.Unmarshal(text, &c); err != nil {
		return Security{}, fmt.Errorf("reading --web.config.file: %w", err)
	}
	return Security{TLS: c.TLSConfig.IsEnabled(), Credentials: len(c.Users) > 0 || slices.Contains(requireCertificate, c.TLSConfig.ClientAuth)}, nil
}
