package turns

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

const guest commerce.CartID = "g_00000000000000000000000000001001"

func as(subject string) commerce.Shopper {
	return commerce.Shopper{Market: commercetest.NewShop().Fixture().Market, Principal: commerce.Principal{Tenant: "default", Subject: subject}}
}

// counted counts the calls of a ledger.
type counted struct {
	ledger.Ledger
	calls atomic.Int64
}

func (c *counted) Claim(ctx context.Context, key, value string, ttl time.Duration) (string, bool, error) {
	c.calls.Add(1)
	return c.Ledger.Claim(ctx, key, value, ttl)
}

func (c *counted) Extend(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	c.calls.Add(1)
	return c.Ledger.Extend(ctx, key, value, ttl)
}

func (c *counted) Drop(ctx context.Context, key, old string) (bool, error) {
	c.calls.Add(1)
	return c.Ledger.Drop(ctx, key, old)
}

// Nodes on one ledger read a number, and write it one higher: none is lost.
func TestK5_OneWriterAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := ledger.NewMemory()
		const nodes, writers, each = 2, 20, 5
		number, inside, waited := 0, atomic.Int64{}, [nodes]time.Duration{}
		began := time.Now()
		var done sync.WaitGroup
		for i := range nodes {
			node := New(book, quiet)
			for range writers {
				done.Go(func() {
					for range each {
						_, release, err := node.Hold(t.Context(), as("ann"), guest)
						if !assert.NoError(t, err) {
							return
						}
						assert.EqualValues(t, 1, inside.Add(1))
						seen := number
						time.Sleep(10 * time.Millisecond)
						number = seen + 1
						waited[i] = time.Since(began)
						inside.Add(-1)
						release()
					}
				})
			}
		}
		done.Wait()
		assert.Equal(t, nodes*writers*each, number)
		assert.Less(t, (waited[0] - waited[1]).Abs(), time.Since(began)/2, "no node waits until the other has nothing more to write")
		held, err := book.Get(t.Context(), keyOf(as("ann").Principal, guest))
		require.NoError(t, err)
		assert.Empty(t, held, "turns are given back")
	})
}

func TestATurnCostsTwoCallsOfTheLedger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book, shop := &counted{Ledger: ledger.NewMemory()}, commercetest.NewShop()
		ports := New(book, quiet).Wrap(shop.Ports())
		cart, err := ports.Carts.Create(t.Context(), as(""))
		require.NoError(t, err)
		require.Zero(t, book.calls.Load())
		_, err = ports.CartLines.AddLine(t.Context(), as(""), cart.ID, shop.Fixture().Products[0], 1)
		require.NoError(t, err)
		assert.EqualValues(t, 2, book.calls.Load())
	})
}

// Whoever dies with a turn keeps the others waiting for the rest of its lease, and no longer.
func TestTurnsSurviveTheirHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := ledger.NewMemory()
		_, claimed, err := book.Claim(t.Context(), keyOf(as("ann").Principal, guest), "dead", lease)
		require.NoError(t, err)
		require.True(t, claimed)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, release, err := New(book, quiet).Hold(ctx, as("ann"), guest)
		require.NoError(t, err)
		assert.Less(t, time.Since(began), lease+2*mostPoll)
		assert.GreaterOrEqual(t, time.Since(began), lease)
		release()
	})
}

// Who works on keeps the turn, however long it takes.
func TestALongTurnIsRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := ledger.NewMemory()
		held, release, err := New(book, quiet).Hold(t.Context(), as("ann"), guest)
		require.NoError(t, err)
		time.Sleep(5 * lease)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err = New(book, quiet).Hold(ctx, as("ann"), guest)
		require.ErrorIs(t, err, InProgress)
		require.ErrorIs(t, err, commerce.ErrConflict)
		_, again, err := New(book, quiet).Hold(held, as("ann"), guest)
		require.NoError(t, err, "a part of the turn")
		again()
		release()
		held2, err := book.Get(t.Context(), keyOf(as("ann").Principal, guest))
		require.NoError(t, err)
		assert.Empty(t, held2)
	})
}

