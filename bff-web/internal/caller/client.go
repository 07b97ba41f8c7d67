package caller

import (
	"context"
	"net/http"

	"github.com/portico-bff/portico/bff-web/internal/scope"
	"github.com/portico-bff/portico/edge/ratelimit"
)

type clientKey struct{}

// ChargedTo is r that is charged to c's budgets.
func ChargedTo(r *http.Request, c *ratelimit.Client) *http.Request {
	return scope.Put(r, clientKey{}, c)
}

// Client is whose budgets the request is charged to; nil, which is not limited, when none
// was put into ctx.
func Client(ctx context.Context) *ratelimit.Client {
	c, _ := ctx.Value(clientKey{}).(*ratelimit.Client)
	return c
}
