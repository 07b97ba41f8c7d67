//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// anywhere makes every server of the stack listen on a free port.
var anywhere = []string{
	"SANDBOX_ADDR=127.0.0.1:0", "WEB_ADDR=127.0.0.1:0", "WEB_ADMIN_ADDR=127.0.0.1:0",
	"MOBILE_ADDR=127.0.0.1:0", "MOBILE_ADMIN_ADDR=127.0.0.1:0", "LOG_LEVEL=error",
}

// patient are settings with which nothing but a fault makes a call fail or be made twice, however busy the machine is.
func patient() []string {
	environ := []string{"REQUEST_TIMEOUT=20s", "CACHE_HARD_TIMEOUT=20s"}
	for _, role := range roles {
		environ = append(environ, role+"_ATTEMPT_TIMEOUT=20s", role+"_TIMEOUT=20s", role+"_NO_HEDGE=true")
	}
	return environ
}

// start runs the whole demo in this process, with extra settings, until the test ends.
func start(t *testing.T, extra ...string) *stack.Stack {
	t.Helper()
	s, err := stack.Start(context.Background(), append(append([]string{}, anywhere...), extra...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

// reply is an answer of either channel.
type reply struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any // nil when the body is no JSON object
}

// at digs a value out of the body: at("data", "product", "name"); numbers index lists.
func (r reply) at(path ...any) any {
	var v any = r.Body
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// text is at as a string, or "".
func (r reply) text(path ...any) string {
	s, _ := r.at(path...).(string)
	return s
}

// list is at as a list, or nil.
func (r reply) list(path ...any) []any {
	l, _ := r.at(path...).([]any)
	return l
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

// send makes one request; body may be nil, a string sent as it is, or a value sent as JSON. An empty header is not sent.
func send(t *testing.T, method, url string, body any, headers ...string) reply {
	t.Helper()
	var payload io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		payload = bytes.NewBufferString(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(t, err)
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, payload)
	require.NoError(t, err)
	if payload != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet && strings.Contains(url, "/v1/") {
		req.Header.Set("Idempotency-Key", rand.Text()) // every write of the app needs one; a fresh one unless the test has its own
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	r := reply{Status: res.StatusCode, Header: res.Header, Raw: string(raw)}
	_ = json.Unmarshal(raw, &r.Body)
	return r
}

// graphQL asks the web channel.
func graphQL(t *testing.T, s *stack.Stack, query string, variables map[string]any, headers ...string) reply {
	t.Helper()
	return send(t, http.MethodPost, s.Web+"/graphql", map[string]any{"query": query, "variables": variables}, headers...)
}

// bearer is the Authorization header of a sandbox customer.
func bearer(t *testing.T, s *stack.Stack, customer string) []string {
	t.Helper()
	r := send(t, http.MethodPost, s.Sandbox+"/_sandbox/token", map[string]string{"customer": customer})
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	return []string{"Authorization", "Bearer " + r.text("token")}
}

// fault sets a rule in the sandbox.
func fault(t *testing.T, s *stack.Stack, rule map[string]any) {
	t.Helper()
	r := send(t, http.MethodPost, s.Sandbox+"/_sandbox/faults", rule)
	require.Less(t, r.Status, 300, r.Raw)
}

// heal removes every rule.
func heal(t *testing.T, s *stack.Stack) {
	t.Helper()
	require.Less(t, send(t, http.MethodDelete, s.Sandbox+"/_sandbox/faults", nil).Status, 300)
}

// calls counts what the sandbox saw: system → operation → calls.
func calls(t *testing.T, s *stack.Stack) map[string]map[string]int {
	t.Helper()
	r := send(t, http.MethodGet, s.Sandbox+"/_sandbox/calls", nil)
	require.Equal(t, http.StatusOK, r.Status)
	var counts map[string]map[string]int
	require.NoError(t, json.Unmarshal([]byte(r.Raw), &counts))
	return counts
}

// forgetCalls starts counting anew.
func forgetCalls(t *testing.T, s *stack.Stack) {
	t.Helper()
	require.Less(t, send(t, http.MethodDelete, s.Sandbox+"/_sandbox/calls", nil).Status, 300)
}

// total adds all calls up.
func total(counts map[string]map[string]int) int {
	n := 0
	for _, ops := range counts {
		for _, c := range ops {
			n += c
		}
	}
	return n
}
