package bffweb

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestW14_ASubscriptionIsAStreamOrNothing holds that every other way to subscribe meets a
// refusal that says how, and costs nothing.
func TestW14_ASubscriptionIsAStreamOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	const query = `{"query":"subscription { availability(skus: [\"MUG-RED\"]) { sku } }"}`
	for _, accept := range []string{"application/json", "application/graphql-response+json", "multipart/mixed;subscriptionSpec=1.0", "text/event-stream;q=0"} {
		a := s.post(t, query, header{"Accept", accept})
		assert.Equal(t, http.StatusNotAcceptable, a.Status, a.Raw)
		assert.Equal(t, []string{"NOT_ACCEPTABLE"}, a.codes())
		assert.NotContains(t, a.Raw, `"data"`)
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
