package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// RequestID names each request and tells the client.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestid.New(r.Header.Get(requestid.Header))
		w.Header().Set(requestid.Header, id)
		next.ServeHTTP(w, r.WithContext(requestid.With(r.Context(), id)))
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
	operation, answer string
	began             time.Time
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

// Observe writes one log line and one measurement per request.
func Observe(t *telemetry.Telemetry, route string) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			n := &note{began: start}
			rec := &recorder{ResponseWriter: w, status: http.StatusOK}
			ctx := context.WithValue(r.Context(), noteKey{}, n)
			next.ServeHTTP(rec, r.WithContext(ctx))
			t.ObserveRequest(ctx, telemetry.Request{
				Method: r.Method, Route: route, Operation: n.operation, Answer: n.answer, Status: rec.status,
				Duration: time.Since(start), Bytes: rec.bytes, RequestID: requestid.From(ctx),
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

// Write counts bytes.
func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// ReadBody takes a body in before anything else is done for its request, so that
// a client that sends slowly holds its own connection and nobody's slot. It keeps
// no more than most bytes; whoever reads on gets the rest, or the error, as ever.
func ReadBody(most int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := r.Body
			head, err := io.ReadAll(io.LimitReader(body, most+1))
			rest := io.Reader(body)
			if err != nil {
				rest = broken{err}
			}
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(bytes.NewReader(head), rest), body}
			next.ServeHTTP(w, r)
		})
	}
}

// broken is the rest of a body that could not be read.
type broken struct{ err error }

// Read answers the error.
func (b broken) Read([]byte) (int, error) { return 0, b.err }

// InFlight refuses requests beyond most at once, with 503 and Retry-After.
func InFlight(most int) Middleware {
	slots := make(chan struct{}, most)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				next.ServeHTTP(w, r)
			default:
				Refuse(r.Context(), w, commerce.ErrUnavailable)
			}
		})
	}
}

// Deadline ends what a request started after d.
func Deadline(d time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
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
