package cache

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// "There is none" and "that cannot be asked" are answers of a healthy system: the
// report must not call it missing.
func TestARefusalIsNoOutage(t *testing.T) {
	t.Parallel()
	c, err := New(realTime, Deps{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	shop := commercetest.NewShop()
	ports, f := c.Wrap(shop.Ports()), shop.Fixture()

	ctx, sink := commerce.WithSink(t.Context())
	_, err = ports.OrderHistory.Order(ctx, f.Customer, "no-such-order")
	require.ErrorIs(t, err, commerce.ErrNotFound)
	_, err = ports.Customers.Customer(ctx, f.Nobody)
	require.ErrorIs(t, err, commerce.ErrNotFound)
	_, err = ports.Search.Search(ctx, f.Market, commerce.SearchQuery{First: 5, After: "not a cursor"})
	require.ErrorIs(t, err, commerce.ErrInvalid)
	for _, source := range sink.Sources() {
		assert.Equal(t, commerce.StateFresh, source.State, "%s", source.Operation)
		assert.Empty(t, source.Reason)
	}

	shop.Fail(commerce.OpOrder, commerce.ErrUnavailable)
	ctx, sink = commerce.WithSink(t.Context())
	_, err = ports.OrderHistory.Order(ctx, f.Customer, f.Order)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	require.Len(t, sink.Sources(), 1)
	assert.Equal(t, commerce.StateMissing, sink.Sources()[0].State)
}
