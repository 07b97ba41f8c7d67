package load

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Who is patient takes what others asked for. Nobody else waits for what the patient asked for.
func TestNobodyWaitsForThePatient(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	calls := make(chan []commerce.SKU, 3)
	ctx, l := Start(t.Context(), commerce.Ports{Catalog: catalogFunc(func(ctx context.Context, skus []commerce.SKU) map[commerce.SKU]*commerce.Product {
		calls <- skus
		if commerce.Patient(ctx) {
			<-held
		}
		return map[commerce.SKU]*commerce.Product{skus[0]: {SKU: skus[0]}}
	})}, commerce.Shopper{}, "retail")
	defer l.Close()
	defer close(held)
	later, part := l.Part(ctx)
	part.Products.Start(later, []commerce.SKU{"shared"})
	assert.Equal(t, []commerce.SKU{"shared"}, <-calls)
	p, found, err := l.Products.Get(ctx, "shared")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, commerce.SKU("shared"), p.SKU)
	assert.Equal(t, []commerce.SKU{"shared"}, <-calls, "it was asked for again")

	_, _, err = l.Products.Get(ctx, "ours")
	require.NoError(t, err)
	<-calls
	_, found, err = part.Products.Get(later, "ours")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Empty(t, calls, "it was not")
}

// What is noted of a part is that part's alone; what was read is the request's.
func TestAPartHasNotesOfItsOwn(t *testing.T) {
	t.Parallel()
	ctx, l := Start(t.Context(), commerce.Ports{}, commerce.Shopper{}, "retail")
	defer l.Close()
	later, part := l.Part(ctx)
	assert.Same(t, part, From(later))
	part.Used(commerce.OpPrices, nil, nil, commerce.ErrUnavailable)
	part.Fail(nil)
	assert.Empty(t, l.Freshness())
	assert.Empty(t, l.Failed())
	assert.Len(t, part.Freshness(), 1)
	assert.Len(t, part.Failed(), 1)
	assert.Equal(t, l.Group, part.Group)
}

type catalogFunc func(context.Context, []commerce.SKU) map[commerce.SKU]*commerce.Product

func (f catalogFunc) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return f(ctx, skus), nil
}
