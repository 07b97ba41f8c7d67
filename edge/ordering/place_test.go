package ordering_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestPlaceAnswersTheOrder(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	guest, err := w.Place(t.Context(), w.cart(t, w.guest()))
	require.NoError(t, err)
	assert.NotEmpty(t, guest.Number)
	assert.Len(t, guest.OrderToken, 43)
	assert.Equal(t, []commerce.SKU{w.fixture.Products[0]}, w.forgot, "cached stock of what was bought is dropped")

	own, err := w.Place(t.Context(), w.cart(t, w.customer(w.fixture.Customer)))
	require.NoError(t, err)
	assert.Empty(t, own.OrderToken, "customers need none")
}

func TestPlaceDoesNotNeedTheCartsLines(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	r := w.cart(t, w.guest())
	w.shop.Fail(commerce.OpCartRead, commerce.ErrUnavailable)
	_, err := w.Place(t.Context(), r)
	require.NoError(t, err)
	assert.Empty(t, w.forgot)
}

func TestPlaceRefusals(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	r := w.cart(t, w.guest())
	r.PaymentMethod = "gold"
	_, err := w.Place(t.Context(), r)
	require.ErrorIs(t, err, commerce.ErrInvalid)
	assert.Equal(t, commerce.CodePaymentMethod, code(t, err))
	r.PaymentMethod = w.fixture.Payment
	_, err = w.Place(t.Context(), r)
	require.NoError(t, err, "a refusal leaves nothing behind")

	empty, err := w.shop.Ports().Carts.Create(t.Context(), w.guest())
	require.NoError(t, err)
	_, err = w.Place(t.Context(), ordering.Request{Shopper: w.guest(), Cart: empty.ID, PaymentMethod: w.fixture.Payment})
	assert.Equal(t, commerce.CodeCartEmpty, code(t, err))

	w.shop.Fail(commerce.OpPrepare, commerce.ErrUnavailable)
	_, err = w.Place(t.Context(), w.cart(t, w.guest()))
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.Equal(t, 1, w.checkout.orders())
}

func TestPlaceOfAnothersCartIsNotFound(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	r := w.cart(t, w.customer(w.fixture.Customer))
	for _, stranger := range []commerce.Shopper{w.customer(w.fixture.Neighbor), w.guest()} {
		theirs := r
		theirs.Shopper = stranger
		_, err := w.Place(t.Context(), theirs)
		require.ErrorIs(t, err, commerce.ErrNotFound)
	}
	_, err := w.Place(t.Context(), r)
	require.NoError(t, err)
	theirs := r
	theirs.Shopper = w.customer(w.fixture.Neighbor)
	_, err = w.Place(t.Context(), theirs)
	require.ErrorIs(t, err, commerce.ErrNotFound, "nor what became of it")
	_, err = w.Place(t.Context(), r)
	assert.Equal(t, commerce.CodeConflict, code(t, err))
}

func TestK5_ParallelAttemptsOnOneCartAreOneOrder(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	r := w.cart(t, w.guest())
	nodes := []*ordering.Service{w.Service, w.over(w.shop.Ports())}
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := nodes[i%2].Place(t.Context(), r)
			if err == nil {
				won.Add(1)
				return
			}
			assert.ErrorIs(t, err, commerce.ErrConflict)
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), won.Load())
	assert.Equal(t, 1, w.shop.Calls(commerce.OpPlace))
}

func TestK5_NodesShareTheLockThroughRedis(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	node := func() ledger.Ledger {
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true})
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		return ledger.NewRedis(client)
	}
	w := start(node())
	other := &world{shop: w.shop, ledger: node()}
	r := w.cart(t, w.guest())
	var inner error
	w.shop.Hold(commerce.OpPlace, func(ctx context.Context) {
		_, inner = other.over(w.shop.Ports()).Place(ctx, r)
	})
	_, err := w.Place(t.Context(), r)
	require.NoError(t, err)
	assert.Equal(t, commerce.CodeInProgress, code(t, inner))
	assert.Equal(t, 1, w.shop.Calls(commerce.OpPlace))
	for _, key := range server.Keys() {
		held, err := server.Get(key)
		require.NoError(t, err)
		assert.NotContains(t, key+held, string(r.Cart), "a guest's cart id is not in Redis")
	}
}

