package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	maxIdlePerHost = 64
	dialTimeout    = time.Second
	tlsTimeout     = 2 * time.Second
	idleTimeout    = 30 * time.Second
	maxHeaderBytes = 64 << 10

	// readBuffer takes most answers to a page's questions in one read, where net/http's
	// own 4 KiB take several. A connection has it for life: a full pool is a mebibyte.
	readBuffer = 16 << 10
	// writeBuffer takes most questions in one write.
	writeBuffer = 8 << 10
)

// newWire is how calls reach an upstream: over net/http's connections, or, where there is
// no TLS and so no HTTP/2 to be agreed on, over those of [http1].
func newWire(cfg Config, base *url.URL) http.RoundTripper {
	pool := newPool(cfg)
	if looks && base.Scheme == "http" {
		return newHTTP1(pool)
	}
	return pool
}

// dials tells whether attempts by way of via are made over connections, whose making can be watched.
func dials(via http.RoundTripper) bool {
	switch via.(type) {
	case *http.Transport, *http1:
		return true
	default:
		return false
	}
}

// newPool is an upstream's own connections: no proxy from the environment, which
// would dial for us past the address check. How long an answer may take is the
// attempt's deadline to say, from the first header to the last byte.
func newPool(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	if !cfg.AllowPrivate {
		dialer.ControlContext = publicOnly
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           maxIdlePerHost,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		MaxConnsPerHost:        orDefault(cfg.MaxConcurrent, defaultConcurrent), // the bulkhead's ceiling: it never waits here
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ReadBufferSize:         readBuffer,
	}
}

// publicOnly looks at the address that was resolved, just before it is dialled:
// a name that is checked earlier may resolve to something else by then.
func publicOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !public(target.Addr()) {
		return errAddress
	}
	return nil
}

// special are ranges that lead inside, or nowhere, beside those netip knows.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),          // IPv4-compatible
	netip.MustParsePrefix("64:ff9b::/96"),   // NAT64: an IPv4 address behind a translator
	netip.MustParsePrefix("64:ff9b:1::/48"), // the same, local
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("fec0::/10"),
}

// public tells whether addr is an ordinary address of the internet.
func public(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return false
	}
	for _, prefix := range special {
		if prefix.Contains(addr) {
			return false
		}
	}
	return true
}
