package cache

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/portico-bff/portico/schema/commerce"
)

// resident is the memory that the process occupies, in bytes.
func resident(b *testing.B) int64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// BenchmarkC21_Attack reads a million made-up products, of which there are none or
// all, with as many reads of what many want in between.
func BenchmarkC21_Attack(b *testing.B) {
	const keys, hot, budget = 1_000_000, 1000, defaultL1Bytes
	long := strings.Repeat("x", 500)
	for name, exists := range map[string]bool{"unknown": false, "known": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				upstream := &source{value: func(_ int, sku commerce.SKU) *commerce.Product {
					if !exists && strings.HasPrefix(string(sku), "attacker") {
						return nil
					}
					return &commerce.Product{SKU: sku, Description: strings.Clone(long)}
				}}
				c := newCache(b, Config{L1Bytes: budget})
				port := over(c, upstream)
				attack(b, port, hot*10, hot) // warm: pools have grown, what many want is known
				debug.FreeOSMemory()
				before, most, heap := resident(b), int64(0), live()
				asked := upstream.count()
				for range 10 {
					attack(b, port, keys/10, hot)
					most = max(most, resident(b))
				}
				misses := upstream.count() - asked - keys
				hits := 100 * float64(keys-misses) / keys
				growth := float64(most-before) / budget
				b.ReportMetric(hits, "%hot-hits")
				b.ReportMetric(growth, "rss/budget")
				b.ReportMetric(float64(live()-heap)/budget, "live/budget")
				if hits < 95 {
					b.Errorf("%.1f %% of the reads of what many want were answered from memory", hits)
				}
				if growth > 1.3 {
					b.Errorf("the process grew by %.2f of the budget", growth)
				}
			}
		})
	}
}

// live is what the heap holds once garbage is collected, in bytes.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

var attacker int

func attack(b *testing.B, port commerce.Catalog, keys, hot int) {
	b.Helper()
	for i := range keys {
		attacker++
		for _, sku := range []commerce.SKU{commerce.SKU(fmt.Sprint("attacker-", attacker)), commerce.SKU(fmt.Sprint("hot-", i%hot))} {
			if _, err := port.Products(b.Context(), us, []commerce.SKU{sku}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
