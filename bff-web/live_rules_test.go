package bffweb

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

// ask sends the payload of a subscription as it is, and answers what comes first.
func (p peer) ask(t testing.TB, id string, payload any) spoken {
	t.Helper()
	p.say(t, spoken{ID: id, Type: "subscribe", Payload: json.RawMessage(asJSON(t, payload))})
	return p.hear(t)
}

// codesOf are the codes of an error message.
func (m spoken) codesOf(t testing.TB) []string {
	t.Helper()
	require.Equal(t, "error", m.Type, string(m.Payload))
	var a answer
	require.NoError(t, json.Unmarshal(m.Payload, &a.Errors))
	return a.codes()
}

// A shop that answers trusted documents answers no other text, whichever way it comes.
func TestW14_OnlyTrustedDocumentsAreSubscribedTo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, dir, "shop", "1", stockQuery, trustedPage)
	s := served(t, documents.Config{Dir: dir, Poll: time.Hour}, defaultBounds(t))
	p := s.enter(t, `{}`)
	variables := redMug
	for name, c := range map[string]struct {
		asks map[string]any
		code string
	}{
		"free text":         {map[string]any{"query": `subscription { availability(skus: ["MUG-RED"]) { sku } }`}, "DOCUMENT_REQUIRED"},
		"a published text":  {map[string]any{"query": stockQuery, "variables": variables}, "DOCUMENT_REQUIRED"},
		"text beside an id": {map[string]any{"query": stockQuery, "documentId": idOf(stockQuery), "variables": variables}, "DOCUMENT_REQUIRED"},
		"unknown":           {map[string]any{"documentId": idOf("none")}, "DOCUMENT_UNKNOWN"},
		"wrong variables":   {map[string]any{"documentId": idOf(stockQuery), "variables": map[string]any{"skus": 5}}, "BAD_USER_INPUT"},
	} {
		assert.Equal(t, []string{c.code}, p.ask(t, name, c.asks).codesOf(t), name)
		a := s.post(t, asJSON(t, c.asks), header{"Accept", "text/event-stream"})
		assert.Equal(t, []string{c.code}, a.codes(), "%s, as events: %s", name, a.Raw)
	}
	assert.Zero(t, s.TotalCalls())
	known := map[string]any{"documentId": idOf(stockQuery), "variables": variables}
	m := p.ask(t, "known", known)
	assert.Equal(t, "next", m.Type, string(m.Payload))
	assert.Equal(t, string(m.Payload), s.subscribe(t, known).next(t).Raw)
	assert.Equal(t, []string{"SUBSCRIPTIONS_ONLY"}, p.ask(t, "no", map[string]any{"documentId": idOf(trustedPage), "variables": map[string]any{"sku": "MUG-RED"}}).codesOf(t))
}

// Who subscribes pays what a request of the same cost does, on a socket as by POST; and not
// for what is read again.
func TestW14_WhatIsSubscribedToIsCharged(t *testing.T) {
	t.Parallel()
	budget := func(b *edge.Backend) {
		var err error
		b.RateLimit, err = ratelimit.New(ratelimit.Config{Address: 100_000, Customer: 10}, ratelimit.Deps{Log: b.Log})
		assert.NoError(t, err)
	}
	const let = 3 // each costs 3 of 10: itself and two calls
	t.Run("events", func(t *testing.T) {
		t.Parallel()
		timely(t, func(t *testing.T, s *lively) {
			for i := range let {
				events := s.watch(t, stockQuery, redMug, header{"Authorization", "Bearer C1"})
				require.Equal(t, http.StatusOK, events.StatusCode, i)
				for pieces := range 4 {
					require.Equal(t, "next", events.next(t).name)
					s.restock(t, "MUG-RED", 10*i+pieces)
				}
				events.close()
			}
			events := s.watch(t, stockQuery, redMug, header{"Authorization", "Bearer C1"})
			assert.Equal(t, http.StatusTooManyRequests, events.StatusCode)
			assert.NotEmpty(t, events.Header.Get("Retry-After"))
		}, budget)
	})
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		timely(t, func(t *testing.T, s *lively) {
			p, asks := s.enter(t, `{"Authorization":"Bearer C1"}`), map[string]any{"query": stockQuery, "variables": redMug}
			for i := range let {
				require.Equal(t, "next", p.ask(t, "a", asks).Type, i)
				s.restock(t, "MUG-RED", 10+i)
				require.Equal(t, "next", p.hear(t).Type)
				p.say(t, spoken{ID: "a", Type: "complete"})
			}
			m := p.ask(t, "a", asks)
			assert.Equal(t, []string{"RATE_LIMITED"}, m.codesOf(t))
			assert.Contains(t, string(m.Payload), `"retryAfterMs":`)
		}, budget)
	})
}

