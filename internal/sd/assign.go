package sd

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Key identifies what one replica looks up: a target in a region.
type Key struct{ Target, Region string }

// String returns the label instance of the series of a Key in Prometheus.
func (k Key) String() string { return k.Target + "/" + k.Region }

// Assign returns the peer of each of keys, by rendezvous hashing: the peer with the highest weight
// for the key. The result depends only on the key and the set of peers. All replicas with the same
// peers compute the same result, and a peer that joins or leaves moves only its own keys. Without
// peers it returns nil.
func Assign(peers []string, keys []Key) []string {
	if len(peers) == 0 {
		return nil
	}
	assigned := make([]string, len(keys))
	for i, key := range keys {
		best, highest := peers[0], weight(peers[0], key)
		for _, peer := range peers[1:] {
			if w := weight(peer, key); w > highest || w == highest && strings.Compare(peer, best) < 0 {
				best, highest = peer, w
			}
		}
		assigned[i] = best
	}
	return assigned
}

// weight returns that of a peer for a key. SHA-256 spreads well, also when names differ little.
func weight(peer string, key Key) uint64 {
	sum := sha256.Sum256([]byte(peer + "\x00" + key.Target + "\x00" + key.Region))
	return binary.BigEndian.Uint64(sum[:8])
}
