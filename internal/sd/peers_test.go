package sd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// resolver knows the addresses of one name, or fails.
type resolver struct {
	name string
	ips  []string
	err  error
}

// LookupNetIP implements Resolver.
func (r *resolver) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	var all []netip.Addr
	for _, ip := range r.ips {
		all = append(all, netip.MustParseAddr(ip))
	}
	if network != "ip" || host != r.name {
		return nil, errors.New("nobody has asked for " + network + " " + host)
	}
	return all, r.err
}

func TestPeers(t *testing.T) {
	dual := []string{"10.0.0.2", "2001:db8::1", "10.0.0.1", "::ffff:10.0.0.2"}
	for name, c := range map[string]struct {
		text string
		ips  []string // in DNS
		want []string
	}{
		"one":                       {"localhost:10120", nil, []string{"localhost:10120"}},
		"names that end with a dot": {"b.example.com.:1,a.:1", nil, []string{"a:1", "b.example.com:1"}},
		"names, in their order":     {"b.example.com:1,A.example.com:65535", nil, []string{"a.example.com:65535", "b.example.com:1"}},
		"addresses, as Go has them": {"[2001:DB8:0::1]:10120,10.0.0.1:010120", nil, []string{"10.0.0.1:10120", "[2001:db8::1]:10120"}},
		"an address in IPv6":        {"[::ffff:10.0.0.1]:1", nil, []string{"10.0.0.1:1"}},
		"a name that DNS knows":     {"dns+Exporter.monitoring.svc:10120", dual, []string{"10.0.0.1:10120", "10.0.0.2:10120"}},
		"a name in IPv6 only":       {"dns+Exporter.monitoring.svc:10120", []string{"2001:db8::2", "2001:db8::1"}, []string{"[2001:db8::1]:10120", "[2001:db8::2]:10120"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePeers(c.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.addresses(t.Context(), &resolver{name: "exporter.monitoring.svc", ips: c.ips})
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestHalfAnAnswerOfDNSIsAnError holds what makes it one.
func TestHalfAnAnswerOfDNSIsAnError(t *testing.T) {
	if r, ok := New(Config{}).c.Resolver.(*net.Resolver); !ok || !r.StrictErrors || !r.PreferGo {
		t.Errorf("the resolver is %+v", r)
	}
}

func TestPeersThatAreNone(t *testing.T) {
	const wantDNS = "dns+ must be followed by one NAME:PORT, such as dns+imagebuilder-exporter-headless:10120"
	second := func(text string) string { return "peer 2 of 2 " + text }
	const wantPeer = "must be HOST:PORT, such as replica-1.example.com:10120; alternatively, use a single dns+NAME:PORT"
	for text, want := range map[string]string{
		"a:1,b":                       second(wantPeer),
		"a:1,":                        second(wantPeer),
		"a:1, b:1":                    second(wantPeer),
		"a:1,:10120":                  second(wantPeer),
		"a:1,b:0":                     second(wantPeer),
		"a:1,b:65536":                 second(wantPeer),
		"a:1,b:http":                  second(wantPeer),
		"a:1,http://b:1":              second(wantPeer),
		"a:1,user:verysecret@b:1":     second(wantPeer),
		"a:1,0.0.0.0:1":               second(wantPeer),
		"a:1,[fe80::1%eth0]:1":        second(wantPeer),
		"a:1,b/c:1":                   second(wantPeer),
		"a:1,dns+b:1":                 second(wantPeer),
		"a:1,A:01":                    second("is a duplicate"),
		"h.:1,h:1":                    second("is a duplicate"),
		"h:1,h.:1":                    second("is a duplicate"),
		"10.0.0.1:1,10.0.0.1.:1":      second("is a duplicate"),
		"a:1,h..:1":                   second(wantPeer),
		"dns+":                        wantDNS,
		"dns+a":                       wantDNS,
		"dns+a:1,b:1":                 wantDNS,
		"dns+10.0.0.1:10120":          wantDNS,
		"dns+user:verysecret@a:10120": wantDNS,
	} {
		_, err := ParsePeers(text)
		if err == nil || err.Error() != want || strings.Contains(err.Error(), "verysecret") {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
