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

// Loader lives as long as its request, and notes what went to one part of the answer: to
// all of it, unless there are parts of their own ([Loader.Part]).
type Loader struct {
	*request

	noting sync.Mutex
	uses   []noted
	failed []ast.Path

	firstUses [6]noted // room for what most requests come to
}

// request is what all parts of an answer have in common.
type request struct {
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
	// LaterRoots runs once: it does so for root fields that are deferred.
	LaterRoots sync.Once
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

	firstOrigins [6]Origin // room for what most requests come to
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
	whole := &struct { // one piece of memory
		Loader
		request
	}{}
	l, r := &whole.Loader, &whole.request
	l.request, l.uses = r, l.firstUses[:0]
	r.Group, r.ports, r.shopper, r.Fault = group, ports, shopper, func(error) {}
	ctx, r.cancel = context.WithCancel(ctx)
	ctx, r.sink = commerce.WithSink(ctx)
	r.origins = r.firstOrigins[:0]
	own := &r.own
	r.Products, r.Related = own.products.in(r, askProducts), own.related.in(r, askRelated)
	r.Prices, r.Availability = own.prices.in(r, askPrices), own.availability.in(r, askAvailability)
	r.Reviews, r.Pages = own.reviews.in(r, askReviews), own.pages.in(r, askPages)
	r.Tree, r.Customer = own.tree.in(r, askTree), own.customer.in(r, askCustomer)
	r.Searches, r.Shipping = own.searches.in(r, askSearch), own.shipping.in(r, askShipping)
	return context.WithValue(ctx, loaderKey{}, l), l
}

// Part is the loader of the same request in ctx for a part of the answer that comes later:
// it reads what the request does, and notes what went to that part alone. Who reads for
// it is patient.
func (l *Loader) Part(ctx context.Context) (context.Context, *Loader) {
	part := &Loader{request: l.request}
	return context.WithValue(commerce.WithPatience(ctx), loaderKey{}, part), part
}

// From is the request's loader, or nil.
func From(ctx context.Context) *Loader {
	l, _ := ctx.Value(loaderKey{}).(*Loader)
	return l
}

// Close ends what is still being asked for and waits until nothing runs.
func (l *request) Close() {
	l.cancel()
	l.wg.Wait()
}

// Go runs f in the background; Close waits for it. A panic of f is told to Fault.
func (l *request) Go(f func()) {
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
func (l *request) Expect(place string) (func(), bool) {
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
func (l *request) Planned(ctx context.Context, place string) bool {
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
