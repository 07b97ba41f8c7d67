// Package load reads the ports for one GraphQL request: each key once, many keys
// in a call, whatever fields ask for them. It also knows which value went to
// which path of the answer, for the freshness report.
package load

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/schema/commerce"
)

// One is the key of what a request reads as a whole.
type One struct{}

// Loader lives as long as its request.
type Loader struct {
	Products     *Batch[commerce.SKU, *commerce.Product]
	Related      *Batch[commerce.SKU, []commerce.SKU]
	Prices       *Batch[commerce.PriceKey, *commerce.Price]
	Availability *Batch[commerce.SKU, *commerce.Availability]
	Reviews      *Batch[commerce.SKU, *commerce.ReviewSummary]
	Tree         *Batch[One, *commerce.CategoryTree]
	Customer     *Batch[One, *commerce.Customer]
	Pages        *Batch[commerce.PageID, *commerce.Page]
	Searches     *Batch[Question, *commerce.SearchResult]
	Shipping     *Batch[Question, []commerce.ShippingOption]
	Group        commerce.PriceGroup // whose prices the caller gets

	// Roots runs once: it plans what the operation's root fields name.
	Roots sync.Once
	// Fault is told what went wrong in the background without failing the answer.
	Fault func(error)

	cancel context.CancelFunc
	wg     sync.WaitGroup
	sink   *commerce.Sink // of what is read past Listen

	mu      sync.Mutex
	planned map[string]chan struct{}
	origins []Origin
	uses    []noted
	failed  []ast.Path
}

type loaderKey struct{}

// Start begins a request of shopper, whose prices are group's. The caller closes
// the loader once the answer is complete.
func Start(ctx context.Context, ports commerce.Ports, shopper commerce.Shopper, group commerce.PriceGroup) (context.Context, *Loader) {
	l := &Loader{planned: map[string]chan struct{}{}, Fault: func(error) {}}
	ctx, l.cancel = context.WithCancel(ctx)
	ctx, l.sink = commerce.WithSink(ctx)
	m := shopper.Market
	l.Products = newBatch(l, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
		return ports.Catalog.Products(ctx, m, skus)
	})
	l.Related = newBatch(l, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU][]commerce.SKU, error) {
		return ports.Related.Related(ctx, m, skus)
	})
	l.Prices = newBatch(l, func(ctx context.Context, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
		return ports.Pricing.Prices(ctx, m, group, keys)
	})
	l.Availability = newBatch(l, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
		return ports.Inventory.Availability(ctx, m, skus)
	})
	l.Reviews = newBatch(l, func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
		return ports.Reviews.Reviews(ctx, m, skus)
	})
	l.Tree = newBatch(l, one(func(ctx context.Context) (*commerce.CategoryTree, error) {
		return ports.Categories.Tree(ctx, m)
	}))
	l.Customer = newBatch(l, one(func(ctx context.Context) (*commerce.Customer, error) {
		return ports.Customers.Customer(ctx, shopper.Principal)
	}))
	l.Group = group
	l.Pages = newBatch(l, func(ctx context.Context, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
		return ports.Content.Pages(ctx, m, ids)
	})
	l.Searches = newBatch(l, questions(func(ctx context.Context, q commerce.SearchQuery) (*commerce.SearchResult, error) {
		return ports.Search.Search(ctx, m, q)
	}))
	l.Shipping = newBatch(l, questions(func(ctx context.Context, q ShippingQuery) ([]commerce.ShippingOption, error) {
		return ports.CheckoutOptions.ShippingOptions(ctx, shopper, q.Cart, q.To)
	}))
	return context.WithValue(ctx, loaderKey{}, l), l
}

func one[V any](ask func(context.Context) (V, error)) func(context.Context, []One) (map[One]V, error) {
	return func(ctx context.Context, _ []One) (map[One]V, error) {
		v, err := ask(ctx)
		if err != nil {
			return nil, err
		}
		return map[One]V{{}: v}, nil
	}
}

// From is the request's loader, or nil.
func From(ctx context.Context) *Loader {
	l, _ := ctx.Value(loaderKey{}).(*Loader)
	return l
}

// Close ends what is still being asked for and waits until nothing runs.
func (l *Loader) Close() {
	l.cancel()
	l.wg.Wait()
}

// Go runs f in the background; Close waits for it. A panic of f is told to Fault.
func (l *Loader) Go(f func()) {
	l.wg.Go(func() {
		defer func() {
			if r := recover(); r != nil {
				l.Fault(&Panic{Value: r, Stack: debug.Stack()})
			}
		}()
		f()
	})
}

// Expect announces that a plan will claim the keys for a place in the query. The
// answered function says that it has. A place is announced once: later calls
// answer false.
func (l *Loader) Expect(place string) (func(), bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.planned[place] != nil {
		return func() {}, false
	}
	done := make(chan struct{})
	l.planned[place] = done
	return func() { close(done) }, true
}

// Planned waits until the keys for a place are claimed. It answers false when no
// plan announced the place.
func (l *Loader) Planned(ctx context.Context, place string) bool {
	l.mu.Lock()
	done := l.planned[place]
	l.mu.Unlock()
	if done == nil {
		return false
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return true
}
