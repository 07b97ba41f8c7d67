package cache

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// BenchmarkBoard is what a page of one product takes that nobody holds, with so many such
// pages at a time and a system that answers after two milliseconds: calls/op are the calls
// that a page costs, of four when it is alone.
func BenchmarkBoard(b *testing.B) {
	for _, clients := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("at-a-time=%d", clients), func(b *testing.B) { benchmarkBoard(b, clients) })
	}
}

func benchmarkBoard(b *testing.B, clients int) {
	c, s := newCache(b, Config{L1Bytes: 8 << 20}), newReady(b)
	var calls atomic.Int64
	s.takes = func() {
		calls.Add(1)
		time.Sleep(2 * time.Millisecond)
	}
	asked := asks(c.Wrap(s.ports()))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for k := client; k < b.N; k += clients {
				if err := page(b.Context(), asked, []commerce.SKU{commerce.SKU(strconv.Itoa(k))}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(calls.Load())/float64(b.N), "calls/op")
}
