// Package turns lets one writer at a time to a cart, over all nodes and both channels: what
// checks a cart and then changes it would lose changes otherwise, and so do checkouts that
// several writers reach at once.
//
// A turn is a record in the ledger with a lease, which whoever has the turn renews while it
// works; when they die, the lease ends and the next one is let through. Whoever slept past
// their lease finds out before they write: the record then holds another's token. Within a
// process writers queue in the order in which they came, and one of them asks the ledger. A
// turn that nobody else wants costs two calls of the ledger: one to take it, one to give it back.
package turns

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	lease = 3 * time.Second // how long the others wait for one who died
	renew = lease / 4
	// sure is how long after it was last heard of a lease is relied on without asking.
	sure      = lease / 2
	firstPoll = 5 * time.Millisecond // between two looks whether another node is done
	mostPoll  = 10 * time.Millisecond
	// inARow is how many of a process's writers follow one another before another node's have
	// their chance, which nobody tells of.
	inARow   = 4
	answer   = 200 * time.Millisecond // of a request's deadline, kept to answer the client
	giveBack = time.Second
	// A claim that was not answered may be granted after that: what is taken back is looked for so
	// often, so far apart, for so many claims at once. What is still there then ends with its lease.
	takeBacks     = 3
	betweenBacks  = lease / 12
	mostTakenBack = 64
)

// Turns hands out turns. It is safe for concurrent use.
type Turns struct {
	ledger ledger.Ledger
	log    *slog.Logger

	mu     sync.Mutex
	queues map[string]*queue

	backs   chan struct{} // holds an element for each claim that is being taken back
	takers  sync.WaitGroup
	closing chan struct{} // closed under mu when nothing is taken back any more
	closed  sync.Once
}

// queue is a cart's writers in this process.
type queue struct {
	front chan struct{} // holds one element while somebody is at the front
	users int           // that are at the front or wait for it
	row   int           // that were at the front since another node had its chance
}

// New makes turns on a ledger.
func New(l ledger.Ledger, log *slog.Logger) *Turns {
	return &Turns{ledger: l, log: log, queues: map[string]*queue{}, backs: make(chan struct{}, mostTakenBack), closing: make(chan struct{})}
}

// Close ends what goes on in the background and waits for it. Turns can be had after that as before.
func (t *Turns) Close() {
	t.closed.Do(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		close(t.closing)
	})
	t.takers.Wait()
}

// InProgress is what those are told who did not get their turn in time.
var InProgress = &commerce.InputError{
	Field: "cartId", Code: commerce.CodeInProgress, Message: "is being changed; try again shortly", Kind: commerce.ErrConflict,
}

// Hold waits for the shopper's turn at a cart and answers a context that has it: changes of the
// cart under it, by ports that [Turns.Wrap] made, are parts of this turn. release gives the turn
// back and must be called; the context is good until then.
//
// When ctx is about to end first, the error is [InProgress]. When the ledger cannot be reached
// it is a [commerce.ErrUnavailable] or ErrTimeout, and nothing may be changed.
func (t *Turns) Hold(ctx context.Context, s commerce.Shopper, cart commerce.CartID) (held context.Context, release func(), err error) {
	return t.hold(ctx, keyOf(s.Principal, cart), false)
}

// keyOf names whose turn it is at what. A guest's cart is anyone's who knows its id. A customer
// has one cart, and somebody who names another's waits in a queue of their own.
func keyOf(p commerce.Principal, cart commerce.CartID) string {
	if cart.Guest() {
		return ledger.Key("turn", "guest", string(cart))
	}
	return ledger.Key("turn", "customer", p.Tenant, p.Subject)
}

type heldKey string

// hold is [Turns.Hold] by the key. With alone, a ledger that cannot be reached leaves a turn among
// this process's writers.
func (t *Turns) hold(ctx context.Context, key string, alone bool) (context.Context, func(), error) {
	if have, ok := ctx.Value(heldKey(key)).(*turn); ok {
		return ctx, func() {}, have.check(ctx)
	}
	wait, cancel := beforeAnswering(ctx)
	defer cancel()
	q := t.join(key)
	mine, err := t.take(wait, q, key, alone)
	if err != nil {
		t.leave(key, q)
		if errors.Is(err, context.DeadlineExceeded) {
			err = InProgress
		}
		return nil, nil, err
	}
	stop := mine.keep(ctx)
	return context.WithValue(ctx, heldKey(key), mine), func() {
		stop()
		mine.drop(ctx)
		<-q.front
		t.leave(key, q)
	}, nil
}

// beforeAnswering ends a little before ctx does.
func beforeAnswering(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(answer, time.Until(end)/4)))
}

func (t *Turns) join(key string) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[key]
	if q == nil {
		q = &queue{front: make(chan struct{}, 1)}
		t.queues[key] = q
	}
	q.users++
	return q
}

func (t *Turns) leave(key string, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.queues, key)
	}
}

// take comes to the front of the queue and then asks the ledger until the turn is ours.
func (t *Turns) take(ctx context.Context, q *queue, key string, alone bool) (*turn, error) {
	select {
	case q.front <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	mine, err := t.claim(ctx, q, key)
	if alone && ctx.Err() == nil && isAway(err) {
		t.log.LogAttrs(ctx, slog.LevelWarn, "turn at a cart taken in this process only", slog.Any("error", err))
		return &turn{alone: true}, nil
	}
	if err != nil {
		<-q.front
	}
	return mine, err
}

// isAway tells whether err is of a ledger that does not answer.
func isAway(err error) bool {
	return errors.Is(err, commerce.ErrUnavailable) || errors.Is(err, commerce.ErrTimeout)
}

func (t *Turns) claim(ctx context.Context, q *queue, key string) (*turn, error) {
	if q.row++; q.row > inARow {
		q.row = 0
		if err := pause(ctx, 2*mostPoll); err != nil { // longer than it waits between two looks
			return nil, err
		}
	}
	mine := &turn{turns: t, key: key, token: ledger.Token()}
	for poll := firstPoll; ; poll = min(2*poll, mostPoll) {
		asked := time.Now()
		_, claimed, err := t.ledger.Claim(ctx, key, mine.token, lease)
		switch {
		case err != nil:
			t.takeBack(mine)
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return nil, err
		case claimed:
			mine.heard = asked
			return mine, nil
		}
		q.row = 0
		if err := pause(ctx, poll/2+rand.N(poll)); err != nil { //nolint:gosec // nothing is guessed from it
			return nil, err
		}
	}
}

// takeBack gives back what a claim without an answer may have been granted, or is granted yet: nobody
// would know of that turn, and all would wait for its lease. It keeps nobody waiting, not even the
// request, whose time may be over, and lasts until [Turns.Close] at most.
func (t *Turns) takeBack(claimed *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.closing:
		return
	default:
	}
	select {
	case t.backs <- struct{}{}:
	default:
		return // the ledger is gone altogether
	}
	t.takers.Go(func() {
		defer func() { <-t.backs }()
		for range takeBacks {
			if t.dropped(claimed) {
				return
			}
			select {
			case <-t.closing:
				return
			case <-time.After(betweenBacks):
			}
		}
	})
}

// dropped tells whether a turn was there and is not any more.
func (t *Turns) dropped(claimed *turn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), giveBack)
	defer cancel()
	was, err := t.ledger.Drop(ctx, claimed.key, claimed.token)
	return err == nil && was
}

// pause waits, or answers why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
