package sd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Peers are the replicas of an exporter, including this one. ParsePeers creates them.
type Peers struct {
	list []string // as HOST:PORT
	name string   // whose addresses are the peers, empty for list
	port uint16   // of all of them
}

// ByDNS reports whether the peers are the addresses of a name.
func (p Peers) ByDNS() bool { return p.name != "" }

// Resolver looks up addresses. Outside tests it is *net.Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

var _ Resolver = (*net.Resolver)(nil)

// wholeAnswers is that of a Config without one. It fails when it gets half an answer, such as IPv4
// addresses and a timeout for IPv6: fewer peers would move targets.
var wholeAnswers = &net.Resolver{PreferGo: true, StrictErrors: true}

// dnsPrefix begins a name whose addresses are the peers.
const dnsPrefix = "dns+"

// ParsePeers reads dns+NAME:PORT, or HOST:PORT of each peer, separated by commas. The error is a
// sentence that does not show the text.
func ParsePeers(text string) (Peers, error) {
	if rest, ok := strings.CutPrefix(text, dnsPrefix); ok {
		host, port, ok := hostPort(rest)
		if _, err := netip.ParseAddr(host); !ok || err == nil {
			return Peers{}, errors.New("dns+ must be followed by one NAME:PORT, such as dns+imagebuilder-exporter-headless:10120")
		}
		return Peers{name: host, port: port}, nil
	}
	var p Peers
	entries := strings.Split(text, ",")
	for i, entry := range entries {
		host, port, ok := hostPort(entry)
		if !ok {
			return Peers{}, fmt.Errorf("peer %d of %d must be HOST:PORT, such as replica-1.example.com:10120; alternatively, use a single dns+NAME:PORT", i+1, len(entries))
		}
		host = strings.TrimSuffix(host, ".")
		address := net.JoinHostPort(host, strconv.Itoa(int(port)))
		if slices.Contains(p.list, address) {
			return Peers{}, fmt.Errorf("peer %d of %d is a duplicate", i+1, len(entries))
		}
		p.list = append(p.list, address)
	}
	return p, nil
}

var hostName = regexp.MustCompile(`^[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_])?\.?$`)

// hostPort splits HOST:PORT, and reports whether somebody can be asked there.
func hostPort(text string) (host string, port uint16, ok bool) {
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, false
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 {
		return "", 0, false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String(), uint16(n), ip.Zone() == "" && !ip.IsUnspecified()
	}
	return strings.ToLower(host), uint16(n), hostName.MatchString(host)
}

// addresses returns the peers as HOST:PORT, in their order. When a name has IPv4 addresses, its
// IPv6 addresses do not count, so that a replica with both is one peer.
func (p Peers) addresses(ctx context.Context, r Resolver) ([]string, error) {
	if p.name == "" {
		return slices.Sorted(slices.Values(p.list)), nil
	}
	ips, err := r.LookupNetIP(ctx, "ip", p.name)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("lookup %s: no addresses", p.name)
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap()
	}
	if slices.ContainsFunc(ips, netip.Addr.Is4) {
		ips = slices.DeleteFunc(ips, netip.Addr.Is6)
	}
	var all []string
	for _, ip := range ips {
		all = append(all, netip.AddrPortFrom(ip, p.port).String())
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
