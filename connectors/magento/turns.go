package magento

import (
	"context"
	"errors"
	"sync"

	"github.com/portico-bff/portico/schema/commerce"
)

// turns lets the writes to one cart through one after the other: Magento loses
// changes when several reach a quote at once. It covers this process; two
// processes that write to one cart at once are left to Magento.
type turns struct {
	mu    sync.Mutex
	carts map[turnKey]*turn
}

// turnKey is whose turn at which cart: somebody who names another's cart waits in
// a queue of their own, not in the owner's.
type turnKey struct {
	cart  commerce.CartID
	owner string
}

type turn struct {
	token chan struct{} // holds one element while somebody has the turn
	users int           // that have it or wait for it
}

// take waits for the cart's turn. The caller gives it back with release. When ctx
// ends first, the error is context.Canceled or of kind ErrTimeout.
func (t *turns) take(ctx context.Context, op commerce.Operation, cart *opened) (release func(), err error) {
	key := turnKey{cart.id, cart.owner}
	mine := t.join(key)
	select {
	case mine.token <- struct{}{}:
		return func() {
			<-mine.token
			t.leave(key, mine)
		}, nil
	case <-ctx.Done():
		t.leave(key, mine)
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
		return nil, failed(op, commerce.ErrTimeout, "waiting for other changes to the cart")
	}
}

func (t *turns) join(key turnKey) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.carts == nil {
		t.carts = map[turnKey]*turn{}
	}
	mine := t.carts[key]
	if mine == nil {
		mine = &turn{token: make(chan struct{}, 1)}
		t.carts[key] = mine
	}
	mine.users++
	return mine
}

func (t *turns) leave(key turnKey, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.carts, key)
	}
}
