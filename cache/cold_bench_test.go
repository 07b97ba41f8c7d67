package cache

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// ready answers with values of usual sizes that were made before: what is measured is what
// the cache does about them.
type ready struct {
	product *commerce.Product
	price   *commerce.Price
	stock   *commerce.Availability
	related []commerce.RelatedProduct
	takes   func() // of a call; may be nil
}

// ports are those of s, for everybody.
func (s *ready) ports() commerce.Ports {
	return commerce.Ports{Catalog: s, Pricing: s, Inventory: s, Related: s, Traits: map[commerce.Operation]commerce.Traits{
		commerce.OpProducts: publicly(commerce.OpProducts), commerce.OpPrices: publicly(commerce.OpPrices),
		commerce.OpAvailability: publicly(commerce.OpAvailability), commerce.OpRelated: publicly(commerce.OpRelated),
	}}
}

func (s *ready) called() {
	if s.takes != nil {
		s.takes()
	}
}

func newReady(b testing.TB) *ready {
	text := fmt.Sprintf(productText, 1, 1, strings.Repeat("steel frame, ", 12), 1, 1)
	return &ready{
		product: decoded[*commerce.Product](b, text), price: decoded[*commerce.Price](b, fmt.Sprintf(priceText, 1)),
		stock:   decoded[*commerce.Availability](b, fmt.Sprintf(stockText, 1)),
		related: decoded[[]commerce.RelatedProduct](b, relatedText),
	}
}

func each[K comparable, V any](keys []K, value V) map[K]V {
	found := make(map[K]V, len(keys))
	for _, k := range keys {
		found[k] = value
	}
	return found
}

func (s *ready) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	s.called()
	return each(skus, s.product), nil
}

func (s *ready) Prices(_ context.Context, _ commerce.Market, _ commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	s.called()
	return each(keys, s.price), nil
}

func (s *ready) Availability(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	s.called()
	return each(skus, s.stock), nil
}

func (s *ready) Related(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	s.called()
	return each(skus, s.related), nil
}

// asks are the loads of one page: each is a call of one port for the same products.
func asks(p commerce.Ports) []func(context.Context, []commerce.SKU) error {
	return []func(context.Context, []commerce.SKU) error{
		func(ctx context.Context, skus []commerce.SKU) error {
			_, err := p.Catalog.Products(ctx, us, skus)
			return err
		},
		func(ctx context.Context, skus []commerce.SKU) error {
			keys := make([]commerce.PriceKey, len(skus))
			for i, sku := range skus {
				keys[i] = commerce.PriceKey{SKU: sku, Quantity: 1}
			}
			_, err := p.Pricing.Prices(ctx, us, "retail", keys)
			return err
		},
		func(ctx context.Context, skus []commerce.SKU) error {
			_, err := p.Inventory.Availability(ctx, us, skus)
			return err
		},
		func(ctx context.Context, skus []commerce.SKU) error {
			_, err := p.Related.Related(ctx, us, skus)
			return err
		},
	}
}

// BenchmarkCold is what nobody holds: a page of one product, a list of a hundred, from four
// ports at once, eight such requests at a time. cpu-µs/op is what this process took, whoever waited;
// that of Redis is not in it.
func BenchmarkCold(b *testing.B) {
	url := realRedis(b)
	if url == "" {
		url = urlOf(newRedis(b))
	}
	for _, n := range []int{1, 100} {
		for name, url := range map[string]commerce.Secret{"none": "", "redis": url} {
			b.Run(fmt.Sprintf("%s/keys=%d", name, n), func(b *testing.B) { benchmarkCold(b, url, n) })
		}
	}
}

func benchmarkCold(b *testing.B, url commerce.Secret, n int) {
	const clients = 8
	c, s := newCache(b, Config{RedisURL: url, L1Bytes: 8 << 20}), newReady(b)
	var tripped *trips
	if url != "" {
		tripped = watchTrips(c)
	}
	asked := asks(c.Wrap(s.ports()))
	round := strconv.FormatInt(time.Now().UnixNano(), 36)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	var clientsDone sync.WaitGroup
	for client := range clients {
		clientsDone.Go(func() {
			for k := client; k < b.N; k += clients {
				skus := make([]commerce.SKU, n)
				for i := range skus {
					skus[i] = commerce.SKU(round + "-" + strconv.Itoa(k) + "-" + strconv.Itoa(i))
				}
				if err := page(b.Context(), asked, skus); err != nil {
					b.Error(err)
				}
			}
		})
	}
	clientsDone.Wait()
	c.work.Wait()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	if tripped != nil {
		b.ReportMetric(float64(len(tripped.list()))/float64(b.N), "trips/op")
	}
}

func page(ctx context.Context, asked []func(context.Context, []commerce.SKU) error, skus []commerce.SKU) error {
	ctx, _ = commerce.WithSink(ctx)
	errs := make([]error, len(asked))
	var all sync.WaitGroup
	for i, ask := range asked {
		all.Go(func() { errs[i] = ask(ctx, skus) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// cpu is what this process has taken of the processor.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