// A guest's order is its token's holder's: for everybody else it is what no order is.
func TestAGuestWatchesAnOrderWithItsToken(t *testing.T) {
	t.Parallel()
	s := watching(t)
	id, payment := s.filled(t)
	placed := s.ok(t, place, map[string]any{"in": map[string]any{"cartId": id, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-1"}})
	number, _ := at(t, placed.Data, "orderPlace", "order", "number").(string)
	token, _ := at(t, placed.Data, "orderPlace", "orderToken").(string)
	require.NotEmpty(t, token, placed.Raw)
	events := s.watch(t, statusQuery, map[string]any{"id": number, "token": token})
	assert.Equal(t, number, at(t, events.next(t).Data, "orderStatus", "number"))
	p := s.enter(t, `{}`)
	m := p.ask(t, "a", map[string]any{"query": statusQuery, "variables": map[string]any{"id": number, "token": token}})
	assert.Contains(t, string(m.Payload), number)
	s.move(t, commerce.OrderNumber(number), commerce.OrderShipped)
	assert.Equal(t, "SHIPPED", at(t, events.next(t).Data, "orderStatus", "status"))
	assert.Contains(t, string(p.hear(t).Payload), `"SHIPPED"`)

	id2, _ := s.filled(t)
	other := s.ok(t, place, map[string]any{"in": map[string]any{"cartId": id2, "paymentMethod": payment, "idempotencyKey": "key-of-this-order-2"}})
	for name, c := range map[string]struct {
		number, token any
		who           []header
	}{
		"no token":                        {number, nil, nil},
		"a guessed token":                 {number, "guessed", nil},
		"another order's token":           {number, at(t, other.Data, "orderPlace", "orderToken"), nil},
		"a customer without the token":    {number, nil, []header{{"Authorization", "Bearer C1"}}},
		"a customer's order with a token": {"000000007", token, nil},
		"somebody else's order":           {"000000007", token, []header{{"Authorization", "Bearer C2"}}},
		"no order":                        {"000000099", token, nil},
	} {
		variables := map[string]any{"id": c.number, "token": c.token}
		events := s.watch(t, statusQuery, variables, c.who...)
		assert.JSONEq(t, `{"data":{"orderStatus":null}}`, events.next(t).Raw, name)
		assert.Equal(t, "complete", events.next(t).name, name)
		asked := s.ok(t, orderQuery, map[string]any{"n": c.number, "t": c.token}, c.who...)
		assert.JSONEq(t, `{"data":{"order":null}}`, asked.Raw, "as the query answers: %s", name)
	}
}

// Who asks is looked at again at each reading, and has to be who it was.
func TestW14_ATokenThatBecomesSomebodyElsesEndsItsStreams(t *testing.T) {
	t.Parallel()
	s := watching(t)
	events := s.watch(t, statusQuery, map[string]any{"id": "000000007"}, header{"Authorization", "Bearer C1"})
	require.Equal(t, "next", events.next(t).name)
	p := s.enter(t, `{"Authorization":"Bearer C1"}`)
	p.subscribe(t, "a", statusQuery, map[string]any{"id": "000000007"})
	require.Equal(t, "next", p.hear(t).Type)
	s.sessions.become("Bearer C2")
	s.move(t, "000000007", commerce.OrderOnHold)
	over := events.next(t)
	assert.Equal(t, []string{"UNAUTHENTICATED"}, over.codes(), over.Raw)
	assert.Equal(t, "complete", events.next(t).name)
	assert.Equal(t, []string{"UNAUTHENTICATED"}, p.hear(t).codesOf(t))
}

// What a client says on a socket panics nothing and leaves nothing.
func FuzzSocket(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init"}` + "\n" + subscribed + "\n" + `{"id":"1","type":"complete"}`,
		`{"type":"connection_init","payload":{"Authorization":"Bearer C1","X-Channel":"mars"}}`,
		`{"type":"connection_init","payload":null}` + "\n" + subscribed + "\n" + subscribed,
		`{"type":"connection_init"}` + "\n" + `{"id":"a","type":"subscribe","payload":{"query":"subscription($i:ID!){orderStatus(id:$i){status}}","variables":{"i":"000000007"}}}`,
		`{"type":"connection_init"}` + "\n" + `{"id":"a","type":"subscribe","payload":{"query":"{__typename}","extensions":{"persistedQuery":{}}}}`,
		`{"type":"ping","payload":{"x":1}}` + "\n" + `{"type":"pong"}` + "\n" + `{"type":"complete"}` + "\n" + `[]`,
		`{"type":"connection_init"}` + "\n" + `{"id":"` + strings.Repeat("x", 300) + `","type":"subscribe","payload":5}`,
	} {
		f.Add(seed)
	}
	s, answering := onPipes(f, live.Config{Most: 5, PerClient: 5, Reread: time.Hour})
	f.Fuzz(func(t *testing.T, text string) {
		p, _, err := s.dial(t, nil, "graphql-transport-ws")
		require.NoError(t, err)
		var heard sync.WaitGroup
		heard.Go(func() {
			for err := error(nil); err == nil; {
				_, err = p.next(t.Context())
			}
		})
		for said := range strings.SplitSeq(text, "\n") {
			if p.Write(t.Context(), websocket.MessageText, []byte(said)) != nil {
				break // it has been closed
			}
		}
		_ = p.CloseNow()
		heard.Wait()
		answering.Wait()
		assert.NotContains(t, s.log.String(), `"panic"`)
		assert.NotContains(t, s.log.String(), `internal error`)
		s.log.Reset()
		for range 5 { // all places are free again
			over, err := s.desk.Enter("a")
			require.NoError(t, err)
			defer over(live.Gone)
		}
	})
}
