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
			}{recorder{ResponseWriter: w, status: http.StatusOK}, note{began: time.Now()}}
			rec, n := &seen.recorder, &seen.note
			r = scope.Put(r, noteKey{}, n)
			next.ServeHTTP(rec, r)
			t.ObserveRequest(r.Context(), telemetry.Request{
				Method: r.Method, Route: route, Operation: n.operation, Answer: n.answer, Status: rec.status,
				Duration: time.Since(n.began), Bytes: rec.bytes, RequestID: requestid.From(r.Context()), Made: n.made,
				Lasts: rec.lasts(), Ended: n.ended,
			})
		})
	}
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

// InFlight refuses requests beyond most at once, with 503 and Retry-After.
func InFlight(most int) Middleware {
	var taken atomic.Int64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for now := taken.Load(); ; now = taken.Load() {
				if now >= int64(most) {
					Refuse(r.Context(), w, commerce.ErrUnavailable)
					return
				}
				if taken.CompareAndSwap(now, now+1) {
					break
				}
			}
			defer taken.Add(-1)
			next.ServeHTTP(w, r)
		})
	}
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
