package turns

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// turn is one writer's while its lease lasts.
type turn struct {
	turns      *Turns
	key, token string
	alone      bool // the ledger was away: it keeps nobody out but this process's own

	mu    sync.Mutex
	heard time.Time // when the ledger was last asked and said that the turn is ours
	lost  bool
}

// check is the fence before a change: nil while the turn is surely ours. A process that slept
// may have lost it meanwhile, so that what it does not know for sure it asks.
func (t *turn) check(ctx context.Context) error {
	t.mu.Lock()
	lost, known := t.lost, t.alone || since(t.heard) < sure
	t.mu.Unlock()
	switch {
	case lost:
		return InProgress
	case known:
		return nil
	default:
		return t.extend(ctx)
	}
}

// since is how long ago something was, by the clock on the wall where that says more: the
// other one stands still while a machine sleeps.
func since(at time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(at), now.Round(0).Sub(at.Round(0)))
}

// extend renews the lease, if the record is still ours. One that ended is lost, also when nobody
// has the turn now: somebody may have had it in between.
func (t *turn) extend(ctx context.Context) error {
	asked := time.Now()
	ours, err := t.turns.ledger.Extend(ctx, t.key, t.token, lease)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.lost, err == nil && !ours:
		t.lost = true
		return InProgress
	case err != nil:
		return err
	}
	t.heard = asked
	return nil
}

// keep renews the lease until stop is called. What is under way when the turn is lost cannot be
// taken back; what has not begun is kept from it by [turn.check].
func (t *turn) keep(ctx context.Context) (stop func()) {
	if t.alone {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() {
		for pause(ctx, renew) == nil {
			if err := t.extend(ctx); err != nil && ctx.Err() == nil {
				t.turns.log.LogAttrs(ctx, slog.LevelWarn, "turn at a cart not renewed", slog.Bool("lost", t.isLost()), slog.Any("error", err))
			}
			if t.isLost() {
				return
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func (t *turn) isLost() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}

// drop gives the turn back, also when the request's time is over.
func (t *turn) drop(ctx context.Context) {
	if t.alone {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBack)
	defer cancel()
	if _, err := t.turns.ledger.Drop(ctx, t.key, t.token); err != nil {
		t.turns.log.LogAttrs(ctx, slog.LevelWarn, "turn at a cart not given back; the next one waits for its lease", slog.Any("error", err))
	}
}

// during runs a change of a cart in its turn. While the ledger is away the change is made all the
// same: a shop that sells nothing without Redis is worse than two nodes of which the checkout, which
// owns the cart, takes one after the other. What was checked before, under [Turns.Hold], is not.
func during[T any](ctx context.Context, t *Turns, key string, do func(context.Context) (T, error)) (T, error) {
	ctx, release, err := t.hold(ctx, key, true)
	if err != nil {
		var none T
		return none, err
	}
	defer release()
	return do(ctx)
}

// Wrap puts turns before what changes carts. What reads them, opens them or places their orders
// passes through. Ports that are nil stay so.
func (t *Turns) Wrap(p commerce.Ports) commerce.Ports {
	if p.Carts != nil {
		p.Carts = carts{p.Carts, t}
	}
	if p.CartLines != nil {
		p.CartLines = lines{p.CartLines, t}
	}
	if p.CartCoupons != nil {
		p.CartCoupons = coupons{p.CartCoupons, t}
	}
	if p.CheckoutOptions != nil {
		p.CheckoutOptions = options{p.CheckoutOptions, t}
	}
	return p
}
