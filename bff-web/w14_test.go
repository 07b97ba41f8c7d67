package bffweb

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/schema/commerce"
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
	for text, code := range map[string]string{
		`{"query":"{ product(sku: \"MUG-RED\") { name } }"}`:                                                         "NOT_ACCEPTABLE",
		`{"query":"subscription { availability(skus: []) { sku } }"}`:                                                "BAD_USER_INPUT",
		`{"query":"subscription { __typename }"}`:                                                                    "",
		`{"query":"subscription { a: availability(skus: [\"A\"]) { sku } b: availability(skus: [\"A\"]) { sku } }"}`: "",
		`{"query":"subscription { orderStatus(id: \"no number\") { status } }"}`:                                     "BAD_USER_INPUT",
		`{"query":"subscription { availability(skus: [\"MUG-RED\"]) { sku } }","documentId":"x"}`:                    "BAD_REQUEST",
		`{"query":"subscription ($s: [String!]!) { availability(skus: $s) { sku } }","variables":{"s":["A B"]}}`:     "BAD_USER_INPUT",
	} {
		a := s.post(t, text, header{"Accept", "text/event-stream"})
		assert.GreaterOrEqual(t, a.Status, 400, a.Raw)
		require.Len(t, a.Errors, 1, a.Raw)
		if code != "" {
			assert.Equal(t, []string{code}, a.codes(), text)
		}
	}
	assert.Zero(t, s.TotalCalls())
}

// A client that takes events, and JSON for what is none, is answered as any other.
func TestW14_AQueryOfAClientThatAlsoTakesEventsIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.post(t, `{"query":"{ product(sku: \"MUG-RED\") { name } }"}`, header{"Accept", "application/json, text/event-stream"})
	assert.JSONEq(t, `{"data":{"product":{"name":"Red mug"}}}`, a.Raw)
}

// spoken is a message of the protocol.
type spoken struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// peer is a client of a WebSocket.
type peer struct{ *websocket.Conn }

func (s *lively) dial(t testing.TB, headers http.Header, protocols ...string) (peer, *http.Response, error) {
	t.Helper()
	conn, res, err := websocket.Dial(t.Context(), s.url+Route, &websocket.DialOptions{HTTPClient: &http.Client{Transport: s.client.Transport}, HTTPHeader: headers, Subprotocols: protocols})
	if err == nil {
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return peer{conn}, res, err
}

// enter is a connection whose client has said who it is.
func (s *lively) enter(t testing.TB, payload string) peer {
	t.Helper()
	p, _, err := s.dial(t, nil, "graphql-transport-ws")
	require.NoError(t, err)
	p.say(t, spoken{Type: "connection_init", Payload: json.RawMessage(payload)})
	require.Equal(t, "connection_ack", p.hear(t).Type)
	return p
}

func (p peer) say(t testing.TB, m spoken) {
	t.Helper()
	text, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, p.Write(t.Context(), websocket.MessageText, text))
}

func (p peer) subscribe(t testing.TB, id, query string, variables map[string]any) {
	t.Helper()
	p.say(t, spoken{ID: id, Type: "subscribe", Payload: json.RawMessage(asJSON(t, map[string]any{"query": query, "variables": variables}))})
}

func (p peer) hear(t testing.TB) spoken {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	m, err := p.next(ctx)
	require.NoError(t, err)
	return m
}

// next waits for the next message until ctx ends, and for nothing else.
func (p peer) next(ctx context.Context) (m spoken, err error) {
	_, data, err := p.Read(ctx)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	return m, err
}

// closed waits for the connection's end, and answers its code.
func (p peer) closed(t testing.TB) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for {
		if _, _, err := p.Read(ctx); err != nil {
			require.NoError(t, ctx.Err())
			return websocket.CloseStatus(err)
		}
	}
}

