package server

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

func TestRunSaysWhyItCannotServe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		f    *web.FlagConfig
		want string
	}{
		"one of two addresses is taken": {flags(t, "", "127.0.0.1:0", taken.Addr().String()), "address already in use"},
		"no address":                    {flags(t, "", "nowhere:1:2"), "too many colons"},
		"bad web config":                {flags(t, "nonsense: 1", "127.0.0.1:0"), "reading --web.config.file: line 1: unknown key nonsense; the file must be "},
		"no flags":                      {nil, "missing required flag configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(config *Config) {
				config.Web, config.Logger, config.Slog = c.f, log.NewNopLogger(), slog.New(slog.DiscardHandler)
			})
			err := s.Run(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "serving: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want serving: … %s", err, c.want)
			}
		})
	}
}

func TestRunListensOnEveryAddress(t *testing.T) {
	r := run(t, newServer(t, func(c *Config) { c.Web = flags(t, "http_server_config: {http2: true}", "127.0.0.1:0", "127.0.0.2:0") }))
	r.log.await(t, "LS is disabled.\" http2=false address=127.0.0.1:")
	_, second, _ := strings.Cut(strings.TrimSpace(r.log.await(t, "LS is disabled.\" http2=false address=127.0.0.2:")), "address=")
	for _, address := range []string{r.address, second} {
		if _, body := ask(t, newClient(t), "GET", "http://"+address+"/metrics"); body != "ours 1\n" {
			t.Errorf("%s: got %q", address, body)
		}
	}
}
