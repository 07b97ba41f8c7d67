// Package caller carries who asks, and in which market, through a request.
package caller

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

type (
	principalKey struct{}
	marketKey    struct{}
)

// WithPrincipal puts a verified principal into a context.
func WithPrincipal(ctx context.Context, p commerce.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// WithMarket puts a resolved market into a context.
func WithMarket(ctx context.Context, m commerce.Market) context.Context {
	return context.WithValue(ctx, marketKey{}, m)
}

// Principal is who asks; anonymous when nobody was put into ctx.
func Principal(ctx context.Context) commerce.Principal {
	p, _ := ctx.Value(principalKey{}).(commerce.Principal)
	return p
}

// Market is where the request shops; the zero value when none was put into ctx.
func Market(ctx context.Context) commerce.Market {
	m, _ := ctx.Value(marketKey{}).(commerce.Market)
	return m
}

// Shopper is the principal in the market.
func Shopper(ctx context.Context) commerce.Shopper {
	return commerce.Shopper{Market: Market(ctx), Principal: Principal(ctx)}
}
