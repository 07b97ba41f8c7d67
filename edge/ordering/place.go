package ordering

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	lockMargin  = 5 * time.Second        // a lock outlives the request that holds it
	writeTime   = time.Second            // for what is written down after the checkout answered
	answerTime  = 200 * time.Millisecond // of a request's deadline, kept to answer the client
	firstPause  = 100 * time.Millisecond // before the checkout is asked again for an order's fate
	mostPause   = time.Second
	unknownWait = 5 * time.Second // suggested to clients while the settle time runs
)

// Place places the cart's order: at most once for a cart, whoever asks and
// however often. A cart that is being placed is an [commerce.InputError] with
// [commerce.CodeInProgress], one that was placed before with
// [commerce.CodeConflict]; both are [commerce.ErrConflict]. When an earlier
// attempt's outcome was lost, Place finds that order and answers it. An outcome
// that stays unknown is an [UnknownError]. The work goes on when the caller
// leaves, until the request's deadline.
func (s *Service) Place(ctx context.Context, r Request) (*Placed, error) {
	ctx, cancel := limits.Detach(ctx, s.Timeout)
	defer cancel()
	unlock, err := s.lock(ctx, r.Cart)
	if err != nil {
		return nil, err
	}
	defer unlock()

	order, err := s.placeOnce(ctx, r)
	if err != nil {
		return nil, err
	}
	placed := &Placed{PlacedOrder: *order}
	if r.Shopper.Principal.Anonymous() {
		placed.OrderToken = s.tokens.sign(order.Number)
	}
	return placed, nil
}

func (s *Service) placeOnce(ctx context.Context, r Request) (*commerce.PlacedOrder, error) {
	intent, held, err := s.earlier(ctx, r)
	if err != nil {
		return nil, err
	}
	if intent == nil {
		return s.begin(ctx, r)
	}
	return s.resume(ctx, r, *intent, held)
}

// begin writes the intent down and submits it. An intent that somebody else
// wrote meanwhile, whose lock ran out while it slept, wins.
func (s *Service) begin(ctx context.Context, r Request) (*commerce.PlacedOrder, error) {
	ref, skus, err := s.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	i := intent{Ref: ref.Key, Owner: owner(r.Shopper.Principal), Attempt: r.attempt(), At: time.Now(), SKUs: skus}
	held, claimed, err := s.Ledger.Claim(ctx, intentKey(r.Cart), i.encode(), intentKept)
	if err != nil {
		return nil, err
	}
	if !claimed {
		return nil, inProgress
	}
	return s.submit(ctx, r, attempt{intent: i, held: held})
}

// forget drops the stock that an order took, or may have taken. The request's time may be over.
func (s *Service) forget(ctx context.Context, i intent) {
	if s.Forget != nil && len(i.SKUs) > 0 {
		s.Forget(context.WithoutCancel(ctx), i.SKUs)
	}
}

// prepare checks the cart and, for the cache's sake, learns what is in it.
func (s *Service) prepare(ctx context.Context, r Request) (commerce.CheckoutRef, []commerce.SKU, error) {
	var ref commerce.CheckoutRef
	var skus []commerce.SKU
	group, gctx := errgroup.WithContext(ctx)
	group.Go(guarded(func() (err error) {
		ref, err = s.Ports.Checkout.Prepare(gctx, r.Shopper, r.Cart)
		return err
	}))
	if s.Forget != nil {
		group.Go(guarded(func() error {
			cart, err := s.Ports.Carts.Cart(gctx, r.Shopper, r.Cart)
			if err != nil {
				return nil //nolint:nilerr // the stock is then forgotten when its lifetime ends
			}
			for _, line := range cart.Lines {
				skus = append(skus, line.SKU)
			}
			return nil
		}))
	}
	err := group.Wait()
	return ref, skus, err
}

// attempt is an intent and the text that the ledger holds for it.
type attempt struct {
	intent intent
	held   string
}

// submit asks the checkout for the order, once, and writes down what came of it.
func (s *Service) submit(ctx context.Context, r Request, a attempt) (*commerce.PlacedOrder, error) {
	ref := commerce.CheckoutRef{Cart: r.Cart, Key: a.intent.Ref}
	order, err := s.Ports.Checkout.Place(ctx, r.Shopper, ref, r.PaymentMethod)
	switch {
	case err == nil:
		s.settled(ctx, r.Cart, a, order)
		return order, nil
	case refused(err):
		s.write(ctx, "order intent not dropped", func(ctx context.Context) (bool, error) {
			return s.Ledger.Drop(ctx, intentKey(r.Cart), a.held)
		})
		return nil, err
	default:
		s.Log.LogAttrs(ctx, slog.LevelWarn, "order's answer lost", slog.Any("error", err))
		s.forget(ctx, a.intent)
		return s.reconcile(ctx, r, a)
	}
}

// refused tells whether the checkout surely took no order. An answer that the
// cart is gone is none: some checkouts say so after they took the order.
func refused(err error) bool {
	if errors.Is(err, commerce.ErrOutcomeUnknown) {
		return false
	}
	switch commerce.KindOf(err) {
	case commerce.ErrInvalid, commerce.ErrUnauthenticated, commerce.ErrForbidden, commerce.ErrRateLimited,
		commerce.ErrUnavailable, commerce.ErrTimeout: // the latter three: it never reached the wire
		return true
	default:
		return false
	}
}

