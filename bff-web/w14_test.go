package bffweb

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestW14_SubscriptionsAreOff holds that every way to subscribe meets a refusal that
// says so, and costs nothing.
func TestW14_SubscriptionsAreOff(t *testing.T) {
	t.Parallel()
	s := open(t)
	const query = `{"query":"subscription { product(sku: \"MUG-RED\") { name } }"}`
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		a := s.post(t, query, header{"Accept", accept})
		require.Len(t, a.Errors, 1, a.Raw)
		assert.Contains(t, a.Errors[0].Message, "subscription", a.Raw)
		assert.NotContains(t, a.Raw, `"data"`)
	}
	for _, accept := range []string{"text/event-stream", "multipart/mixed", "multipart/mixed;subscriptionSpec=1.0"} {
		a := s.post(t, query, header{"Accept", accept})
		assert.Equal(t, http.StatusNotAcceptable, a.Status, a.Raw)
		assert.Equal(t, []string{"NOT_ACCEPTABLE"}, a.codes())
	}
	for _, upgrade := range []string{"websocket", "WebSocket", "h2c, websocket"} {
		for _, path := range []string{"", "?query=" + url.QueryEscape(`{product(sku:"MUG-RED"){name}}`)} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test/graphql"+path, nil)
			r.Header.Set("Connection", "Upgrade")
			r.Header.Set("Upgrade", upgrade)
			r.Header.Set("Sec-WebSocket-Version", "13")
			r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
			r.Header.Set("Sec-WebSocket-Protocol", "graphql-transport-ws")
			a := s.send(t, r)
			assert.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
			assert.Equal(t, []string{"NO_SUBSCRIPTIONS"}, a.codes())
			assert.Empty(t, a.Header.Get("Upgrade"))
		}
	}
	assert.Zero(t, s.TotalCalls())
}
