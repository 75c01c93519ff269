package sd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sets is how many random sets of peers and keys the properties are tried with.
const sets = 1000

// randomPeers returns so many different addresses, as Kubernetes gives them or by names.
func randomPeers(random *rand.Rand, n int) []string {
	var peers []string
	first, names := random.IntN(256), random.IntN(2) == 0
	for i := range n {
		if names {
			peers = append(peers, fmt.Sprintf("exporter-%d.exporter-%d.monitoring.svc:10120", i, first))
		} else {
			peers = append(peers, fmt.Sprintf("10.%d.%d.%d:10120", first, random.IntN(256), i))
		}
	}
	return peers
}

// randomKeys returns so many different keys: accounts in three regions.
func randomKeys(random *rand.Rand, n int) []Key {
	var keys []Key
	for len(keys) < n {
		account := fmt.Sprintf("account-%012d", random.Int64N(1e12))
		for _, region := range []string{"eu-west-1", "us-east-1", "ap-southeast-2"} {
			keys = append(keys, Key{account, region})
		}
	}
	return keys[:n]
}

// counts returns how often each value stands in a list.
func counts(all []string) map[string]int {
	n := map[string]int{}
	for _, s := range all {
		n[s]++
	}
	return n
}

func TestAssignIsBalanced(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const keys, peers = 150, 3
	for range sets {
		all := randomPeers(random, peers)
		n := counts(Assign(all, randomKeys(random, keys)))
		total := 0
		for peer, has := range n {
			if total += has; has > keys/peers*3/2 {
				t.Errorf("%s has %d of %d keys, want at most one and a half times the mean: %v", peer, has, keys, n)
			}
			if !slices.Contains(all, peer) {
				t.Errorf("%s is none of %v", peer, all)
			}
		}
		if total != keys {
			t.Errorf("%d of %d keys are assigned", total, keys)
		}
	}
}

func TestAssignDoesNotDependOnTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range sets {
		peers, keys := randomPeers(random, 1+random.IntN(8)), randomKeys(random, 30)
		want := Assign(peers, keys)
		random.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		if diff := cmp.Diff(want, Assign(peers, keys)); diff != "" {
			t.Fatalf("in another order of the peers (-want +got):\n%s", diff)
		}
		i := random.IntN(len(keys))
		if got := Assign(peers, keys[i:i+1]); got[0] != want[i] {
			t.Fatalf("%s alone is with %s, among others with %s", keys[i], got[0], want[i])
		}
	}
}

func TestAPeerThatGoesMovesOnlyItsOwnKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range sets {
		peers, keys := randomPeers(random, 2+random.IntN(7)), randomKeys(random, 60)
		gone := peers[random.IntN(len(peers))]
		before := Assign(peers, keys)
		after := Assign(slices.DeleteFunc(peers, func(p string) bool { return p == gone }), keys)
		for i, key := range keys {
			if before[i] != gone && after[i] != before[i] {
				t.Errorf("%s moved from %s to %s when %s went", key, before[i], after[i], gone)
			}
			if after[i] == gone {
				t.Errorf("%s is with %s, which has gone", key, gone)
			}
		}
	}
}

func TestNobodyIsAssignedToNoPeers(t *testing.T) {
	if got := Assign(nil, []Key{{"a", "eu-west-1"}}); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}

// TestTheAssignmentStays holds that another release assigns alike: while a new version replaces
// an old one, replicas of both answer.
func TestTheAssignmentStays(t *testing.T) {
	peers := []string{"10.0.0.1:10120", "10.0.0.2:10120", "[2001:db8::1]:10120"}
	keys := []Key{{"golden-images", "eu-west-1"}, {"golden-images", "us-east-1"}, {"a", "b/c"}, {"a/b", "c"}, {"größe", "eu-west-1"}}
	want := []string{"10.0.0.2:10120", "10.0.0.2:10120", "10.0.0.2:10120", "[2001:db8::1]:10120", "10.0.0.2:10120"}
	if diff := cmp.Diff(want, Assign(peers, keys)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
