package odoo

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
)

// BenchmarkHundredProducts compares the two ways in which an answer is read.
func BenchmarkHundredProducts(b *testing.B) {
	row := `{"id":7,"default_code":"A-1","product_tmpl_id":[3,"Road-150"],"categ_id":[2,"Road Bikes"],` +
		`"currency_id":[1,"USD"],"sale_ok":true,"lst_price":3578.27}`
	data := []byte("[" + strings.Repeat(row+",", 99) + row + "]")
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var l []wirePrice
			require.NoError(b, json.Unmarshal(data, &l))
		}
	})
	b.Run("quick", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.True(b, quick.Unmarshal(data, newPrices()))
		}
	})
}
