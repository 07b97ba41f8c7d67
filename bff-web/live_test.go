package bffweb

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/watch"
	"github.com/portico-bff/portico/schema/commerce"
)

// soon is long enough for anything to happen on a busy machine.
const soon = 30 * time.Second

const (
	stockQuery  = `subscription Stock($skus: [String!]!) { availability(skus: $skus) { sku availability { quantity inStock } } }`
	statusQuery = `subscription Status($id: ID!, $token: String) { orderStatus(id: $id, orderToken: $token) { number status lines { sku product { name } } } }`
)

// lively is a shop behind the cache that tells who watches, on a socket.
type lively struct {
	*shop

	cache  *cache.Cache
	order  looked
	url    string
	client *http.Client
}

// looked counts what is looked up for those who watch.
type looked struct {
	commerce.Invalidations

	now, struck atomic.Int64
}

func (l *looked) Now() uint64 {
	l.now.Add(1)
	return l.Invalidations.Now()
}

func (l *looked) Struck(since uint64, tags ...commerce.Tag) bool {
	l.struck.Add(1)
	return l.Invalidations.Struck(since, tags...)
}

func watching(t testing.TB, change ...func(*edge.Backend)) *lively {
	t.Helper()
	return watchingAtMost(t, defaultBounds(t), change...)
}

func defaultBounds(t testing.TB) live.Config {
	t.Helper()
	var cfg live.Config
	require.NoError(t, config.Decode(nil, "", &cfg))
	return cfg
}

// watchingAtMost is watching with other bounds.
func watchingAtMost(t testing.TB, cfg live.Config, change ...func(*edge.Backend)) *lively {
	t.Helper()
	return served(t, documents.Config{Open: true}, cfg, change...)
}

// served is watchingAtMost with other documents.
func served(t testing.TB, docs documents.Config, cfg live.Config, change ...func(*edge.Backend)) *lively {
	t.Helper()
	own := unserved(t, docs, cfg, change...)
	own.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * soon}
	serving := httptest.NewUnstartedServer(own.handler)
	serving.Config = server(own.handler) // as it ships, whose timeouts must not cut streams
	serving.Start()
	t.Cleanup(serving.Close)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		assert.NoError(t, own.desk.Close(ctx))
	})
	own.url = serving.URL
	return own
}

