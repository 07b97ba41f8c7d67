package cache

import (
	"fmt"
	"testing"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkL1Hit finds one decoded product in memory and judges it: key, tier, age,
// invalidations, source.
func BenchmarkL1Hit(b *testing.B) {
	c := newCache(b, Config{})
	port, _ := over(c, &source{}).(catalog)
	if _, err := port.Products(b.Context(), us, []commerce.SKU{"A"}); err != nil {
		b.Fatal(err)
	}
	c.tags.strike([]commerce.Tag{"product:B"}, false)
	var s scratch
	b.ReportAllocs()
	for b.Loop() {
		s.key, _ = port.op.plan.appendPrefix(s.key[:0], inMarket(us))
		if _, ok := port.op.hit(&s, len(s.key), "A", time.Now()); !ok {
			b.Fatal("not found")
		}
		s.sources = s.sources[:0]
	}
}

// BenchmarkWarm reads products that memory holds: a page's one, a list's hundred.
func BenchmarkWarm(b *testing.B) {
	for _, n := range []int{1, 50, 100} {
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
