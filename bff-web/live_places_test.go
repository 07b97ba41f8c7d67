package bffweb

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// Requests that are answered at once have their places, however many streams are open; and
// who also takes events has no others.
func TestW14_StreamsTakeNoPlacesOfRequests(t *testing.T) {
	t.Parallel()
	const places = 2
	s := watching(t, func(b *edge.Backend) { b.Config.Limits.MaxInFlight = places })
	for range 5 * places {
		events := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
		require.Equal(t, http.StatusOK, events.StatusCode)
		require.Equal(t, "next", events.next(t).name)
	}
	const query = `{"query":"{ product(sku: \"MUG-RED\") { name } }"}`
	assert.Equal(t, http.StatusOK, s.post(t, query).Status)
	assert.Equal(t, http.StatusOK, s.post(t, query, header{"Accept", "application/json, text/event-stream"}).Status)
}

func TestW14_AQueryOfAClientThatAlsoTakesEventsHasAPlaceAsAnyOther(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	s := open(t, func(b *edge.Backend) { b.Config.Limits.MaxInFlight = 1 })
	s.Hold(commerce.OpProducts, func(context.Context) {
		close(entered)
		<-leave
	})
	const query = `{"query":"{ product(sku: \"MUG-RED\") { name } }"}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(query))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	first, done := httptest.NewRecorder(), make(chan struct{})
	go func() {
		s.handler.ServeHTTP(first, r)
		close(done)
	}()
	<-entered
	for _, accept := range []string{"application/json, text/event-stream", "application/json"} {
		assert.Equal(t, http.StatusServiceUnavailable, s.post(t, query, header{"Accept", accept}).Status, accept)
	}
	close(leave)
	<-done
	assert.Equal(t, http.StatusOK, first.Code)
}

// Who carries the pager reads why a stream ended in its log line.
func TestTheLogTellsWhyAStreamEnded(t *testing.T) {
	t.Parallel()
	s := watching(t)
	ended := func(why string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(s.log.String(), `"ended":"`+why+`"`) }, soon, 10*time.Millisecond, why)
	}
	events := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
	require.Equal(t, "next", events.next(t).name)
	events.close()
	ended("gone")
	events = s.watch(t, statusQuery, map[string]any{"id": "000000007"})
	events.next(t)
	events.next(t)
	events.ended(t)
	ended("completed")
	p, _, err := s.dial(t, nil, "graphql-ws")
	require.NoError(t, err)
	p.closed(t)
	ended("4406")
	assert.NotContains(t, s.log.String(), "ERROR")
}

// Who connects without subscribing takes a place as well.
func TestW14_TheProcessHasSoManyConnections(t *testing.T) {
	t.Parallel()
	s := watchingAtMost(t, live.Config{Most: 1, PerClient: 1, Reread: time.Minute})
	p := s.enter(t, `{}`)
	_, res, err := s.dial(t, nil, "graphql-transport-ws")
	require.Error(t, err)
	require.NotNil(t, res)
	assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	assert.NotEmpty(t, res.Header.Get("Retry-After"))
	require.NoError(t, p.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool {
		_, _, err := s.dial(t, nil, "graphql-transport-ws")
		return err == nil
	}, soon, 10*time.Millisecond, "who leaves makes room")
}

// What a page of another site can send without asking, GET, opens no stream.
func TestW14_SubscriptionsNeedPOST(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.byID(t, url.Values{"query": {`subscription { availability(skus: ["MUG-RED"]) { sku } }`}}, header{"Accept", "text/event-stream"})
	assert.Equal(t, http.StatusMethodNotAllowed, a.Status, a.Raw)
	assert.Equal(t, "POST", a.Header.Get("Allow"))
	assert.Zero(t, s.TotalCalls())
}
