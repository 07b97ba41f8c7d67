package graphhttp

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

// admitted is a subscription that may run, in its context.
type admitted struct {
	sub   *subscription
	ctx   context.Context //nolint:containedctx // of the subscription, on its way to who runs it
	leave context.CancelFunc
	over  func(why string)
}

// admit takes what a client subscribes to through what a request goes through: the
// documents that are trusted, limits, budgets, and the bounds of the desk. The request's
// own scope is for one operation, so that each has a request of its own.
func (s *socket) admit(payload json.RawMessage) (_ *admitted, err error) {
	ctx, leave := context.WithCancel(s.who)
	defer func() {
		if err != nil {
			leave()
		}
	}()
	asks, err := decode(payload)
	if err != nil {
		return nil, err
	}
	client := caller.Client(s.asked.Context())
	own := &http.Request{Method: http.MethodPost, Header: s.asked.Header, RemoteAddr: s.asked.RemoteAddr}
	r, err := s.trusted(caller.ChargedTo(own.WithContext(ctx), client), asks)
	if err != nil {
		return nil, err
	}
	ctx = r.Context()
	oc, errs := s.prepare(ctx, s.exec, &asks.RawParams)
	if len(errs) > 0 {
		return nil, s.exec.DispatchError(graphql.WithOperationContext(ctx, oc), errs).Errors
	}
	if oc.Operation.Operation != ast.Subscription {
		return nil, errNotLive
	}
	sub, err := s.subscribe(s.exec, oc, s.token)
	if err != nil {
		return nil, err
	}
	refused := client.Both(ctx, 1) // as a request costs
	if refused == nil {
		refused, _ = s.spend(ctx, oc)
	}
	if refused != nil {
		return nil, gqlerror.List{tooMany(ctx, refused)}
	}
	over, err := s.Live.Desk.Enter(clientOf(caller.Principal(ctx), s.Live.Address(s.asked)))
	if err != nil {
		return nil, notLetIn(err)
	}
	s.used(r, documents.From(ctx))
	return &admitted{sub, ctx, leave, over}, nil
}

// tooMany is what a client is told whose budget has not enough left.
func tooMany(ctx context.Context, r *ratelimit.Refused) *gqlerror.Error {
	shown := graph.Public(ctx, commerce.ErrRateLimited)
	shown.Extensions["limit"], shown.Extensions["max"], shown.Extensions["retryAfterMs"] = r.Budget, r.Most, r.Wait.Milliseconds()
	return shown
}
