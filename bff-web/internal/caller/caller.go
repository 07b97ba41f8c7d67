// Package caller carries who asks, and in which market, through a request.
package caller

import (
	"context"
	"net/http"

	"github.com/portico-bff/portico/bff-web/internal/scope"
	"github.com/portico-bff/portico/schema/commerce"
)

type (
	principalKey struct{}
	marketKey    struct{}
)

// WithPrincipal puts a verified principal into a context.
func WithPrincipal(ctx context.Context, p commerce.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, &p)
}

// From is r from a verified principal, which is not changed from here on.
func From(r *http.Request, p *commerce.Principal) *http.Request {
	return scope.Put(r, principalKey{}, p)
}

// WithMarket puts a resolved market into a context.
func WithMarket(ctx context.Context, m commerce.Market) context.Context {
	return context.WithValue(ctx, marketKey{}, &m)
}

// In is r in a resolved market, which is not changed from here on.
func In(r *http.Request, m *commerce.Market) *http.Request {
	return scope.Put(r, marketKey{}, m)
}

// Principal is who asks; anonymous when nobody was put into ctx.
func Principal(ctx context.Context) commerce.Principal {
	if p, ok := ctx.Value(principalKey{}).(*commerce.Principal); ok {
		return *p
	}
	return commerce.Principal{}
}

// Market is where the request shops; the zero value when none was put into ctx.
func Market(ctx context.Context) commerce.Market {
	if m, ok := ctx.Value(marketKey{}).(*commerce.Market); ok {
		return *m
	}
	return commerce.Market{}
}

// Shopper is the principal in the market.
func Shopper(ctx context.Context) commerce.Shopper {
	return commerce.Shopper{Market: Market(ctx), Principal: Principal(ctx)}
}