func TestW14_ASocketSubscribesAndCompletes(t *testing.T) {
	t.Parallel()
	s := watching(t)
	s.restock(t, "MUG-RED", 7)
	p := s.enter(t, `{"Authorization":"Bearer C1","other":{}}`)
	p.subscribe(t, "a", stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
	first := p.hear(t)
	assert.Equal(t, spoken{ID: "a", Type: "next", Payload: first.Payload}, first)
	assert.JSONEq(t, `{"data":{"availability":[{"sku":"MUG-RED","availability":{"quantity":7,"inStock":true}}]}}`, string(first.Payload))
	s.restock(t, "MUG-RED", 3)
	assert.Contains(t, string(p.hear(t).Payload), `"quantity":3`)

	p.say(t, spoken{ID: "a", Type: "complete"})
	p.subscribe(t, "a", statusQuery, map[string]any{"id": "000000007"})
	assert.Contains(t, string(p.hear(t).Payload), `"status":"DELIVERED"`, "the id is free again, and the caller is C1")
	p.subscribe(t, "b", statusQuery, map[string]any{"id": "000000099"})
	assert.JSONEq(t, `{"data":{"orderStatus":null}}`, string(p.hear(t).Payload))
	assert.Equal(t, spoken{ID: "b", Type: "complete"}, p.hear(t))
	p.say(t, spoken{Type: "ping"})
	assert.Equal(t, "pong", p.hear(t).Type)
	p.subscribe(t, "c", `{ me { profile { email } } }`, nil)
	refused := p.hear(t)
	assert.Equal(t, "error", refused.Type)
	assert.Contains(t, string(refused.Payload), "SUBSCRIPTIONS_ONLY")
}

func TestW14_OnlyListedOriginsOpenASocket(t *testing.T) {
	t.Parallel()
	s := watching(t)
	for origin, welcome := range map[string]bool{"": true, "https://shop.example": true, s.url: true, "https://evil.example": false, "null": false, "https://shop.example.evil.example": false} {
		headers := http.Header{}
		if origin != "" {
			headers.Set("Origin", origin)
		}
		p, res, err := s.dial(t, headers, "graphql-transport-ws")
		if !welcome {
			require.Error(t, err, origin)
			assert.Equal(t, http.StatusForbidden, res.StatusCode, origin)
			continue
		}
		require.NoError(t, err, origin)
		assert.Equal(t, "graphql-transport-ws", p.Subprotocol())
	}
}

func TestW14_WhoDoesNotSayWhoItIsIsClosedAfterThreeSeconds(t *testing.T) {
	t.Parallel()
	s := watching(t)
	p, _, err := s.dial(t, nil, "graphql-transport-ws")
	require.NoError(t, err)
	began := time.Now()
	assert.Equal(t, websocket.StatusCode(4408), p.closed(t))
	assert.GreaterOrEqual(t, time.Since(began), 2500*time.Millisecond)
}

func TestW14_WhatBreaksTheProtocolIsClosed(t *testing.T) {
	t.Parallel()
	s := watching(t)
	for name, c := range map[string]struct {
		code websocket.StatusCode
		say  []string
	}{
		"no JSON":            {4400, []string{"{"}},
		"unknown type":       {4400, []string{`{"type":"connection_init"}`, `{"type":"start"}`}},
		"subscribe before":   {4401, []string{`{"id":"1","type":"subscribe","payload":{}}`}},
		"bad token":          {4401, []string{`{"type":"connection_init","payload":{"Authorization":"Bearer X"}}`}},
		"bad market":         {4403, []string{`{"type":"connection_init","payload":{"X-Channel":"mars"}}`}},
		"init twice":         {4429, []string{`{"type":"connection_init"}`, `{"type":"connection_init"}`}},
		"the same id twice":  {4409, []string{`{"type":"connection_init"}`, subscribed, subscribed}},
		"payload of numbers": {4400, []string{`{"type":"connection_init","payload":{"Authorization":1}}`}},
		"too long":           {websocket.StatusMessageTooBig, []string{fmt.Sprintf(`{"type":"ping","payload":{"x":"%040000d"}}`, 1)}},
	} {
		p, _, err := s.dial(t, nil, "graphql-transport-ws")
		require.NoError(t, err)
		for _, text := range c.say {
			_ = p.Write(t.Context(), websocket.MessageText, []byte(text)) // it may be closed by now
		}
		assert.Equal(t, c.code, p.closed(t), name)
	}
	p, _, err := s.dial(t, nil, "graphql-ws")
	require.NoError(t, err)
	assert.Equal(t, websocket.StatusCode(4406), p.closed(t), "the older protocol")
}

const subscribed = `{"id":"1","type":"subscribe","payload":{"query":"subscription { availability(skus: [\"MUG-RED\"]) { sku } }"}}`

func TestW14_AConnectionHasAHundredSubscriptions(t *testing.T) {
	t.Parallel()
	s := watching(t)
	p := s.enter(t, `{}`)
	for i := range 101 {
		p.subscribe(t, fmt.Sprint(i), stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
	}
	answered := map[string]int{}
	for range 101 {
		m := p.hear(t)
		answered[m.Type]++
		if m.Type == "error" {
			assert.Equal(t, "100", m.ID)
			assert.Contains(t, string(m.Payload), "SUBSCRIPTION_LIMIT")
		}
	}
	assert.Equal(t, map[string]int{"next": 100, "error": 1}, answered)
	assert.LessOrEqual(t, s.Calls(commerce.OpAvailability), 2, "all of them cost what one does")
}

// A session's end, and no more than five seconds: with an error, on events and on a socket.
func TestW14_AStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s := watching(t)
	ends := time.Now().Add(8 * time.Second) // both have to be in before
	s.sessions.end(ends)
	p := s.enter(t, `{"Authorization":"Bearer C1"}`)
	events := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED"}}, header{"Authorization", "Bearer C1"})
	p.subscribe(t, "a", statusQuery, map[string]any{"id": "000000007"})
	require.Equal(t, "next", p.hear(t).Type)
	require.Equal(t, "next", events.next(t).name)

	over := events.next(t)
	assert.Equal(t, []string{"UNAUTHENTICATED"}, over.codes(), over.Raw)
	assert.Equal(t, "complete", events.next(t).name)
	events.ended(t)
	told := p.hear(t)
	assert.Equal(t, "error", told.Type)
	assert.Contains(t, string(told.Payload), "UNAUTHENTICATED")
	assert.Equal(t, websocket.StatusCode(4401), p.closed(t))
	assert.Less(t, time.Since(ends), 30*time.Second) // TestW14_ASessionsEndIsKeptToTheSecond has the bound
}

// Whose token is no longer good before its time loses its stream with the next reading.
func TestW14_AStreamEndsWhenItsTokenIsNoLongerGood(t *testing.T) {
	t.Parallel()
	s := watching(t)
	events := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED"}}, header{"Authorization", "Bearer C1"})
	require.Equal(t, "next", events.next(t).name)
	s.sessions.revoke()
	s.restock(t, "MUG-RED", 1)
	assert.Equal(t, []string{"UNAUTHENTICATED"}, events.next(t).codes())
	assert.Equal(t, "complete", events.next(t).name)
}

func TestW14_ClientsAndTheProcessHaveSoMany(t *testing.T) {
	t.Parallel()
	s := watchingAtMost(t, live.Config{Most: 3, PerClient: 2, Reread: time.Minute})
	variables := map[string]any{"skus": []string{"MUG-RED"}}
	mine := header{"Authorization", "Bearer C1"}
	for range 2 {
		require.Equal(t, "next", s.watch(t, stockQuery, variables, mine).next(t).name)
	}
	third := s.watch(t, stockQuery, variables, mine)
	assert.Equal(t, http.StatusTooManyRequests, third.StatusCode)
	p := s.enter(t, `{"Authorization":"Bearer C1"}`)
	p.subscribe(t, "a", stockQuery, variables)
	assert.Contains(t, string(p.hear(t).Payload), "SUBSCRIPTION_LIMIT", "on a socket as well")
	require.NoError(t, p.Close(websocket.StatusNormalClosure, ""))

	last := s.watch(t, stockQuery, variables)
	require.Equal(t, "next", last.next(t).name)
	fourth := s.watch(t, stockQuery, variables)
	assert.Equal(t, http.StatusServiceUnavailable, fourth.StatusCode)
	assert.NotEmpty(t, fourth.Header.Get("Retry-After"))
	last.close()
	require.Eventually(t, func() bool {
		again := s.watch(t, stockQuery, variables)
		defer again.close()
		return again.StatusCode == http.StatusOK
	}, soon, 10*time.Millisecond, "who leaves makes room")
}

// A process that stops completes what is open before it waits for requests.
func TestW14_AProcessThatStopsCompletesItsStreams(t *testing.T) {
	t.Parallel()
	s := watching(t)
	p := s.enter(t, `{}`)
	p.subscribe(t, "a", stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
	events := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
	require.Equal(t, "next", p.hear(t).Type)
	require.Equal(t, "next", events.next(t).name)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.desk.Close(ctx) }()
	assert.Equal(t, "complete", events.next(t).name)
	assert.Equal(t, spoken{ID: "a", Type: "complete"}, p.hear(t))
	assert.Equal(t, websocket.StatusGoingAway, p.closed(t))
	require.NoError(t, <-stopped)
	late := s.watch(t, stockQuery, map[string]any{"skus": []string{"MUG-RED"}})
	assert.Equal(t, http.StatusServiceUnavailable, late.StatusCode)
}
