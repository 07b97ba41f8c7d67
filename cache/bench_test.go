package cache

import (
	"fmt"
	"testing"

	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkWarm reads products that memory holds: a page's one, a list's hundred.
func BenchmarkWarm(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			port := over(newCache(b, Config{}), &source{})
			skus := make([]commerce.SKU, n)
			for i := range skus {
				skus[i] = commerce.SKU(fmt.Sprint("SKU-", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				ctx, _ := commerce.WithSink(b.Context())
				if _, err := port.Products(ctx, us, skus); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
