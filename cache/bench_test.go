package cache

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

func skusTo(n int) []commerce.SKU {
	skus := make([]commerce.SKU, n)
	for i := range skus {
		skus[i] = commerce.SKU(fmt.Sprint("SKU-", i))
	}
	return skus
}

// plain is the least that a cache can be: a map and a lock.
type plain struct {
	mu     sync.RWMutex
	values map[commerce.SKU]*commerce.Product
}

func plainOf(skus []commerce.SKU) *plain {
	p := &plain{values: map[commerce.SKU]*commerce.Product{}}
	for _, sku := range skus {
		p.values[sku] = &commerce.Product{SKU: sku}
	}
	return p
}

func (p *plain) get(sku commerce.SKU) *commerce.Product {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.values[sku]
}

// warmed is the port over a cache that holds skus, some of others' tags having been invalidated.
func warmed(b *testing.B, skus []commerce.SKU) (*Cache, catalog) {
	c := newCache(b, Config{})
	port, _ := over(c, &source{}).(catalog)
	if _, err := port.Products(b.Context(), us, skus); err != nil {
		b.Fatal(err)
	}
	c.tags.strike([]commerce.Tag{"product:B"}, false)
	return c, port
}

// BenchmarkL1Hit finds one decoded product in memory: "engine" judges it (key, tier, age,
// invalidations, source); "port" answers it in a map, which is all that it allocates;
// "reported" tells the sink of a request besides, which it makes. The baselines are a map
// with a lock, and otter, which memory is made of.
func BenchmarkL1Hit(b *testing.B) {
	skus := skusTo(1000)
	c, port := warmed(b, skus)
	one := skus[:1]
	b.Run("map", func(b *testing.B) {
		held := plainOf(skus)
		b.ReportAllocs()
		for b.Loop() {
			if held.get(one[0]) == nil {
				b.Fatal("not found")
			}
		}
	})
	b.Run("otter", func(b *testing.B) {
		prefix, _ := port.op.plan.prefix(inMarket(us))
		key := withArgs(prefix, string(one[0]))
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := c.memory.values.GetIfPresent(key); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("engine", func(b *testing.B) {
		s := scratch{reports: true}
		b.ReportAllocs()
		for b.Loop() {
			s.key, _ = port.op.plan.appendPrefix(s.key[:0], inMarket(us))
			if _, ok := port.op.hit(&s, len(s.key), one[0], time.Now()); !ok {
				b.Fatal("not found")
			}
			s.sources = s.sources[:0]
		}
	})
	b.Run("port", func(b *testing.B) {
		ctx := b.Context()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := port.Products(ctx, us, one); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reported", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ctx, _ := commerce.WithSink(b.Context())
			if _, err := port.Products(ctx, us, one); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWarm reads products that memory holds, as a request does: a page's one, a
// list's fifty or hundred. The baseline looks them up in a map with a lock and answers
// them in a map.
func BenchmarkWarm(b *testing.B) {
	for _, n := range []int{1, 50, 100} {
		skus := skusTo(n)
		_, port := warmed(b, skus)
		b.Run(fmt.Sprint("map/", n), func(b *testing.B) {
			held := plainOf(skus)
			b.ReportAllocs()
			for b.Loop() {
				found := make(map[commerce.SKU]*commerce.Product, n)
				for _, sku := range skus {
					found[sku] = held.get(sku)
				}
				if len(found) != n {
					b.Fatal("not found")
				}
			}
		})
		b.Run(fmt.Sprint("port/", n), func(b *testing.B) {
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

// BenchmarkL2Hit reads fifty products that Redis holds and memory does not, in one round
// trip. The baseline is that round trip alone: MGET of the same bytes.
func BenchmarkL2Hit(b *testing.B) {
	url := realRedis(b)
	if url == "" {
		url = urlOf(newRedis(b))
	}
	skus, upstream := skusTo(50), &source{}
	c := newNode(b, url)
	port, _ := over(c, upstream).(catalog)
	if _, err := port.Products(b.Context(), us, skus); err != nil {
		b.Fatal(err)
	}
	c.work.Wait()
	b.Run("mget", func(b *testing.B) {
		prefix, _ := port.op.plan.prefix(inMarket(us))
		addresses := make([]string, len(skus))
		for i, sku := range skus {
			addresses[i] = address(withArgs(prefix, string(sku)))
		}
		b.ReportAllocs()
		for b.Loop() {
			list, err := c.remote.client.MGet(b.Context(), addresses...).Result()
			if err != nil || list[0] == nil {
				b.Fatal(err, list[0])
			}
		}
	})
	b.Run("port", func(b *testing.B) {
		trips := watchTrips(c)
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			c.work.Wait()
			c.memory.values.InvalidateAll()
			b.StartTimer()
			ctx, _ := commerce.WithSink(b.Context())
			if _, err := port.Products(ctx, us, skus); err != nil {
				b.Fatal(err)
			}
		}
		each := float64(len(trips.list())) / float64(b.N)
		b.ReportMetric(each, "trips/op")
		if each != 1 || upstream.count() != 1 {
			b.Errorf("%.2f round trips each, %d calls upstream", each, upstream.count())
		}
	})
}
