package sd

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"

	promconfig "github.com/prometheus/common/config"
)

// NewClient returns a client for the peers, configured by a file with Prometheus' HTTP client
// configuration. Without a file it sends no credentials. It uses no proxy of the environment unless
// the file says so, and follows no redirects. oauth2 is not supported, because its token is fetched
// without a time limit. The error is a sentence without secrets.
func NewClient(file string) (*http.Client, error) {
	config := &promconfig.DefaultHTTPClientConfig
	if file != "" {
		var err error
		if config, _, err = promconfig.LoadHTTPConfigFile(file); err != nil {
			return nil, withoutSecrets(err)
		}
	}
	if config.OAuth2 != nil {
		return nil, errors.New("oauth2 is not supported here; use basic_auth, authorization or a certificate in tls_config")
	}
	asked := *config
	asked.FollowRedirects = false
	// A connection of its own for each question: an idle one would count at the peer.
	return promconfig.NewClientFromConfig(asked, "peers", promconfig.WithKeepAlivesDisabled())
}

var (
	lineOf     = regexp.MustCompile(`\bline \d+\b`)
	unknownKey = regexp.MustCompile(`\bline (\d+): field ([0-9A-Za-z_]{1,60}) not found\b`)
	alreadySet = regexp.MustCompile(`\bline (\d+): field ([0-9A-Za-z_]{1,60}) already set\b`)
)

// withoutSecrets returns what may be shown of an error about a file: the parser quotes what
// stands there, which may be a password.
func withoutSecrets(err error) error {
	const allowed = "the file must be a Prometheus HTTP client configuration, with keys such as basic_auth, authorization and tls_config"
	text := err.Error()
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("line %s: unknown key %s; %s", m[1], m[2], allowed)
	}
	if m := alreadySet.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("line %s: duplicate key %s", m[1], m[2])
	}
	if !strings.ContainsAny(text, "`'\"\n") && !strings.HasPrefix(text, "yaml:") {
		return err // of its own validation, which names keys only
	}
	if line := lineOf.FindString(text); line != "" {
		return fmt.Errorf("%s: %s", line, allowed)
	}
	return errors.New(allowed)
}
