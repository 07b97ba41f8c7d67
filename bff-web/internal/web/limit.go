package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

// LimitAddress charges each request to its address, before who sent it is known: a request
// costs 1. What it costs beyond that is charged when that is known.
func LimitAddress(limiter *ratelimit.Limiter) Middleware {
	return func(next http.Handler) http.Handler {
		if limiter == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			client := limiter.Client(r.RemoteAddr, r.Header["X-Forwarded-For"])
			if client == nil {
				next.ServeHTTP(w, r)
				return
			}
			r = caller.ChargedTo(r, client)
			ctx := r.Context()
			refused := client.Address(ctx, 1)
			TellLimits(ctx, w)
			if refused != nil {
				TooMany(ctx, w, refused)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// LimitCustomer charges each request to who signed in.
func LimitCustomer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		client, p := caller.Client(ctx), caller.Principal(ctx)
		if client == nil || p.Anonymous() {
			next.ServeHTTP(w, r)
			return
		}
		client.As(p)
		refused := client.Customer(ctx, 1)
		TellLimits(ctx, w)
		if refused != nil {
			TooMany(ctx, w, refused)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// TellLimits sets the fields that tell a client its budgets and what is left of them.
func TellLimits(ctx context.Context, w http.ResponseWriter) {
	tellLimits(w.Header(), caller.Client(ctx))
}

func tellLimits(h http.Header, client *ratelimit.Client) {
	policy, state := client.Fields()
	if policy == "" {
		return
	}
	values := []string{policy, state}
	h[policyField], h[stateField] = values[:1:1], values[1:]
}

// The fields' names as net/http has them.
var (
	policyField = http.CanonicalHeaderKey(ratelimit.PolicyField)
	stateField  = http.CanonicalHeaderKey(ratelimit.Field)
)

// TooMany answers a request that its budget does not have.
func TooMany(ctx context.Context, w http.ResponseWriter, r *ratelimit.Refused) {
	w.Header().Set("Retry-After", strconv.Itoa(r.Seconds()))
	shown := graph.Public(ctx, commerce.ErrRateLimited)
	shown.Message = fmt.Sprintf("too many requests: the budget %q of %d a minute has not enough left; come back in %d s", r.Budget, r.Most, r.Seconds())
	shown.Extensions["limit"], shown.Extensions["max"], shown.Extensions["retryAfterMs"] = r.Budget, r.Most, r.Wait.Milliseconds()
	refuse(w, commerce.ErrRateLimited, shown)
}
