package sandboxtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

func TestFixtureIsTrueOfTheWorld(t *testing.T) {
	t.Parallel()
	w, err := world.Load()
	require.NoError(t, err)
	f := sandboxtest.FixtureOf(w)
	for _, sku := range f.Products {
		p := w.BySKU(string(sku))
		require.NotNil(t, p, sku)
		assert.True(t, p.Published)
		assert.NotEmpty(t, p.Descriptions["fr"])
		assert.Greater(t, w.Free(p.ID), 20, sku)
	}
	assert.Nil(t, w.BySKU(string(f.Unknown)))
	assert.Zero(t, w.Free(w.BySKU(string(f.SoldOut)).ID))
	assert.Greater(t, len(w.Variants(w.BySKU(string(f.Varied)).ModelID)), 1)
	assert.NotEmpty(t, w.Reviews(w.BySKU(string(f.Reviewed)).ID))
	assert.Empty(t, w.Reviews(w.BySKU(string(f.Unreviewed)).ID))
	assert.NotEmpty(t, w.BySKU(string(f.Paired)).Related)
	assert.Equal(t, f.Customer.Subject, w.OrderByNumber(string(f.Order)).CustomerNumber)
	require.NoError(t, f.Address.Validate("address"))
	assert.NotEqual(t, f.Customer.Key(), f.Neighbor.Key())
	assert.Nil(t, w.Customer(f.Nobody.Subject))
	assert.Nil(t, w.CustomerByEmail(f.Nobody.Email))
}
