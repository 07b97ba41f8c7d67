package odoo

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/quick/quicktest"
)

const (
	someProducts = `[{"id": 7, "default_code": "A-1 \u00e9", "product_tmpl_id": [3, "Bike \u00e9"], "categ_id": [4, null], "currency_id": [1, "USD"],` +
		` "sale_ok": true, "lst_price": 12.50, "standard_price": 1e-2}, {"id": 8, "default_code": false, "categ_id": false, "lst_price": 0.1}]`
	someQuants = `[{"id":1,"product_id":[7,"[A-1] Bike"],"location_id":[8,"WH/Stock"],"quantity":3.0,"reserved_quantity":-1.0},{"id":3,"quantity":0.25,"reserved_quantity":1e-2},{"id":2,"product_id":null}]`
)

func newPrices() quick.Value { return &rows[wirePrice]{} }

func newQuants() quick.Value { return &rows[wireQuant]{} }

func TestN16_RecordsAreReadAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		good string
		made func() quick.Value
	}{"products": {someProducts, newPrices}, "quants": {someQuants, newQuants}} {
		require.True(t, quicktest.Agree(t, []byte(test.good), test.made), name)
		read := 0
		quicktest.Spoil([]byte(test.good), func(data []byte) {
			if quicktest.Agree(t, data, test.made) {
				read++
			}
		})
		assert.Greater(t, read, 20, name)
	}
}

func FuzzQuickRecords(f *testing.F) {
	f.Add([]byte(someProducts))
	f.Add([]byte(someQuants))
	f.Fuzz(func(t *testing.T, data []byte) {
		quicktest.Agree(t, data, newPrices)
		quicktest.Agree(t, data, newQuants)
	})
}