func TestK4_LostAnswersAreReconciled(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]lie{"lost": lost, "cart gone": gone, "cancelled": canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(ledger.NewMemory())
			w.checkout.script = []lie{l}
			placed, err := w.Place(t.Context(), w.cart(t, w.guest()))
			require.NoError(t, err)
			assert.NotEmpty(t, placed.Number)
			assert.NotEmpty(t, placed.OrderToken)
			assert.Equal(t, 1, w.checkout.orders())
		})
	}
}

func TestK6_AnOutcomeThatStaysUnknownIsSaidSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(ledger.NewMemory())
		r := w.cart(t, w.guest())
		w.checkout.set(func(c *checkout) { c.script, c.down = []lie{lost}, true })
		begun := time.Now()
		_, err := w.Place(t.Context(), r)
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.Equal(t, commerce.ErrUnavailable, commerce.KindOf(err), "never a refusal")
		assert.Equal(t, commerce.CodeOutcomeUnknown, code(t, err))
		assert.LessOrEqual(t, time.Since(begun), timeout)

		_, err = w.Place(t.Context(), r)
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown, "nobody can tell yet")
		w.checkout.set(func(c *checkout) { c.down = false })
		placed, err := w.Place(t.Context(), r)
		require.NoError(t, err, "the next attempt finds the order")
		assert.NotEmpty(t, placed.Number)
		assert.Equal(t, 1, w.checkout.orders())
		assert.Equal(t, []commerce.SKU{w.fixture.Products[0], w.fixture.Products[0]}, w.forgot, "when the answer was lost, and when the order was found")
	})
}

func TestK7_NoSecondSubmitBeforeAbsenceIsProved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(ledger.NewMemory())
		r := w.cart(t, w.customer(w.fixture.Customer))
		w.checkout.script = []lie{never}
		for range 3 { // within the settle time nothing is submitted, however often it is asked
			_, err := w.Place(t.Context(), r)
			require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
			assert.Zero(t, w.shop.Calls(commerce.OpPlace))
		}
		time.Sleep(settle)
		placed, err := w.Place(t.Context(), r)
		require.NoError(t, err)
		assert.NotEmpty(t, placed.Number)
		assert.Equal(t, 1, w.checkout.orders())
	})
}

func TestK8_AnOrderThatComesLateIsStillOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(ledger.NewMemory())
		r := w.cart(t, w.guest())
		w.checkout.script = []lie{later}
		_, err := w.Place(t.Context(), r)
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
		_, err = w.Place(t.Context(), r)
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
		time.Sleep(settle / 2)
		w.checkout.finish()
		time.Sleep(settle / 2)
		_, err = w.Place(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, 1, w.checkout.orders())
	})
}

func TestK13_PlacingGoesOnWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	r := w.cart(t, w.guest())
	ctx, leave := context.WithCancel(t.Context())
	w.shop.Hold(commerce.OpPlace, func(context.Context) { leave() })
	placed, err := w.Place(ctx, r)
	require.NoError(t, err)
	assert.NotEmpty(t, placed.Number)
}

func TestTheSameKeyGetsItsOrderAgain(t *testing.T) {
	t.Parallel()
	w := start(ledger.NewMemory())
	r := w.cart(t, w.guest())
	r.Key = "key-1"
	placed, err := w.Place(t.Context(), r)
	require.NoError(t, err)
	again, err := w.Place(t.Context(), r)
	require.NoError(t, err, "the idempotency store lost the answer")
	assert.Equal(t, placed.Number, again.Number)
	assert.Equal(t, placed.OrderToken, again.OrderToken)
	r.Key = "key-2"
	_, err = w.Place(t.Context(), r)
	assert.Equal(t, commerce.CodeConflict, code(t, err))
	assert.Equal(t, 1, w.checkout.orders())
}

// broken is a ledger that cannot be reached.
type broken struct{ *ledger.Memory }

func (broken) Claim(context.Context, string, string, time.Duration) (string, bool, error) {
	return "", false, &commerce.CallError{System: "redis", Operation: "ledger", Kind: commerce.ErrUnavailable}
}

func TestWithoutALedgerNothingIsCalled(t *testing.T) {
	t.Parallel()
	w := start(broken{ledger.NewMemory()})
	r := w.cart(t, w.guest())
	before := w.shop.TotalCalls()
	_, err := w.Place(t.Context(), r)
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.Equal(t, before, w.shop.TotalCalls())
}
