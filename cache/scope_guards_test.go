package cache

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Without a price group nobody can say whose prices they are: each asker has their own,
// and says that nobody else may have them.
func TestC19_PricesOfNobodyAreSharedWithNobody(t *testing.T) {
	t.Parallel()
	up := &echo{}
	port := newCache(t, realTime).Wrap(up.ports(commerce.ScopePublic)).Pricing
	keys := []commerce.PriceKey{{SKU: "A", Quantity: 1}}
	for n := range 3 {
		ctx, sink := commerce.WithSink(t.Context())
		_, err := port.Prices(ctx, us, "", keys)
		require.NoError(t, err)
		assert.Equal(t, n+1, up.calls)
		require.Len(t, sink.Sources(), 1)
		assert.Equal(t, commerce.ScopeCustomer, sink.Sources()[0].Scope)
		assert.Empty(t, sink.Sources()[0].Tags)
	}
	for range 3 {
		ctx, sink := commerce.WithSink(t.Context())
		_, err := port.Prices(ctx, us, "retail", keys)
		require.NoError(t, err)
		assert.Equal(t, 4, up.calls)
		assert.Equal(t, commerce.ScopeSegment, sink.Sources()[0].Scope)
	}
}

// Whatever a kind declares, what is narrower than a price group does not go to Redis.
func TestC19_NothingNarrowerThanAGroupIsForRedis(t *testing.T) {
	t.Parallel()
	c := newCache(t, Config{RedisURL: urlOf(newRedis(t))})
	for op, policy := range policies {
		for scope := commerce.ScopeCustomer; scope <= commerce.ScopePublic; scope++ {
			traits := map[commerce.Operation]commerce.Traits{op: {System: "kind", Operation: op, Scope: scope}}
			p := wrapper{c, traits}.plan(op, codecOf[*commerce.Product]())
			shared := policy.Fresh > 0 && min(scope, policy.Scope) >= commerce.ScopeSegment
			assert.Equal(t, shared, p.remote, "%s, %s", op, scope)
		}
	}
}
