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
	Password    bool // they have to have one
	Certificate bool // they have to have one
}

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
	return Security{
		TLS:         c.TLSConfig.IsEnabled(),
		Password:    len(c.Users) > 0,
		Certificate: slices.Contains([]string{"RequireAnyClientCert", "RequireClientCert", "RequireAndVerifyClientCert"}, c.TLSConfig.ClientAuth),
	}, nil
}