// reconcile asks for the order until it is found or the time for it is over.
func (s *Service) reconcile(ctx context.Context, r Request, a attempt) (*commerce.PlacedOrder, error) {
	ref := commerce.CheckoutRef{Cart: r.Cart, Key: a.intent.Ref}
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		order, err := s.Ports.Checkout.Reconcile(ctx, r.Shopper, ref)
		if err == nil {
			s.settled(ctx, r.Cart, a, order)
			return order, nil
		}
		if !sleep(ctx, pause) {
			return nil, s.unknown(ctx, unknownWait, err)
		}
	}
}

// unknown logs why an order's fate could not be learnt and answers that it is open.
func (s *Service) unknown(ctx context.Context, wait time.Duration, cause error) error {
	s.Log.LogAttrs(ctx, slog.LevelWarn, "order outcome unknown", slog.Any("error", cause))
	return &UnknownError{RetryAfter: wait}
}

// sleep waits, and tells whether there is time left to use it.
func sleep(ctx context.Context, pause time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < pause+answerTime {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// resume finds out what became of an earlier attempt.
func (s *Service) resume(ctx context.Context, r Request, i intent, held string) (*commerce.PlacedOrder, error) {
	if i.Number != "" && (i.Attempt == "" || i.Attempt != r.attempt()) {
		return nil, alreadyPlaced
	}
	a := attempt{intent: i, held: held}
	ref := commerce.CheckoutRef{Cart: r.Cart, Key: i.Ref}
	order, err := s.Ports.Checkout.Reconcile(ctx, r.Shopper, ref)
	switch {
	case err == nil:
		if i.Number == "" {
			s.settled(ctx, r.Cart, a, order)
		}
		return order, nil
	case i.Number != "" || !errors.Is(err, commerce.ErrNotFound): // placed, or perhaps
		return nil, s.unknown(ctx, unknownWait, err)
	default:
		return s.absent(ctx, r, a)
	}
}

// absent handles an order that the checkout does not find. Only when it was not
// found before either, and the checkout's longest working time lies between both
// answers, the order is proved absent, and the cart is submitted again.
func (s *Service) absent(ctx context.Context, r Request, a attempt) (*commerce.PlacedOrder, error) {
	now := time.Now()
	next := a.intent
	if next.AbsentAt.IsZero() {
		next.AbsentAt = now
	}
	proved := now.Sub(next.AbsentAt) >= s.settle
	if proved {
		next = intent{Ref: next.Ref, Owner: next.Owner, Attempt: r.attempt(), At: now, SKUs: next.SKUs}
	}
	text := next.encode()
	ok, err := s.Ledger.Replace(ctx, intentKey(r.Cart), a.held, text, intentKept)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, inProgress
	case !proved:
		return nil, s.unknown(ctx, min(s.settle-now.Sub(next.AbsentAt)+time.Second, unknownWait), commerce.ErrNotFound)
	}
	if _, err := s.Ports.Checkout.Prepare(ctx, r.Shopper, r.Cart); err != nil {
		return nil, err
	}
	return s.submit(ctx, r, attempt{intent: next, held: text})
}

// settled has the stock forgotten that the order took, and writes down that the cart became it.
func (s *Service) settled(ctx context.Context, cart commerce.CartID, a attempt, order *commerce.PlacedOrder) {
	s.forget(ctx, a.intent)
	done := a.intent
	done.Number = order.Number
	s.write(ctx, "order outcome not written", func(ctx context.Context) (bool, error) {
		return s.Ledger.Replace(ctx, intentKey(cart), a.held, done.encode(), intentKept)
	})
}

// write keeps a result although the request's time may be over. When it fails
// the intent stays as it is, and whoever comes next reconciles.
func (s *Service) write(ctx context.Context, what string, do func(context.Context) (bool, error)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	if ok, err := do(ctx); err != nil || !ok {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "order ledger not written", slog.String("what", what), slog.Any("error", err))
	}
}

// lock keeps everybody else, on every node, from placing the cart.
func (s *Service) lock(ctx context.Context, cart commerce.CartID) (unlock func(), err error) {
	key, token := ledger.Key("order-lock", string(cart)), ledger.Token()
	_, claimed, err := s.Ledger.Claim(ctx, key, token, s.Timeout+lockMargin)
	if err != nil {
		return nil, err
	}
	if !claimed {
		return nil, inProgress
	}
	return func() {
		s.write(ctx, "order lock not released", func(ctx context.Context) (bool, error) {
			return s.Ledger.Drop(ctx, key, token)
		})
	}, nil
}

var (
	inProgress = &commerce.InputError{
		Field: "cartId", Code: commerce.CodeInProgress, Message: "is being placed; try again shortly", Kind: commerce.ErrConflict,
	}
	alreadyPlaced = &commerce.InputError{
		Field: "cartId", Code: commerce.CodeConflict, Message: "was placed already", Kind: commerce.ErrConflict,
	}
)
