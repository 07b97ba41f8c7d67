package magento_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func quantities(cart *commerce.Cart) map[commerce.SKU]int {
	byProduct := map[commerce.SKU]int{}
	for _, l := range cart.Lines {
		byProduct[l.SKU] += l.Quantity
	}
	return byProduct
}

// A merge that broke off goes on where it stopped: nothing is bought twice.
func TestMergeGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	theirs := r.filled(t, r.guest)
	_, err := r.ports.CartLines.AddLine(t.Context(), r.guest, theirs.ID, r.fixture.Products[1], 3)
	require.NoError(t, err)
	r.on("DELETE /V1/guest-carts/{id}/items/{itemId}", cutAfter)
	_, err = r.ports.Carts.Merge(t.Context(), r.customer(), theirs.ID)
	require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
	r.on("DELETE /V1/guest-carts/{id}/items/{itemId}", nil)
	merged, err := r.ports.Carts.Merge(t.Context(), r.customer(), theirs.ID)
	require.NoError(t, err)
	assert.Equal(t, map[commerce.SKU]int{r.fixture.Products[0]: 2, r.fixture.Products[1]: 3}, quantities(merged))
	again, err := r.ports.Carts.Merge(t.Context(), r.customer(), theirs.ID)
	require.NoError(t, err)
	assert.Equal(t, merged, again)
}

func TestMergeLeavesWhatIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	theirs := r.filled(t, r.guest)
	theirs, err := r.ports.CartLines.AddLine(t.Context(), r.guest, theirs.ID, r.fixture.Products[1], 1)
	require.NoError(t, err)
	mine, err := r.ports.Carts.Create(t.Context(), r.customer())
	require.NoError(t, err)
	all := 0 // that is in stock of the first product
	for n := 512; n > 0; n /= 2 {
		if cart, err := r.ports.CartLines.AddLine(t.Context(), r.customer(), mine.ID, r.fixture.Products[0], n); err == nil {
			all = cart.Quantity()
		}
	}
	require.Positive(t, all)
	_, err = r.ports.Carts.Merge(t.Context(), r.customer(), theirs.ID)
	assert.Equal(t, commerce.CodeOutOfStock, inputError(t, err).Code)
	left, err := r.ports.Carts.Cart(t.Context(), r.guest, theirs.ID)
	require.NoError(t, err)
	assert.Equal(t, map[commerce.SKU]int{r.fixture.Products[0]: 2}, quantities(left))
	merged, err := r.ports.Carts.Cart(t.Context(), r.customer(), mine.ID)
	require.NoError(t, err)
	assert.Equal(t, map[commerce.SKU]int{r.fixture.Products[0]: all, r.fixture.Products[1]: 1}, quantities(merged))
}

func TestMergeWhatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine := r.filled(t, r.customer())
	theirs := r.filled(t, r.guest)
	r.reset()
	_, err := r.ports.Carts.Merge(t.Context(), r.guest, theirs.ID)
	require.ErrorIs(t, err, commerce.ErrUnauthenticated)
	_, err = r.ports.Carts.Merge(t.Context(), r.customer(), mine.ID)
	require.ErrorIs(t, err, commerce.ErrNotFound, "not a guest's")
	assert.Zero(t, r.count(""))
	_, err = r.ports.Carts.Merge(t.Context(), r.customer(), commerce.CartID("g_"+strings.Repeat("x", 32)))
	require.ErrorIs(t, err, commerce.ErrNotFound)
	stranger := commerce.Shopper{Market: r.fixture.Market, Principal: r.fixture.Nobody}
	_, err = r.ports.Carts.Merge(t.Context(), stranger, theirs.ID)
	require.ErrorIs(t, err, commerce.ErrNotFound)
	assert.Empty(t, r.writes())
}

// Writes to one cart take turns: what comes at once is all there in the end.
func TestParallelWritesToOneCart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.filled(t, r.guest)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := r.ports.CartLines.AddLine(t.Context(), r.guest, cart.ID, r.fixture.Products[1], 1)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	after, err := r.ports.Carts.Cart(t.Context(), r.guest, cart.ID)
	require.NoError(t, err)
	assert.Equal(t, 20, quantities(after)[r.fixture.Products[1]])
}
