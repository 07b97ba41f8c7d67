// Package web is the HTTP side of the web channel: what every request passes
// before GraphQL sees it. Each middleware does one thing; their order is one list
// in the channel's app.go.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/schema/commerce"
)

// Middleware wraps a handler.
type Middleware func(http.Handler) http.Handler

// Stack wraps handler so that the first of list sees a request first.
func Stack(handler http.Handler, list ...Middleware) http.Handler {
	for _, m := range slices.Backward(list) {
		handler = m(handler)
	}
	return handler
}

// statuses maps the kinds of error to HTTP statuses, for requests that are refused
// before GraphQL sees them.
var statuses = map[error]int{
	commerce.ErrInvalid:         http.StatusBadRequest,
	commerce.ErrUnauthenticated: http.StatusUnauthorized,
	commerce.ErrForbidden:       http.StatusForbidden,
	commerce.ErrNotFound:        http.StatusNotFound,
	commerce.ErrConflict:        http.StatusConflict,
	commerce.ErrRateLimited:     http.StatusTooManyRequests,
	commerce.ErrTimeout:         http.StatusGatewayTimeout,
	commerce.ErrUnavailable:     http.StatusServiceUnavailable,
	commerce.ErrUpstream:        http.StatusBadGateway,
	nil:                         http.StatusInternalServerError,
}

// Refuse answers a request with an error and nothing else, in GraphQL's form.
func Refuse(ctx context.Context, w http.ResponseWriter, err error) {
	kind := commerce.KindOf(err)
	if kind == nil && errors.Is(err, context.DeadlineExceeded) {
		kind = commerce.ErrTimeout
	}
	refuse(w, kind, graph.Public(ctx, err))
}

// refuse answers a request with what a client sees of an error of that kind.
func refuse(w http.ResponseWriter, kind error, shown *gqlerror.Error) {
	body, marshalErr := json.Marshal(map[string]gqlerror.List{"errors": {shown}})
	if marshalErr != nil {
		body = nil
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if kind == commerce.ErrUnauthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if (kind == commerce.ErrUnavailable || kind == commerce.ErrRateLimited) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(statuses[kind])
	_, _ = w.Write(body) // a client that left is no one's error
}
