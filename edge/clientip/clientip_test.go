package clientip_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/clientip"
)

func ExampleResolver() {
	clients, err := clientip.New([]string{"10.0.0.0/8"})
	if err != nil {
		panic(err)
	}
	proxy, stranger := netip.MustParseAddrPort("10.0.0.1:443"), netip.MustParseAddrPort("203.0.113.9:4711")
	fmt.Println(clients.Of(proxy, []string{"6.6.6.6, 198.51.100.7"}))
	fmt.Println(clients.Of(stranger, []string{"6.6.6.6"}))
	// Output:
	// 198.51.100.7
	// 203.0.113.9
}

func TestM8_W10_OnlyListedProxiesAreBelieved(t *testing.T) {
	t.Parallel()
	clients, err := clientip.New([]string{"10.0.0.0/8", "192.0.2.1", " fd00::/8 ", "fe80::1%eth0"})
	require.NoError(t, err)
	for _, c := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.1:80", nil, "203.0.113.1"},
		{"203.0.113.1:80", []string{"1.2.3.4"}, "203.0.113.1"},
		{"192.0.2.2:80", []string{"1.2.3.4"}, "192.0.2.2"},
		{"10.1.1.1:80", nil, "10.1.1.1"},
		{"10.1.1.1:80", []string{}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"1.2.3.4"}, "1.2.3.4"},
		{"192.0.2.1:80", []string{"1.2.3.4"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"6.6.6.6", "1.2.3.4"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"6.6.6.6", "1.2.3.4 , 10.2.2.2"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"1.2.3.4", "\t10.2.2.2", "192.0.2.1"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"10.3.3.3", "10.2.2.2"}, "10.3.3.3"},
		{"10.1.1.1:80", []string{"6.6.6.6, nonsense, 10.2.2.2"}, "10.2.2.2"},
		{"10.1.1.1:80", []string{"6.6.6.6", "unknown"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"6.6.6.6,"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"6.6.6.6", ""}, "10.1.1.1"},
		{"10.1.1.1:80", []string{""}, "10.1.1.1"},
		{"10.1.1.1:80", []string{","}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"1.2.3.4:5678"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"1.2.3.4:567890"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"[1.2.3.4]"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"1.2.3.400"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"01.2.3.4"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"1.2.3.4/32"}, "10.1.1.1"},
		{"10.1.1.1:80", []string{"for=1.2.3.4"}, "10.1.1.1"},
		{"[fd00::1]:80", []string{"2001:db8::5"}, "2001:db8::5"},
		{"[fd00::1]:80", []string{"[2001:db8::5]"}, "2001:db8::5"},
		{"[fd00::1]:80", []string{"[2001:db8::5]:443"}, "2001:db8::5"},
		{"[fd00::1]:80", []string{"[2001:db8::5"}, "fd00::1"},
		{"[fd00::1]:80", []string{"2001:DB8:0::5"}, "2001:db8::5"},
		{"[fd00::1]:80", []string{"fe80::5%eth0"}, "fe80::5"},
		{"[fd00::1]:80", []string{"[fe80::5%eth0]:1"}, "fe80::5"},
		{"[fe80::1%eth9]:80", []string{"1.2.3.4"}, "1.2.3.4"},
		{"[fe80::2%eth0]:80", []string{"1.2.3.4"}, "fe80::2"},
		{"[::ffff:10.1.1.1]:80", []string{"1.2.3.4"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		{"10.1.1.1:80", []string{"6.6.6.6, ::ffff:10.9.9.9"}, "6.6.6.6"},
	} {
		peer := netip.MustParseAddrPort(c.peer)
		assert.Equal(t, c.want, clients.Of(peer, c.forwarded).String(), "%+v", c)
	}
	assert.False(t, clients.Of(netip.AddrPort{}, []string{"1.2.3.4"}).IsValid(), "an unknown address is believed nothing")
}

func TestWithoutProxiesNobodyIsBelieved(t *testing.T) {
	t.Parallel()
	peer := netip.MustParseAddrPort("10.1.1.1:80")
	none, err := clientip.New([]string{"none"})
	require.NoError(t, err)
	for _, clients := range []*clientip.Resolver{nil, none} {
		assert.Equal(t, "10.1.1.1", clients.Of(peer, []string{"1.2.3.4"}).String())
		assert.False(t, clients.Trusts(peer))
	}
}

func TestBadNetworksAreNamed(t *testing.T) {
	t.Parallel()
	_, err := clientip.New([]string{"10.0.0.0/8", "10.0.0.300"})
	assert.EqualError(t, err, "TRUSTED_PROXIES: entry 2 is no address and no network such as 10.0.0.0/8")
	_, err = clientip.Parse("X", []string{"none", "10.0.0.1"})
	assert.EqualError(t, err, "X: entry 1 is no address and no network such as 10.0.0.0/8")
}

func FuzzOf(f *testing.F) {
	f.Add("6.6.6.6, 10.2.2.2")
	f.Add("[fe80::5%eth0]:1")
	clients, err := clientip.New([]string{"10.0.0.0/8"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, forwarded string) {
		stranger := netip.MustParseAddrPort("203.0.113.1:80")
		assert.Equal(t, stranger.Addr(), clients.Of(stranger, []string{forwarded}))
		found := clients.Of(netip.MustParseAddrPort("10.1.1.1:80"), []string{forwarded})
		assert.True(t, found.IsValid())
		assert.Empty(t, found.Zone())
	})
}