// TestK10_WhoSleptPastTheirLeaseDoesNotWrite stops a holder's renewals, as a stopped process's
// are, until another has had the cart and is gone again.
func TestK10_WhoSleptPastTheirLeaseDoesNotWrite(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(t *testing.T, other *Turns){
		"another is writing": func(t *testing.T, other *Turns) {
			_, release, err := other.Hold(t.Context(), as(""), guest)
			require.NoError(t, err)
			t.Cleanup(release)
		},
		"another has written": func(t *testing.T, other *Turns) {
			_, release, err := other.Hold(t.Context(), as(""), guest)
			require.NoError(t, err)
			release()
		},
		"nobody wanted it": func(*testing.T, *Turns) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				book, shop := ledger.NewMemory(), commercetest.NewShop()
				ours := New(book, quiet)
				ports := ours.Wrap(shop.Ports())
				key := keyOf(as("").Principal, guest)
				asleep, err := ours.claim(t.Context(), ours.join(key), key)
				require.NoError(t, err)
				ctx := context.WithValue(t.Context(), heldKey(key), asleep)
				time.Sleep(lease + time.Second)
				meanwhile(t, New(book, quiet))
				_, err = ports.CartLines.AddLine(ctx, as(""), guest, shop.Fixture().Products[0], 1)
				require.ErrorIs(t, err, InProgress)
				assert.Zero(t, shop.TotalCalls())
			})
		})
	}
}

type away struct{ ledger.Ledger }

func (away) Claim(context.Context, string, string, time.Duration) (string, bool, error) {
	return "", false, &commerce.CallError{System: "redis", Operation: "ledger", Kind: commerce.ErrUnavailable}
}

func (away) Drop(context.Context, string, string) (bool, error) {
	return false, &commerce.CallError{System: "redis", Operation: "ledger", Kind: commerce.ErrUnavailable}
}

// tardy is a ledger that grants claims when nobody waits for its answer any more.
type tardy struct {
	ledger.Ledger
	patience, late time.Duration // how long it lets a caller wait, and how long after that it grants
}

func (l tardy) Claim(ctx context.Context, key, value string, ttl time.Duration) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	<-ctx.Done()
	grant := func() { _, _, _ = l.Ledger.Claim(context.WithoutCancel(ctx), key, value, ttl) }
	if l.late > 0 {
		time.AfterFunc(l.late, grant)
	} else {
		grant()
	}
	return "", false, &commerce.CallError{System: "redis", Operation: "ledger", Kind: commerce.ErrUnavailable, Err: ctx.Err()}
}

// A turn that nobody knows they have keeps nobody waiting for its lease, whether the request's time
// was over or the ledger's was, and whether the claim comes before or after it is taken back.
func TestK10_AClaimThatIsGrantedTooLateIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]tardy{
		"the request is over, granted at once": {patience: time.Minute},
		"the request is over, granted later":   {patience: time.Minute, late: 100 * time.Millisecond},
		"the ledger took too long":             {patience: lease / 6},
		"the ledger took too long, and longer": {patience: lease / 6, late: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				book := ledger.NewMemory()
				slow.Ledger = book
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				turns := New(slow, quiet)
				defer turns.Close()
				_, _, err := turns.Hold(ctx, as("ann"), guest)
				require.Error(t, err)
				time.Sleep(slow.late)
				synctest.Wait() // it is granted by now
				began := time.Now()
				_, release, err := New(book, quiet).Hold(t.Context(), as("ann"), guest)
				require.NoError(t, err)
				assert.Less(t, time.Since(began), lease/4)
				release()
			})
		})
	}
}

