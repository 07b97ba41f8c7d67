// Package sandboxtest starts the sandbox for a test.
package sandboxtest

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// Sandbox is a running sandbox that ends with its test.
type Sandbox struct {
	URL    string // "http://127.0.0.1:…", without a slash at the end
	Server *sandbox.Server
}

// Start starts a sandbox with a world of its own on a free port of the loopback.
func Start(t testing.TB) *Sandbox {
	t.Helper()
	server, err := sandbox.New(sandbox.Config{})
	require.NoError(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	t.Cleanup(server.Close) // before web.Close, which waits for calls that hang
	return &Sandbox{URL: web.URL, Server: server}
}

// Environ is [sandbox.Environ] for tests: with so much patience that nothing but a
// fault makes a call fail, however busy the machine is. What follows it wins.
func Environ(base string) []string {
	environ := append(sandbox.Environ(base), "REQUEST_TIMEOUT=20s", "CACHE_HARD_TIMEOUT=20s")
	for _, role := range []string{"PIM", "SEARCH", "ERP", "CRM", "CHECKOUT"} {
		environ = append(environ, role+"_ATTEMPT_TIMEOUT=20s", role+"_TIMEOUT=20s")
	}
	return environ
}

// Faults adds rules, each replacing one for the same system and operation.
func (s *Sandbox) Faults(t testing.TB, faults ...sandbox.Fault) {
	t.Helper()
	for _, f := range faults {
		require.NoError(t, s.Server.SetFault(f))
	}
}

// ClearFaults removes all rules.
func (s *Sandbox) ClearFaults(t testing.TB) {
	t.Helper()
	s.Server.ClearFaults()
}

// Calls answers system → operation → calls since the start or the last ResetCalls.
func (s *Sandbox) Calls(t testing.TB) map[string]map[string]int {
	t.Helper()
	return s.Server.Calls()
}

// ResetCalls sets all counts to zero.
func (s *Sandbox) ResetCalls(t testing.TB) {
	t.Helper()
	s.Server.ResetCalls()
}

// Token is a signed JWT of the customer ("AW00011000").
func (s *Sandbox) Token(t testing.TB, customer string) string {
	t.Helper()
	token, ok, err := s.Server.Token(customer)
	require.NoError(t, err)
	require.True(t, ok, "no customer %s", customer)
	return token
}
