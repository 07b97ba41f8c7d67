package graphhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/schema/commerce"
)

const eventType = "text/event-stream"

// AcceptsEvents tells whether a client takes a stream of events for an answer.
func AcceptsEvents(h http.Header) bool {
	accept := only(h["Accept"])
	if !strings.Contains(strings.ToLower(accept), eventType) { // as of nearly all
		return false
	}
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err == nil && mediaType == eventType && quality(params["q"]) > 0 {
			return true
		}
	}
	return false
}

var (
	errNoStream = &refusal{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "a subscription is answered as " + eventType + ", by POST, or over a WebSocket", ""}
	errNoEvents = &refusal{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "only subscriptions are answered as " + eventType + "; answers are " + graphType + " or " + jsonType, ""}
)

// Events answers requests of clients that take a stream of events: a subscription with
// one, as graphql-sse has it ("distinct connections"), and anything else as [Transport.Handler]
// does. Its requests have no deadline: what is no stream gets one here.
func (t *Transport) Events(exec graphql.GraphExecutor) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := receive(w, r)
		onlyEvents := errors.Is(err, errNoType)
		if onlyEvents {
			in.out.mediaType = graphType
			in.body, err = take(w, r)
		}
		if err != nil {
			in.out.refuse(r.Context(), err)
			return
		}
		in.edition, in.out.began = t.Documents.Generation(), t.cameIn(r.Context())
		asks, err := read(r, in.body)
		if err == nil {
			r, err = t.trusted(r, asks)
		}
		if err != nil {
			in.out.refuse(r.Context(), err)
			return
		}
		params := &asks.RawParams
		oc, errs := t.prepare(r.Context(), exec, params)
		switch {
		case len(errs) > 0:
			in.out.failed(exec.DispatchError(graphql.WithOperationContext(r.Context(), oc), errs))
		case oc.Operation.Operation == ast.Subscription:
			t.stream(&in.out, r, exec, oc)
		case onlyEvents:
			in.out.refuse(r.Context(), errNoEvents)
		default:
			ctx, cancel := context.WithTimeout(r.Context(), t.Live.Timeout)
			defer cancel()
			params.Headers = r.Header
			t.answer(&in.out, r.WithContext(ctx), exec, asked{params, &in, t.question(ctx, in.out.mediaType, params)})
		}
	})
}

// stream answers a subscription with events until it ends.
func (t *Transport) stream(out *writer, r *http.Request, exec graphql.GraphExecutor, oc *graphql.OperationContext) {
	ctx := r.Context()
	if t.Observe != nil {
		t.Observe(ctx, oc.Operation.Name)
	}
	if r.Method != http.MethodPost {
		out.Header().Set("Allow", "POST")
		out.refuse(ctx, &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "subscriptions need POST", ""})
		return
	}
	s, err := t.subscribe(exec, oc, only(r.Header["Authorization"]))
	if err != nil {
		out.failed(&graphql.Response{Errors: gqlerror.List{graph.Public(ctx, err)}})
		return
	}
	if refused := t.charge(ctx, out, oc); refused != nil {
		t.TooMany(ctx, out, refused)
		return
	}
	over, err := t.Live.Desk.Enter(clientOf(caller.Principal(ctx), t.Live.Address(r)))
	if err != nil {
		out.refuse(ctx, notLetIn(err))
		return
	}
	t.used(r, documents.From(ctx))
	w := out.ResponseWriter
	t.Live.Stay(ctx, func() {
		why := live.Failed
		defer func() {
			over(why)
			t.Live.Ended(ctx, why)
		}()
		events := openEvents(w)
		var err error
		why, err = s.run(ctx, sink{next: events.next, beat: events.beat})
		events.end(ctx, why, err)
	})
}

// clientOf names whose subscriptions are counted together.
func clientOf(p commerce.Principal, address string) string {
	if p.Anonymous() {
		return "address " + address
	}
	return "customer " + p.Tenant + " " + p.Subject
}

// notLetIn is what a client is told that the desk did not let in.
func notLetIn(err error) error {
	switch {
	case errors.Is(err, live.ErrOff):
		return &refusal{http.StatusBadRequest, "NO_SUBSCRIPTIONS", err.Error(), ""}
	case errors.Is(err, live.ErrClient):
		return &refusal{http.StatusTooManyRequests, "SUBSCRIPTION_LIMIT", err.Error(), ""}
	default:
		return &refusal{http.StatusServiceUnavailable, "UNAVAILABLE", err.Error(), ""}
	}
}

// events is a stream of events to one client.
type events struct {
	w  http.ResponseWriter
	on *http.ResponseController
}

// openEvents begins a stream. The server's own deadlines are for answers that end.
func openEvents(w http.ResponseWriter) events {
	e := events{w: w, on: http.NewResponseController(w)}
	_ = e.on.SetReadDeadline(time.Time{}) // where it is not there, nothing has a deadline
	h := w.Header()
	h.Set("Content-Type", eventType+"; charset=utf-8")
	h.Set("Cache-Control", ownersOnly)
	h.Set("X-Accel-Buffering", "no") // nginx holds answers back until they are many
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(http.StatusOK)
	return e
}

func (e events) next(body []byte) error {
	const head, tail = "event: next\ndata: ", "\n\n"
	b := bytes.NewBuffer(make([]byte, 0, len(head)+len(body)+len(tail)))
	b.WriteString(head)
	b.Write(body) // JSON on one line
	b.WriteString(tail)
	return e.send(b.Bytes())
}

func (e events) beat() error { return e.send([]byte(":\n\n")) }

// end tells the client why nothing follows, if it is still there.
func (e events) end(ctx context.Context, why string, err error) {
	if why == live.Gone || why == live.Slow {
		return
	}
	if err != nil {
		body, _ := json.Marshal(map[string]gqlerror.List{"errors": {endOf(ctx, err)}}) // texts always encode
		if e.next(body) != nil {
			return
		}
	}
	_ = e.send([]byte("event: complete\ndata:\n\n")) // a client that left is no one's error
}

// endOf is what a client is told of an error that ended its subscription.
func endOf(ctx context.Context, err error) *gqlerror.Error {
	shown := graph.Public(ctx, err)
	if errors.Is(err, commerce.ErrUnauthenticated) {
		shown.Message = "the session is over: sign in, and subscribe again"
	}
	return shown
}

// send writes text, all of it or nothing that counts.
func (e events) send(text []byte) error {
	if err := e.on.SetWriteDeadline(time.Now().Add(takeIn)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(text); err != nil {
		return err
	}
	return e.on.Flush()
}
