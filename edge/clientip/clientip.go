// Package clientip tells which address a request comes from. It is the socket's, unless a
// proxy that is listed says otherwise: anyone can write X-Forwarded-For. The Forwarded field
// of RFC 7239 is not read at all, so that there is one way only to say it.
package clientip

import (
	"fmt"
	"net/netip"
	"strings"
)

// Field is the header in which proxies say where they were asked from.
const Field = "X-Forwarded-For"

// Networks is a list of networks, of which a single address may be one.
type Networks []netip.Prefix

// Parse reads addresses and networks (10.0.0.0/8); the single entry "none" is an empty list.
// The error names the variable they are from and the place of the one that is neither.
func Parse(variable string, list []string) (Networks, error) {
	var found Networks
	for i, item := range list {
		item = strings.TrimSpace(item)
		if item == "" || item == "none" && len(list) == 1 {
			continue
		}
		network, err := netip.ParsePrefix(item)
		if addr, addrErr := netip.ParseAddr(item); addrErr == nil {
			addr = plain(addr)
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: entry %d is no address and no network such as 10.0.0.0/8", variable, i+1)
		}
		found = append(found, network.Masked())
	}
	return found, nil
}

// Contain tells whether addr is in one of the networks.
func (n Networks) Contain(addr netip.Addr) bool {
	for _, network := range n {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Resolver knows the proxies that are believed. A nil one believes nobody.
type Resolver struct{ proxies Networks }

// New makes a resolver that believes the proxies at these addresses and networks, which
// TRUSTED_PROXIES names.
func New(trusted []string) (*Resolver, error) {
	proxies, err := Parse("TRUSTED_PROXIES", trusted)
	if err != nil {
		return nil, err
	}
	return &Resolver{proxies}, nil
}

// Trusts tells whether what the socket's other end says in [Field] counts at all.
func (r *Resolver) Trusts(peer netip.AddrPort) bool {
	return r != nil && r.proxies.Contain(plain(peer.Addr()))
}

// Of is the address that a request comes from. peer is the socket's other end, forwarded are
// the values of [Field] in their order, to which each proxy adds where it was asked from: read
// from the end, they count as far as those who wrote them are listed. An address of IPv4 is
// the same in the clothes of IPv6; zones are left out, and so are ports. The zero Addr is an
// unknown one.
func (r *Resolver) Of(peer netip.AddrPort, forwarded []string) netip.Addr {
	addr := plain(peer.Addr())
	if len(forwarded) == 0 || r == nil {
		return addr
	}
	rest := strings.Join(forwarded, ",")
	for more := true; more && r.proxies.Contain(addr); {
		var hop string
		hop, rest, more = last(rest)
		from, ok := read(strings.Trim(hop, " \t"))
		if !ok {
			break // the last that is known is who it came from
		}
		addr = from
	}
	return addr
}

// last cuts the last item off a list; more tells whether there are any before it.
func last(list string) (item, rest string, more bool) {
	at := strings.LastIndexByte(list, ',')
	if at < 0 {
		return list, "", false
	}
	return list[at+1:], list[:at], true
}

// read reads an address as proxies write it: bare, with a port, IPv6 with or without brackets.
func read(s string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return plain(at.Addr()), true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if s, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(s, ":") {
			return netip.Addr{}, false
		}
	}
	addr, err := netip.ParseAddr(s)
	return plain(addr), err == nil
}

// plain is addr in the one form that it is compared in.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
