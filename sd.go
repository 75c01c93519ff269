package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/sd"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/server"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/targets"
)

// newSD returns what answers /sd about the targets of a set, nil without --sd.peers. Its metrics
// are registered with reg.
func newSD(f *flags, set *targets.Set, reg prometheus.Registerer, logger log.Logger) (http.Handler, error) {
	if f.sdPeers == "" {
		return nil, nil
	}
	security, err := server.ReadSecurity(f.web)
	if err != nil {
		return nil, err
	}
	if f.sdPeerConfig == "" && security.Credentials {
		return nil, errors.New("--sd.peers needs --sd.peer-config, for --web.config.file makes every client show a password or a certificate, the other replicas too, which ask whether this one is ready")
	}
	client, err := sd.NewClient(f.sdPeerConfig)
	if err != nil {
		return nil, fmt.Errorf("--sd.peer-config=%s: %w", f.sdPeerConfig, err)
	}
	h := sd.New(sd.Config{
		Peers: f.peers, Keys: func() []sd.Key { return keys(set) },
		ProbePath: server.PathProbe, ReadyPath: server.PathReady, TLS: security.TLS, Client: client, Logger: logger,
	})
	reg.MustRegister(h)
	return h, nil
}

// keys returns what a set has.
func keys(set *targets.Set) []sd.Key {
	var all []sd.Key
	for target, region := range set.Names() {
		all = append(all, sd.Key{Target: target, Region: region})
	}
	return all
}
