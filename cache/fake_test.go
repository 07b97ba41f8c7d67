package cache

import (
	"context"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// source is an upstream in memory for one operation, whose behavior a test sets.
type source struct {
	mu    sync.Mutex
	calls int
	keys  []int // of each call
	takes time.Duration
	err   error
	panic bool
	value func(call int, sku commerce.SKU) *commerce.Product // nil: absent
}

func (s *source) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	s.mu.Lock()
	s.calls++
	s.keys = append(s.keys, len(skus))
	call, takes, err, crash, value := s.calls, s.takes, s.err, s.panic, s.value
	s.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if crash {
		panic("upstream adapter fell over")
	}
	if err != nil {
		return nil, err
	}
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		p := &commerce.Product{SKU: sku}
		if value != nil {
			p = value(call, sku)
		}
		if p != nil {
			found[sku] = p
		}
	}
	return found, nil
}

func (s *source) set(change func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

var errDown = &commerce.CallError{System: "pim", Operation: commerce.OpProducts, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable, RetryAfter: 7 * time.Second}

func publicTraits(op commerce.Operation) map[commerce.Operation]commerce.Traits {
	return map[commerce.Operation]commerce.Traits{op: {System: "pim", Operation: op, Access: commerce.Read, Scope: commerce.ScopePublic}}
}

// over is s behind c, declared public.
func over(c *Cache, s commerce.Catalog) commerce.Catalog {
	return c.Wrap(commerce.Ports{Catalog: s, Traits: publicTraits(commerce.OpProducts)}).Catalog
}

// ask asks for one product and answers it with its source.
func ask(ctx context.Context, port commerce.Catalog, sku commerce.SKU) (*commerce.Product, commerce.Source, error) {
	ctx, sink := commerce.WithSink(ctx)
	found, err := port.Products(ctx, us, []commerce.SKU{sku})
	var at commerce.Source
	if list := sink.Sources(); len(list) == 1 {
		at = list[0]
	}
	return found[sku], at, err
}

// stockSource is a source of availability.
type stockSource struct{ source }

func (s *stockSource) Availability(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	products, err := s.Products(ctx, m, skus)
	if err != nil {
		return nil, err
	}
	found := map[commerce.SKU]*commerce.Availability{}
	for sku := range products {
		found[sku] = &commerce.Availability{SKU: sku, Quantity: s.count()}
	}
	return found, nil
}
