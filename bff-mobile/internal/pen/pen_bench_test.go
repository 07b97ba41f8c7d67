package pen_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
)

// BenchmarkList writes a list of 100 products.
func BenchmarkList(b *testing.B) {
	yes, money := true, api.Money{Amount: "1234.50", Currency: "EUR", Formatted: "1.234,50\u00a0€"}
	shown := &api.CategoryScreen{Id: "12", Name: "Mountain Bikes"}
	for i := range 100 {
		shown.Products.Items = append(shown.Products.Items, api.ProductCard{
			Sku: "BK-M68B-" + strconv.Itoa(i), Name: "Mountain-200 Black, 38", Brand: "Adventure Works", InStock: &yes,
			Image: api.Image{Url: "https://assets.example.test/products/large/photo_400.webp", Alt: "Mountain-200"}, Price: api.Price{Unit: money, List: money},
		})
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "pen": pen.Marshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := marshal(shown)
				require.NoError(b, err)
			}
		})
	}
}
