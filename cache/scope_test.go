package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// What must never be kept or shared is so in the table, whatever traits say.
func TestC7_WhatIsNeverKept(t *testing.T) {
	t.Parallel()
	greedy := commerce.Traits{Scope: commerce.ScopePublic, Lifetime: time.Hour}
	never := []commerce.Operation{
		commerce.OpCartCreate, commerce.OpCartRead, commerce.OpCartMerge, commerce.OpLineAdd, commerce.OpLineSet, commerce.OpLineRemove,
		commerce.OpCouponApply, commerce.OpCouponRemove, commerce.OpShippingOptions, commerce.OpShippingSet, commerce.OpPrepare,
		commerce.OpPlace, commerce.OpReconcile, commerce.OpNotify, commerce.OpRecommend,
		commerce.OpCustomer, commerce.OpLoyalty, commerce.OpOrders, commerce.OpOrder, commerce.OpGuestOrder, commerce.OpInvoices,
	}
	for _, op := range never {
		p := joined(op, greedy)
		assert.Zero(t, p.life(), string(op))
		assert.Zero(t, p.Negative, string(op))
		assert.LessOrEqual(t, p.Scope, commerce.ScopeSession, string(op))
	}
	for op, p := range policies {
		assert.LessOrEqual(t, p.Negative, maxNegative, string(op))
		assert.Equal(t, commerce.ScopeCustomer, joined(op, commerce.Traits{}).Scope, "private without traits: %s", op)
		assert.LessOrEqual(t, joined(op, greedy).Scope, p.Scope, "traits narrow, they do not widen: %s", op)
		if p.Fresh > 0 {
			assert.Equal(t, time.Hour, joined(op, greedy).Fresh, string(op))
			assert.NotZero(t, p.Keyed&ByChannel, string(op))
		}
	}
}

// The carts and the checkout of a wrapped shop are asked every time.
func TestC7_CartsAreAskedEveryTime(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	f := shop.Fixture()
	p := newCache(t, realTime).Wrap(shop.Ports())
	who := commerce.Shopper{Market: f.Market, Principal: f.Customer}
	cart, err := p.Carts.Create(t.Context(), who)
	require.NoError(t, err)
	for range 3 {
		_, err := p.Carts.Cart(t.Context(), who, cart.ID)
		require.NoError(t, err)
		_, err = p.OrderHistory.Orders(t.Context(), f.Customer, commerce.Cursor{First: 5})
		require.NoError(t, err)
		_, err = p.Customers.Customer(t.Context(), f.Customer)
		require.NoError(t, err)
	}
	for _, op := range []commerce.Operation{commerce.OpCartRead, commerce.OpOrders, commerce.OpCustomer} {
		assert.Equal(t, 3, shop.Calls(op), string(op))
	}
}

// mirror answers each principal with their own name, and each market, group and
// key with itself.
type mirror struct{ calls atomic.Int64 }

func (m *mirror) pause() {
	m.calls.Add(1)
	time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond) // widens interleavings; nothing waits on it
}

func (m *mirror) Customer(_ context.Context, p commerce.Principal) (*commerce.Customer, error) {
	m.pause()
	return &commerce.Customer{FirstName: p.Tenant, LastName: p.Subject, Email: p.Email}, nil
}

func (m *mirror) Orders(_ context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	m.pause()
	return &commerce.OrderPage{EndCursor: fmt.Sprint(p.Key(), page)}, nil
}

func (m *mirror) Order(_ context.Context, p commerce.Principal, n commerce.OrderNumber) (*commerce.Order, error) {
	m.pause()
	return &commerce.Order{Number: commerce.OrderNumber(fmt.Sprint(p.Key(), n))}, nil
}

func (m *mirror) GuestOrder(_ context.Context, n commerce.OrderNumber) (*commerce.Order, error) {
	m.pause()
	return &commerce.Order{Number: n}, nil
}

func (m *mirror) Prices(_ context.Context, at commerce.Market, group commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	m.pause()
	found := map[commerce.PriceKey]*commerce.Price{}
	for _, k := range keys {
		found[k] = &commerce.Price{SKU: commerce.SKU(fmt.Sprint(at, k.SKU)), Quantity: k.Quantity, Group: group}
	}
	return found, nil
}

func (m *mirror) ports() commerce.Ports {
	traits := map[commerce.Operation]commerce.Traits{}
	for op := range policies {
		// A kind that wrongly calls everything public still leaks nothing.
		traits[op] = commerce.Traits{System: "mirror", Operation: op, Access: commerce.Read, Scope: commerce.ScopePublic}
	}
	return commerce.Ports{Customers: m, OrderHistory: m, Pricing: m, Traits: traits}
}

