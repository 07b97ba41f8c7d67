//go:build e2e

package e2e

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// roles name the variables of each imitated system.
var roles = map[string]string{
	"pimcore": "PIM", "elasticsearch": "SEARCH", "odoo": "ERP", "openloyalty": "CRM", "magento": "CHECKOUT",
}

// toxics is a toxiproxy with a proxy before each of the sandbox's systems. It runs in a
// process of its own, so that this one's goroutines and files are Portico's.
type toxics struct {
	t        *testing.T
	api      *toxiproxy.Client
	upstream string                      // host and port of the sandbox
	proxies  map[string]*toxiproxy.Proxy // by system
}

// newToxics starts toxiproxy, which go.mod pins as a tool, before the sandbox of s.
func newToxics(t *testing.T, s *stack.Stack) *toxics {
	t.Helper()
	address := free(t, 1)[0]
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	server := exec.CommandContext(t.Context(), build(t, "github.com/Shopify/toxiproxy/v2/cmd/server"), "-host", host, "-port", port)
	server.Env = []string{"LOG_LEVEL=error"}
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	await(t, "http://"+address+"/version")
	x := &toxics{t: t, api: toxiproxy.NewClient(address), upstream: strings.TrimPrefix(s.Sandbox, "http://"), proxies: map[string]*toxiproxy.Proxy{}}
	for system := range roles {
		x.proxies[system], err = x.api.CreateProxy(system, free(t, 1)[0], x.upstream)
		require.NoError(t, err)
	}
	return x
}

// environ points every role at its system's proxy.
func (x *toxics) environ() []string {
	var list []string
	for system, role := range roles {
		list = append(list, role+"_BASE_URL=http://"+x.proxies[system].Listen+"/"+system)
	}
	return list
}

// poison puts a toxic before a system.
func (x *toxics) poison(system string, toxic toxic) {
	x.t.Helper()
	if toxic.kind == "down" {
		require.NoError(x.t, x.proxies[system].Disable())
		return
	}
	_, err := x.proxies[system].AddToxic("", toxic.kind, toxic.stream, 1, toxic.attributes)
	require.NoError(x.t, err)
}

// heal makes a system's proxy anew on the same port, which cuts every connection through
// it. Taking the toxic away could wait for ever: toxiproxy cannot interrupt a link whose
// client has left in the middle of a chunk.
func (x *toxics) heal(system string) {
	x.t.Helper()
	require.NoError(x.t, x.proxies[system].Delete())
	listen := x.proxies[system].Listen
	require.Eventually(x.t, func() bool {
		p, err := x.api.CreateProxy(system, listen, x.upstream)
		if err == nil {
			x.proxies[system] = p
		}
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
}

func (x *toxics) healAll() {
	x.t.Helper()
	for system := range roles {
		x.heal(system)
	}
}

// toxic is one way to hurt a connection.
type toxic struct {
	kind       string
	stream     string // "upstream": requests are hurt, "downstream": answers
	attributes toxiproxy.Attributes
}

// eightToxics are all that toxiproxy has, with values at which calls succeed, fail and time out.
var eightToxics = []toxic{
	{"latency", "downstream", toxiproxy.Attributes{"latency": 300, "jitter": 250}},
	{"down", "", nil},
	{"bandwidth", "downstream", toxiproxy.Attributes{"rate": 8}},
	{"slow_close", "downstream", toxiproxy.Attributes{"delay": 1000}},
	{"timeout", "downstream", toxiproxy.Attributes{"timeout": 0}},
	{"reset_peer", "downstream", toxiproxy.Attributes{"timeout": 20}},
	{"slicer", "downstream", toxiproxy.Attributes{"average_size": 64, "size_variation": 32, "delay": 200}},
	{"limit_data", "downstream", toxiproxy.Attributes{"bytes": 700}},
}
