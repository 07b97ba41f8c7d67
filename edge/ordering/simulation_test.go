package ordering_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

// process dies before its nth step: from then on nothing it does has an effect.
type process struct {
	mu    sync.Mutex
	steps int // left to live
}

var errDead = &commerce.CallError{System: "process", Operation: commerce.OpPlace, Kind: commerce.ErrUnavailable}

func (p *process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps--
	return p.steps >= 0
}

type mortalLedger struct {
	ledger.Ledger
	*process
}

func (l mortalLedger) Claim(ctx context.Context, key, value string, ttl time.Duration) (string, bool, error) {
	if !l.alive() {
		return "", false, errDead
	}
	return l.Ledger.Claim(ctx, key, value, ttl)
}

func (l mortalLedger) Replace(ctx context.Context, key, old, value string, ttl time.Duration) (bool, error) {
	if !l.alive() {
		return false, errDead
	}
	return l.Ledger.Replace(ctx, key, old, value, ttl)
}

func (l mortalLedger) Drop(ctx context.Context, key, old string) (bool, error) {
	if !l.alive() {
		return false, errDead
	}
	return l.Ledger.Drop(ctx, key, old)
}

func (l mortalLedger) Get(ctx context.Context, key string) (string, error) {
	if !l.alive() {
		return "", errDead
	}
	return l.Ledger.Get(ctx, key)
}

type mortalCheckout struct {
	commerce.Checkout
	*process
}

func (c mortalCheckout) Place(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef, method string) (*commerce.PlacedOrder, error) {
	if !c.alive() {
		return nil, errDead
	}
	return c.Checkout.Place(ctx, s, ref, method)
}

// immortal is more steps than any attempt takes.
const immortal = 1_000

// TestK6_SimulatedLivesOfACart lets processes die at every step and the checkout
// lie in every way, and tries again until the order is known.
func TestK6_SimulatedLivesOfACart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10_000) {
		synctest.Test(t, func(t *testing.T) { live(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func live(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a simulation repeats
	w := start(ledger.NewMemory())
	r := w.cart(t, w.guest())
	r.Key = "key-1"
	for range random.IntN(4) {
		w.checkout.script = append(w.checkout.script, []lie{truth, lost, gone, never, later, canceled}[random.IntN(6)])
	}
	var placed *ordering.Placed
	for attempt := 0; placed == nil; attempt++ {
		require.Less(t, attempt, 50, "seed %d: never known", seed)
		steps := immortal
		if attempt < 3 && random.IntN(2) == 0 {
			steps = random.IntN(8)
		}
		w.checkout.set(func(c *checkout) { c.down = attempt < 3 && random.IntN(3) == 0 })
		var err error
		placed, err = w.attempt(r, steps)
		if err != nil {
			require.True(t, open(err), "seed %d: an order that may exist was refused: %v", seed, err)
		}
		// A late order comes within the settle time.
		time.Sleep(time.Duration(random.Int64N(int64(settle) / 2)))
		w.checkout.finish()
		time.Sleep(time.Duration(random.Int64N(int64(settle))))
	}
	require.Equal(t, 1, w.checkout.orders(), "seed %d", seed)
	w.checkout.set(func(c *checkout) { c.down = false })
	time.Sleep(settle) // the process may have died with the lock in its hands
	again, err := w.attempt(r, immortal)
	require.NoError(t, err)
	require.Equal(t, placed.Number, again.Number)
	require.Equal(t, 1, w.checkout.orders(), "seed %d", seed)
}

// attempt places the cart on a process of its own that lives for so many steps.
func (w *world) attempt(r ordering.Request, steps int) (*ordering.Placed, error) {
	p := &process{steps: steps}
	ports := w.shop.Ports()
	ports.Checkout = mortalCheckout{w.checkout, p}
	node := &world{shop: w.shop, ledger: mortalLedger{w.ledger, p}}
	return node.over(ports).Place(context.Background(), r)
}

// open tells whether an error leaves the order's fate open, as clients read it.
func open(err error) bool {
	if commerce.KindOf(err) == commerce.ErrUnavailable {
		return true
	}
	input, ok := errors.AsType[*commerce.InputError](err)
	return ok && input.Code == commerce.CodeInProgress
}
