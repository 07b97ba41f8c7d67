package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// Quick answers short requests by POST of callers who did not sign in, when their answer is
// kept, before a request gets a context of its own and passes the other steps: they would
// cost more than the answer. It asks what the steps ask, in as far as it can go wrong for
// such a request, and does nothing for one that any of them might refuse or answer in
// another way: that goes the whole way. Who asks so is limited, logged and counted as ever,
// and gets the same bytes.
type Quick struct {
	Route     string
	Answers   Literal
	Telemetry *telemetry.Telemetry
	Log       *slog.Logger
	Places    *Places
	CORS      *cors.Policy
	Limiter   *ratelimit.Limiter // nil limits nobody
	Markets   *market.Resolver
	Counted   func() // counts a request that is answered
}

// Literal finds answers by the very letters of requests.
type Literal interface {
	// Literally is what is kept for a request by POST with body, of somebody who did not
	// sign in and shops in m, and in which form; nil when the request has to be understood.
	// Nothing is counted.
	Literally(r *http.Request, body []byte, m *commerce.Market, now time.Time) (answer *cache.Answer, form string)
	// Tell answers the request with what is kept for it, and counts it. It answers how much it wrote.
	Tell(w http.ResponseWriter, r *http.Request, answer *cache.Answer, form string, now time.Time) int
}

// early is what is known of a request before it has a context of its own.
type early struct {
	smallBody
	market commerce.Market
}

// earlyRooms are used again, but for those whose body went on with its request.
var earlyRooms = sync.Pool{New: func() any { return new(early) }}

// Before has q asked before next. Where requests are traced it is not: their spans belong
// around all that is done.
func (q *Quick) Before(next http.Handler) http.Handler {
	if q.Telemetry.Tracing() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !short(r) {
			next.ServeHTTP(w, r)
			return
		}
		e, _ := earlyRooms.Get().(*early)
		e.began = time.Now()
		e.read(r.Body, int(r.ContentLength))
		if !e.whole || !q.answer(w, r, e) {
			r.Body = &e.takenIn
			next.ServeHTTP(w, r)
			return
		}
		e.body = nil
		earlyRooms.Put(e)
	})
}

// short tells whether r is one of those requests, as far as its length and its fields say.
func short(r *http.Request) bool {
	return r.Method == http.MethodPost && 0 < r.ContentLength && r.ContentLength <= roomForBody && len(r.Header["Authorization"]) == 0
}

// answer answers r, or answers false: then nothing was done.
func (q *Quick) answer(w http.ResponseWriter, r *http.Request, e *early) (done bool) {
	defer func() {
		if p := recover(); p != nil {
			if done { // with half of an answer written net/http has to break off
				panic(p)
			}
			q.Log.LogAttrs(context.Background(), slog.LevelError, "panic", slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
		}
	}()
	var err error
	if e.market, err = q.Markets.Resolve(hintsOf(r.Header)); err != nil {
		return false
	}
	answer, form := q.Answers.Literally(r, e.head, &e.market, e.began)
	if answer == nil || forged(q.CORS, r) != nil || !q.Places.take() {
		return false
	}
	defer q.Places.give()
	client := q.Limiter.Client(r.RemoteAddr, r.Header["X-Forwarded-For"])
	if client.Address(r.Context(), 1) != nil { // nothing was charged
		return false
	}
	done = true
	q.tell(w, r, e, client, answer, form)
	return true
}

// tell answers r and tells about it.
func (q *Quick) tell(w http.ResponseWriter, r *http.Request, e *early, client *ratelimit.Client, answer *cache.Answer, form string) {
	said := &struct { // in one piece
		id     [1]string
		market marketFields
	}{id: [1]string{requestid.New(only(r.Header[requestid.Header]))}}
	h := w.Header()
	h[requestid.Header] = said.id[:]
	tellOrigin(h, q.CORS, r)
	tellLimits(h, client)
	said.market.tell(h, &e.market)
	q.Counted()
	wrote := q.Answers.Tell(w, r, answer, form, e.began)
	now := time.Now()
	q.Telemetry.ObserveRequest(r.Context(), telemetry.Request{
		Method: http.MethodPost, Route: q.Route, Operation: answer.Name, Answer: string(cache.Hit), Status: http.StatusOK,
		Duration: now.Sub(e.began), At: now, Bytes: int64(wrote), RequestID: said.id[0],
	})
}
