package cache

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// desk is a checkout that counts what was written to it, half way through a write,
// and answers as its customer's loyalty points what it had counted half way through a read.
type desk struct {
	commerce.CartLines
	mu    sync.Mutex
	count map[string]int
	takes time.Duration
	reads int
}

func (d *desk) look(who commerce.Principal, more int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.count == nil {
		d.count = map[string]int{}
	}
	d.count[who.Subject] += more
	if more == 0 {
		d.reads++
	}
	return d.count[who.Subject]
}

func (d *desk) AddLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, _ commerce.SKU, quantity int) (*commerce.Cart, error) {
	time.Sleep(time.Duration(quantity) * time.Millisecond)
	d.look(s.Principal, 1)
	time.Sleep(time.Duration(quantity) * time.Millisecond)
	return &commerce.Cart{ID: id}, nil
}

func (d *desk) Loyalty(_ context.Context, p commerce.Principal) (*commerce.LoyaltyAccount, error) {
	time.Sleep(d.takes)
	seen := d.look(p, 0)
	time.Sleep(d.takes)
	return &commerce.LoyaltyAccount{Points: seen}, nil
}

// visit is one thing that a customer does at a time.
type visit struct {
	who, at, takes int
	writes         bool
}

// act plays visits and answers what was wrong with them, and how many reads there were.
func act(visits []visit, takes int) (wrong []string, asked, reads int) {
	d := &desk{takes: time.Duration(takes) * time.Millisecond}
	c, err := New(Config{}, Deps{})
	if err != nil {
		return []string{err.Error()}, 0, 0
	}
	p := c.Wrap(commerce.Ports{Loyalty: d, CartLines: d})
	people := []commerce.Principal{ann(), bob()}
	var mu sync.Mutex
	known := map[string]int{} // what each knows of: written or read by now
	var wg sync.WaitGroup
	for _, v := range visits {
		wg.Go(func() {
			time.Sleep(time.Duration(v.at) * time.Millisecond)
			who := people[v.who]
			if v.writes {
				_, err := p.CartLines.AddLine(context.Background(), commerce.Shopper{Principal: who}, "c_1", "A", v.takes)
				written := d.look(who, 0)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					wrong = append(wrong, err.Error())
				}
				known[who.Subject] = max(known[who.Subject], written)
				return
			}
			mu.Lock()
			asked++
			least := known[who.Subject]
			mu.Unlock()
			got, err := p.Loyalty.Loyalty(context.Background(), who)
			if err != nil || got.Points < least {
				mu.Lock()
				wrong = append(wrong, fmt.Sprintf("%s read %v, %v and had written or read %d", who.Subject, got, err, least))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := c.Close(); err != nil {
		wrong = append(wrong, err.Error())
	}
	return wrong, asked, d.reads
}

func TestReadersReadWhatTheyWrote(t *testing.T) {
	t.Parallel()
	visits := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) visit {
		return visit{
			who: rapid.IntRange(0, 1).Draw(r, "who"), at: rapid.IntRange(0, 40).Draw(r, "at"),
			takes: rapid.IntRange(0, 8).Draw(r, "takes"), writes: rapid.Bool().Draw(r, "writes"),
		}
	}), 1, 30)
	rapid.Check(t, func(r *rapid.T) {
		list, takes := visits.Draw(r, "visits"), rapid.IntRange(0, 10).Draw(r, "a read takes")
		var wrong []string
		synctest.Test(t, func(*testing.T) { wrong, _, _ = act(list, takes) })
		if len(wrong) > 0 {
			r.Fatal(strings.Join(wrong, "\n"))
		}
	})
}

// Without writes between them, reads are still shared.
func TestReadsWithoutWritesAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var visits []visit
		for i := range 20 {
			visits = append(visits, visit{at: i % 5})
		}
		wrong, asked, reads := act(visits, 10)
		assert.Empty(t, wrong)
		assert.Equal(t, 20, asked)
		assert.Equal(t, 1, reads)
	})
}

// Every port that changes something begins an epoch of its principal's and of its cart's.
func TestEveryWriteBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	f := shop.Fixture()
	c := newCache(t, realTime)
	p := c.Wrap(shop.Ports())
	who, id, ctx := commerce.Shopper{Market: f.Market, Principal: f.Customer}, commerce.CartID("c_1"), t.Context()
	ref := commerce.CheckoutRef{Cart: id}
	for name, write := range map[string]func() error{
		"create":        func() error { _, err := p.Carts.Create(ctx, who); return err },
		"merge":         func() error { _, err := p.Carts.Merge(ctx, who, id); return err },
		"add":           func() error { _, err := p.CartLines.AddLine(ctx, who, id, "A", 1); return err },
		"set":           func() error { _, err := p.CartLines.SetLine(ctx, who, id, "1", 1); return err },
		"remove":        func() error { _, err := p.CartLines.RemoveLine(ctx, who, id, "1"); return err },
		"coupon":        func() error { _, err := p.CartCoupons.ApplyCoupon(ctx, who, id, "X"); return err },
		"remove coupon": func() error { _, err := p.CartCoupons.RemoveCoupon(ctx, who, id); return err },
		"shipping": func() error {
			_, err := p.CheckoutOptions.SetShipping(ctx, who, id, commerce.ShippingChoice{})
			return err
		},
		"place":     func() error { _, err := p.Checkout.Place(ctx, who, ref, "x"); return err },
		"reconcile": func() error { _, err := p.Checkout.Reconcile(ctx, who, ref); return err },
	} {
		before := c.epochs.of(f.Customer.Key()).Load()
		_ = write() // even one that fails may have changed something
		require.GreaterOrEqual(t, c.epochs.of(f.Customer.Key()).Load(), before+2, name)
	}
	before := c.epochs.of(f.Customer.Key()).Load()
	_, err := p.CartLines.AddLine(ctx, commerce.Shopper{Market: f.Market}, "g_1", "A", 1)
	require.Error(t, err)
	assert.Equal(t, before, c.epochs.of(f.Customer.Key()).Load(), "a guest's write is nobody else's")
}
