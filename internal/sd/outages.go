package sd

import (
	"maps"
	"slices"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// outages are what was logged and has not ended. The zero value is ready for use.
type outages struct {
	lost  bool            // whether it is not known who the peers are
	peers map[string]bool // those that are not ready
}

// log logs what has changed with a round. Peers that are unknown while none can be looked up
// stay as they were.
func (o *outages) log(logger log.Logger, r *round) {
	switch lost := r.err != nil; {
	case lost && !o.lost:
		level.Error(logger).Log("msg", "looking up the peers failed; Prometheus keeps its current targets", "err", shown(r.err))
	case !lost && o.lost:
		level.Info(logger).Log("msg", "looking up the peers succeeded again", "peers", len(r.peers))
	}
	if o.lost = r.err != nil; o.lost {
		return
	}
	notReady := map[string]bool{}
	for _, peer := range slices.Sorted(maps.Keys(r.peers)) {
		err := r.peers[peer]
		switch {
		case err != nil && !o.peers[peer]:
			level.Warn(logger).Log("msg", "peer is not ready; its targets move to other peers", "peer", peer, "err", shown(err))
		case err == nil && o.peers[peer]:
			level.Info(logger).Log("msg", "peer is ready", "peer", peer)
		}
		if err != nil {
			notReady[peer] = true
		}
	}
	o.peers = notReady
}

// shown returns what is logged of an error.
func shown(err error) string { return printable.Line(err.Error(), maxError) }
