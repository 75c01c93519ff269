package sd

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Key names what one replica looks up: a target in a region.
type Key struct{ Target, Region string }

// String returns the identity of the series of a Key in Prometheus, the label instance.
func (k Key) String() string { return k.Target + "/" + k.Region }

// Assign returns the peer of each of keys: that with the highest weight for it. This is
// rendezvous hashing. The peer of a key depends on nothing but the key and the set of peers, so
// all replicas with the same peers assign the keys in the same way, and a peer that joins or leaves
// moves only its own keys.
// Without peers it returns nil.
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
