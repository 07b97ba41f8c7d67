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
	Related      *Batch[commerce.SKU, []commerce.RelatedProduct]
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

	ports   commerce.Ports
	shopper commerce.Shopper
	own     batches

	cancel context.CancelFunc
	wg     sync.WaitGroup
	sink   *commerce.Sink // of what is read past Listen

	mu      sync.Mutex
	planned map[string]chan struct{}
	origins []Origin
	uses    []noted
	failed  []ast.Path

	// Room for what most requests come to.
	firstOrigins [6]Origin
	firstUses    [6]noted
}

type loaderKey struct{}

// batches is room for a loader's batches, in one piece with it.
type batches struct {
	products     Batch[commerce.SKU, *commerce.Product]
	related      Batch[commerce.SKU, []commerce.RelatedProduct]
	prices       Batch[commerce.PriceKey, *commerce.Price]
	availability Batch[commerce.SKU, *commerce.Availability]
	reviews      Batch[commerce.SKU, *commerce.ReviewSummary]
	tree         Batch[One, *commerce.CategoryTree]
	customer     Batch[One, *commerce.Customer]
	pages        Batch[commerce.PageID, *commerce.Page]
	searches     Batch[Question, *commerce.SearchResult]
	shipping     Batch[Question, []commerce.ShippingOption]
}

// Start begins a request of shopper, whose prices are group's. The caller closes
// the loader once the answer is complete.
func Start(ctx context.Context, ports commerce.Ports, shopper commerce.Shopper, group commerce.PriceGroup) (context.Context, *Loader) {
	l := &Loader{Group: group, ports: ports, shopper: shopper, Fault: func(error) {}}
	ctx, l.cancel = context.WithCancel(ctx)
	ctx, l.sink = commerce.WithSink(ctx)
	l.origins, l.uses = l.firstOrigins[:0], l.firstUses[:0]
	own := &l.own
	l.Products, l.Related = own.products.in(l, askProducts), own.related.in(l, askRelated)
	l.Prices, l.Availability = own.prices.in(l, askPrices), own.availability.in(l, askAvailability)
	l.Reviews, l.Pages = own.reviews.in(l, askReviews), own.pages.in(l, askPages)
	l.Tree, l.Customer = own.tree.in(l, askTree), own.customer.in(l, askCustomer)
	l.Searches, l.Shipping = own.searches.in(l, askSearch), own.shipping.in(l, askShipping)
	return context.WithValue(ctx, loaderKey{}, l), l
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
	if l.planned == nil {
		l.planned = map[string]chan struct{}{}
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
