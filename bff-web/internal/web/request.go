package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/portico-bff/portico/bff-web/internal/scope"
	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// RequestID names each request and tells the client.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestid.New(only(r.Header[requestid.Header]))
		r, own := scope.Begin(r)
		own.Name[0] = id
		w.Header()[requestid.Header] = own.Name[:]
		next.ServeHTTP(w, scope.Put(r, requestid.Key{}, &own.Name[0]))
	})
}

// Recover answers 500 where a handler panics, and logs why.
func Recover(log *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				value := recover()
				if value == nil {
					return
				}
				if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(value)
				}
				log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("requestId", requestid.From(r.Context())),
					slog.String("panic", fmt.Sprint(value)), slog.String("stack", string(debug.Stack())))
				Refuse(r.Context(), w, errPanic)
			}()
			next.ServeHTTP(w, r)
		})
	}
}

var errPanic = errors.New("a handler panicked")

// note is what later stages tell the log line of a request.
type note struct {
	operation, answer, ended string
	began                    time.Time
	made                     *recent.Made
}

type noteKey struct{}

// NoteOperation names the GraphQL operation for the request's log line.
func NoteOperation(ctx context.Context, name string) {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		n.operation = name
	}
}

// Began is when the request came in; now, when nobody observes it.
func Began(ctx context.Context) time.Time {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		return n.began
	}
	return time.Now()
}

// NoteAnswer says how the answer cache was used, for the request's log line.
func NoteAnswer(ctx context.Context, result string) {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		n.answer = result
	}
}

// NoteEnd says why a stream ended, for its log line.
func NoteEnd(ctx context.Context, why string) {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		n.ended = why
	}
}

// NoteMade says what is known of an answer that was made for the request.
func NoteMade(ctx context.Context, made *recent.Made) {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		n.made = made
	}
}

// Observe writes one log line and one measurement per request.
func Observe(t *telemetry.Telemetry, route string) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := &struct {
				recorder
				note
			}{recorder{ResponseWriter: w, status: http.StatusOK}, note{began: cameIn(r)}}
			rec, n := &seen.recorder, &seen.note
			r = scope.Put(r, noteKey{}, n)
			next.ServeHTTP(rec, r)
			now := time.Now()
			t.ObserveRequest(r.Context(), telemetry.Request{
				Method: r.Method, Route: route, Operation: n.operation, Answer: n.answer, Status: rec.status,
				Duration: now.Sub(n.began), At: now, Bytes: rec.bytes, RequestID: requestid.From(r.Context()), Made: n.made,
				Lasts: rec.lasts(), Ended: n.ended,
			})
		})
	}
}

// cameIn is when r came in: now, unless its body was read before and knows.
func cameIn(r *http.Request) time.Time {
	if t, ok := r.Body.(*takenIn); ok {
		return t.began
	}
	return time.Now()
}

// recorder counts what is answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// lasts tells whether the answer is a stream.
func (r *recorder) lasts() bool {
	return r.status == http.StatusSwitchingProtocols || strings.HasPrefix(only(r.Header()["Content-Type"]), "text/event-stream")
}

// Write counts bytes.
func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Places are what so many requests take at once.
type Places struct {
	most  int64
	taken atomic.Int64
}

// NewPlaces are most places.
func NewPlaces(most int) *Places { return &Places{most: int64(most)} }

// take takes a place, if one is free. It has to be given back.
func (p *Places) take() bool {
	for now := p.taken.Load(); now < p.most; now = p.taken.Load() {
		if p.taken.CompareAndSwap(now, now+1) {
			return true
		}
	}
	return false
}

func (p *Places) give() { p.taken.Add(-1) }

// InFlight refuses requests for which there is no place, with 503 and Retry-After.
func (p *Places) InFlight(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.take() {
			Refuse(r.Context(), w, commerce.ErrUnavailable)
			return
		}
		defer p.give()
		next.ServeHTTP(w, r)
	})
}

// Deadline ends what a request started, at the latest d after it came in.
func Deadline(d time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, end := scope.Within(r, Began(r.Context()).Add(d))
			defer end.Close()
			next.ServeHTTP(w, r)
		})
	}
}

// CloseChunked ends the connection behind a request whose length was not
// announced: where such a body ends is what request smuggling plays with.
func CloseChunked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 || len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