// unserved is served before there is a network.
func unserved(t testing.TB, docs documents.Config, cfg live.Config, change ...func(*edge.Backend)) *lively {
	t.Helper()
	own := &lively{}
	change = append(change, func(b *edge.Backend) {
		var err error
		own.cache, err = cache.New(cache.Config{}, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		b.Ports = own.cache.Wrap(b.Ports)
		own.order.Invalidations = own.cache.Invalidations()
		b.Watch = watch.New(&own.order)
		own.cache.OnInvalidation(b.Watch.Ring)
		ctx, cancel := context.WithCancel(context.Background())
		var hub sync.WaitGroup
		hub.Go(func() { b.Watch.Run(ctx) })
		t.Cleanup(func() {
			cancel()
			hub.Wait()
			require.NoError(t, own.cache.Close())
		})
	})
	own.shop = openedFor(t, docs, cfg, change...)
	return own
}

// eventStream is an open stream of events.
type eventStream struct {
	*http.Response

	lines *bufio.Scanner
	close context.CancelFunc
}

// watch subscribes by POST.
func (s *lively) watch(t testing.TB, query string, variables map[string]any, headers ...header) *eventStream {
	t.Helper()
	return s.subscribe(t, map[string]any{"query": query, "variables": variables}, headers...)
}

// subscribe is watch with whatever is asked.
func (s *lively) subscribe(t testing.TB, asks map[string]any, headers ...header) *eventStream {
	t.Helper()
	body, err := json.Marshal(asks)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+Route, strings.NewReader(string(body)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	res, err := s.client.Do(r)
	require.NoError(t, err)
	own := &eventStream{Response: res, lines: bufio.NewScanner(res.Body), close: cancel}
	t.Cleanup(func() {
		cancel()
		_ = res.Body.Close()
	})
	return own
}

// event is one event of a stream: its name, and its data as an answer.
type event struct {
	name string
	answer
}

// next waits for the next event; comments are passed over.
func (s *eventStream) next(t testing.TB) event {
	t.Helper()
	var e event
	for s.lines.Scan() {
		switch line := s.lines.Text(); {
		case strings.HasPrefix(line, "event: "):
			e.name = line[len("event: "):]
		case strings.HasPrefix(line, "data:"):
			e.Raw = strings.TrimPrefix(line[len("data:"):], " ")
		case line == "" && e.name != "":
			if e.Raw != "" {
				require.NoError(t, json.Unmarshal([]byte(e.Raw), &e.answer), e.Raw)
			}
			return e
		}
	}
	require.NoError(t, s.lines.Err())
	return e
}

// ended holds that nothing follows.
func (s *eventStream) ended(t testing.TB) {
	t.Helper()
	assert.False(t, s.lines.Scan(), "%q", s.lines.Text())
}

func (s *lively) restock(t testing.TB, sku commerce.SKU, pieces int) {
	t.Helper()
	s.Restock(sku, pieces)
	require.NoError(t, s.cache.Invalidate(t.Context(), commerce.TagStock(sku)))
}

func (s *lively) move(t testing.TB, number commerce.OrderNumber, to commerce.OrderStatus) {
	t.Helper()
	s.MoveOrder(number, to)
	require.NoError(t, s.cache.Invalidate(t.Context(), commerce.TagOrder(number)))
}

func TestStockIsAnsweredAtOnceAndWhenItChanges(t *testing.T) {
	t.Parallel()
	s := watching(t)
	s.restock(t, "MUG-RED", 7)
	events := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED", "NO-SUCH"}})
	require.Equal(t, http.StatusOK, events.StatusCode)
	assert.Equal(t, "text/event-stream; charset=utf-8", events.Header.Get("Content-Type"))
	assert.Equal(t, "private, no-store", events.Header.Get("Cache-Control"))
	assert.Equal(t, "no", events.Header.Get("X-Accel-Buffering"))

	first := events.next(t)
	assert.Equal(t, "next", first.name)
	assert.JSONEq(t, `{"data":{"availability":[{"sku":"MUG-RED","availability":{"quantity":7,"inStock":true}},{"sku":"NO-SUCH","availability":null}]}}`, first.Raw)

	calls := s.TotalCalls()
	require.NoError(t, s.cache.Invalidate(t.Context(), commerce.TagStock("MUG-RED")), "it is read again, and is what it was")
	s.restock(t, "MUG-RED", 0)
	second := events.next(t)
	assert.JSONEq(t, `{"sku":"MUG-RED","availability":{"quantity":0,"inStock":false}}`, asJSON(t, at(t, second.Data, "availability", 0)))
	assert.LessOrEqual(t, s.TotalCalls()-calls, 3)
}

// An order's paths, freshness and parts are those of a query.
func TestAnOrdersStatusIsWatchedByItsOwner(t *testing.T) {
	t.Parallel()
	s := watching(t)
	events := s.watch(t, statusQuery, map[string]any{"id": "000000007"}, header{"Authorization", "Bearer C1"})
	first := events.next(t)
	assert.Equal(t, "DELIVERED", at(t, first.Data, "orderStatus", "status"), first.Raw)
	assert.Equal(t, "Red mug", at(t, first.Data, "orderStatus", "lines", 0, "product", "name"), first.Raw)

	s.move(t, "000000007", commerce.OrderOnHold)
	assert.Equal(t, "ON_HOLD", at(t, events.next(t).Data, "orderStatus", "status"))

	s.Fail(commerce.OpOrder, commerce.ErrUnavailable)
	s.move(t, "000000007", commerce.OrderCancelled)
	gap := events.next(t)
	assert.Equal(t, []string{"UNAVAILABLE"}, gap.codes(), gap.Raw)
	assert.Equal(t, []any{"orderStatus"}, gap.Errors[0].Path)
	assert.Nil(t, gap.Data["orderStatus"])
	s.Fail(commerce.OpOrder, nil)
	assert.Equal(t, "CANCELLED", at(t, events.next(t).Data, "orderStatus", "status"), "it comes back by itself")
}

// A part that cannot be had names its place as in a query.
func TestPathsBelowASubscriptionBeginAtItsRoot(t *testing.T) {
	t.Parallel()
	s := watching(t)
	s.Fail(commerce.OpAvailability, commerce.ErrUnavailable)
	first := s.watch(t, `subscription { mine: availability(skus: ["MUG-RED"]) { sku stock: availability { quantity } } }`, nil).next(t)
	require.Len(t, first.Errors, 1, first.Raw)
	assert.Equal(t, []any{"mine", 0.0, "stock"}, first.Errors[0].Path)
	require.Len(t, first.Extensions.Freshness, 1, first.Raw)
	assert.Equal(t, []any{"mine", 0.0, "stock"}, first.Extensions.Freshness[0].Path)
	assert.Equal(t, "missing", first.Extensions.Freshness[0].State)
}

// Nobody learns whether an order is somebody else's.
func TestAnOrderOfSomeoneElseIsNull(t *testing.T) {
	t.Parallel()
	s := watching(t)
	for name, headers := range map[string][]header{"nobody": nil, "somebody else": {{"Authorization", "Bearer C2"}}, "another tenant": {{"Authorization", "Bearer T1"}}} {
		events := s.watch(t, statusQuery, map[string]any{"id": "000000007"}, headers...)
		first := events.next(t)
		assert.JSONEq(t, `{"data":{"orderStatus":null}}`, first.Raw, name)
		assert.Equal(t, "complete", events.next(t).name, name)
		events.ended(t)
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// first is the first answer to a subscription, whose client leaves then.
func (s *shop) first(t testing.TB, query string, variables map[string]any, headers ...header) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://portico.test/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	w := &leaver{ResponseRecorder: httptest.NewRecorder(), leave: leave}
	s.handler.ServeHTTP(w, r)
	a := answer{Status: w.Code, Header: w.Header(), Raw: w.Body.String()}
	_, data, found := strings.Cut(a.Raw, "data: ")
	require.True(t, found, a.Raw)
	data, _, _ = strings.Cut(data, "\n")
	require.NoError(t, json.Unmarshal([]byte(data), &a), a.Raw)
	return a
}

// leaver is a client that leaves with the first answer.
type leaver struct {
	*httptest.ResponseRecorder

	leave context.CancelFunc
}

// Flush is called when an answer is complete.
func (l *leaver) Flush() { l.leave() }
