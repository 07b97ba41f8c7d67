package caller

import (
	"context"

	"github.com/portico-bff/portico/edge/ratelimit"
)

type clientKey struct{}

// WithClient puts whose budgets a request is charged to into a context.
func WithClient(ctx context.Context, c *ratelimit.Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// Client is whose budgets the request is charged to; nil, which is not limited, when none
// was put into ctx.
func Client(ctx context.Context) *ratelimit.Client {
	c, _ := ctx.Value(clientKey{}).(*ratelimit.Client)
	return c
}
