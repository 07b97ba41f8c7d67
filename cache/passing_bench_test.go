package cache

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkPassing is a list of a hundred that nobody holds, from three ports, four lists at a
// time, while memory is full: all of it goes to Redis alone. passed/op says how many keys did.
func BenchmarkPassing(b *testing.B) {
	url := realRedis(b)
	if url == "" {
		url = urlOf(newRedis(b))
	}
	c := newCache(b, Config{RedisURL: url, L1Bytes: 1 << 20})
	const lists = 3 // without cards, whose tags are many
	ports, passed := asks(c.Wrap(newReady(b).ports()))[:lists], func() (n int64) {
		for _, p := range c.metrics.known() {
			n += p.counts.passed.Load()
		}
		return n
	}
	askLists(b, c, ports, 200) // fills memory
	b.ReportAllocs()
	b.ResetTimer()
	before, from := cpu(b), passed()
	askLists(b, c, ports, b.N)
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(passed()-from)/float64(b.N), "passed/op")
}

// askLists asks ports for so many lists of products that nobody was asked for.
func askLists(b *testing.B, c *Cache, ports []func(context.Context, []commerce.SKU) error, lists int) {
	b.Helper()
	const clients, size = 4, 100
	round := time.Now().UnixNano()
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for k := client; k < lists; k += clients {
				skus := make([]commerce.SKU, size)
				for i := range skus {
					skus[i] = commerce.SKU(fmt.Sprintf("%d-%d-%d", round, k, i))
				}
				if err := page(b.Context(), ports, skus); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	c.work.Wait()
}