func TestC19_NobodyGetsAnothersAnswer(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"memory": {}, "redis": {RedisURL: urlOf(newRedis(t))}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := &mirror{}
			c := newCache(t, cfg)
			p := c.Wrap(up.ports())
			const workers, calls = 16, 4000 // in each of two runs
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for range calls {
						if err := probe(t.Context(), p); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			assert.Less(t, up.calls.Load(), int64(workers*calls), "something was shared, or nothing was tested")
		})
	}
}

// probe asks as a random caller and checks that the answer is the caller's.
func probe(ctx context.Context, p commerce.Ports) error {
	who := commerce.Principal{Tenant: fmt.Sprint("t", rand.IntN(2)), Subject: fmt.Sprint("s", rand.IntN(3)), Email: "same@example.test"}
	switch rand.IntN(4) {
	case 0:
		got, err := p.Customers.Customer(ctx, who)
		if err != nil || got.FirstName != who.Tenant || got.LastName != who.Subject {
			return errors.Join(fmt.Errorf("%v got %+v", who, got), err)
		}
	case 1:
		page := commerce.Cursor{First: rand.IntN(2), After: fmt.Sprint(rand.IntN(2))}
		got, err := p.OrderHistory.Orders(ctx, who, page)
		if err != nil || got.EndCursor != fmt.Sprint(who.Key(), page) {
			return errors.Join(fmt.Errorf("%v got %+v", who, got), err)
		}
	case 2:
		got, err := p.OrderHistory.Order(ctx, who, "1")
		if err != nil || string(got.Number) != fmt.Sprint(who.Key(), "1") {
			return errors.Join(fmt.Errorf("%v got %+v", who, got), err)
		}
	default:
		at := []commerce.Market{us, eu}[rand.IntN(2)]
		group := commerce.PriceGroup([]string{"retail", "wholesale"}[rand.IntN(2)])
		k := commerce.PriceKey{SKU: commerce.SKU(fmt.Sprint(rand.IntN(50))), Quantity: 1 + rand.IntN(3)}
		got, err := p.Pricing.Prices(ctx, at, group, []commerce.PriceKey{k})
		if err != nil || got[k].Group != group || got[k].Quantity != k.Quantity || string(got[k].SKU) != fmt.Sprint(at, k.SKU) {
			return errors.Join(fmt.Errorf("%v %v got %+v", at, k, got), err)
		}
	}
	return nil
}

func TestPrivateLoadsAreSharedWithinOnePrincipal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shop := commercetest.NewShop()
		shop.Hold(commerce.OpCustomer, func(context.Context) { time.Sleep(50 * time.Millisecond) })
		p := newCache(t, Config{}).Wrap(shop.Ports())
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				who := []commerce.Principal{ann(), bob()}[i%2]
				got, err := p.Customers.Customer(t.Context(), who)
				assert.NoError(t, err)
				assert.Equal(t, who.Email, got.Email)
			})
		}
		wg.Wait()
		assert.Equal(t, 2, shop.Calls(commerce.OpCustomer))
	})
}

func TestUnknownCallersShareNothingPrivate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Without traits the catalogue is private, and nobody can say whose.
		upstream := &source{takes: time.Millisecond}
		port := newCache(t, Config{}).Wrap(commerce.Ports{Catalog: upstream}).Catalog
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, at, err := ask(t.Context(), port, "A")
				assert.NoError(t, err)
				assert.Equal(t, "unknown", at.System)
				assert.Equal(t, commerce.StateFresh, at.State)
			})
		}
		wg.Wait()
		assert.Equal(t, 10, upstream.count())
	})
}

// A private load is ended when the last who wants it has left; a public one goes
// on, because its answer will be kept.
func TestNobodysLoadIsEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shop := commercetest.NewShop()
		var ended []error
		hang := func(ctx context.Context) { <-ctx.Done(); ended = append(ended, ctx.Err()) }
		shop.Hold(commerce.OpCustomer, hang)
		p := newCache(t, Config{}).Wrap(shop.Ports())
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Duration(i+1)*10*time.Millisecond, cancel)
				_, err := p.Customers.Customer(ctx, ann())
				assert.Equal(t, context.Canceled, err)
			})
		}
		wg.Wait()
		synctest.Wait()
		assert.Equal(t, []error{context.Canceled}, ended)
		assert.Equal(t, 1, shop.Calls(commerce.OpCustomer))

		shop.Hold(commerce.OpCustomer, nil)
		_, err := p.Customers.Customer(t.Context(), ann())
		require.NoError(t, err, "the ended load is nobody's any more")

		shop.Hold(commerce.OpProducts, func(context.Context) { time.Sleep(50 * time.Millisecond) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		f := shop.Fixture()
		_, err = p.Catalog.Products(ctx, f.Market, f.Products[:1])
		require.ErrorIs(t, err, commerce.ErrTimeout)
		time.Sleep(time.Second)
		_, err = p.Catalog.Products(t.Context(), f.Market, f.Products[:1])
		require.NoError(t, err)
		assert.Equal(t, 1, shop.Calls(commerce.OpProducts))
	})
}