// While nothing is answered, what is taken back has a limit.
func TestClaimsTakenBackAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := New(away{}, quiet)
		for range 10 * mostTakenBack {
			_, _, err := turns.Hold(t.Context(), as("ann"), guest)
			require.ErrorIs(t, err, commerce.ErrUnavailable)
		}
		assert.Len(t, turns.backs, mostTakenBack)
		time.Sleep(takeBacks * (betweenBacks + giveBack))
		assert.Empty(t, turns.backs)
		_, _, err := turns.Hold(t.Context(), as("ann"), guest)
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		turns.Close()
		assert.Empty(t, turns.backs)
		_, _, err = turns.Hold(t.Context(), as("ann"), guest)
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.Empty(t, turns.backs, "who is closed begins nothing")
	})
}

func TestWithoutALedgerCartsAreChangedInThisProcessesTurns(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	f := shop.Fixture()
	turns := New(away{}, quiet)
	defer turns.Close()
	ports := turns.Wrap(shop.Ports())
	ctx, who := t.Context(), commerce.Shopper{Market: f.Market, Principal: f.Customer}
	for name, change := range map[string]func() (*commerce.Cart, error){
		"add":      func() (*commerce.Cart, error) { return ports.CartLines.AddLine(ctx, who, guest, f.Products[0], 1) },
		"set":      func() (*commerce.Cart, error) { return ports.CartLines.SetLine(ctx, who, guest, "1", 1) },
		"remove":   func() (*commerce.Cart, error) { return ports.CartLines.RemoveLine(ctx, who, guest, "1") },
		"apply":    func() (*commerce.Cart, error) { return ports.CartCoupons.ApplyCoupon(ctx, who, guest, "X") },
		"take off": func() (*commerce.Cart, error) { return ports.CartCoupons.RemoveCoupon(ctx, who, guest) },
		"merge":    func() (*commerce.Cart, error) { return ports.Carts.Merge(ctx, who, guest) },
		"shipping": func() (*commerce.Cart, error) {
			return ports.CheckoutOptions.SetShipping(ctx, who, guest, commerce.ShippingChoice{})
		},
	} {
		before := shop.TotalCalls()
		_, err := change()
		require.NotErrorIs(t, err, commerce.ErrUnavailable, name)
		require.Greater(t, shop.TotalCalls(), before, name)
	}
	_, _, err := turns.Hold(ctx, who, guest)
	require.ErrorIs(t, err, commerce.ErrUnavailable, "what is checked first must not be changed by another node in between")
	_, err = ports.Carts.Create(ctx, who)
	require.NoError(t, err, "what is nobody's yet waits for nobody")
}

// Who has a turn without a ledger keeps the others of this process waiting nevertheless.
func TestK5_WithoutALedgerThisProcessesWritersTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := New(away{}, quiet)
		defer turns.Close()
		var inside, most, done int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := during(t.Context(), turns, "cart", func(context.Context) (struct{}, error) {
					mu.Lock()
					inside++
					most, done = max(most, inside), done+1
					mu.Unlock()
					time.Sleep(time.Millisecond)
					mu.Lock()
					inside--
					mu.Unlock()
					return struct{}{}, nil
				})
				assert.NoError(t, err)
			})
		}
		all.Wait()
		assert.Equal(t, 1, most)
		assert.Equal(t, 20, done)
		assert.Empty(t, turns.queues)
	})
}

// Somebody who names another's cart waits in a queue of their own.
func TestNobodyKeepsACustomersTurn(t *testing.T) {
	t.Parallel()
	turns := New(ledger.NewMemory(), quiet)
	_, release, err := turns.Hold(t.Context(), as("bob"), "c_1")
	require.NoError(t, err)
	defer release()
	for _, who := range []commerce.Shopper{as("ann"), as(""), {Principal: commerce.Principal{Tenant: "other", Subject: "bob"}}} {
		_, own, err := turns.Hold(t.Context(), who, "c_1")
		require.NoError(t, err)
		own()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, _, err = turns.Hold(ctx, as("bob"), "c_2")
	require.ErrorIs(t, err, InProgress, "a customer has one cart")
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, _, err = turns.Hold(gone, as("bob"), "c_1")
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, turns.queues, 1)
}
