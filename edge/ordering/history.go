package ordering

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// Orders answers a page of the signed-in principal's orders, newest first: the
// ERP's history, and on its first page, beyond the page's size, the orders that
// only the checkout knows yet, with PendingSync. A cursor of such an order, or of one
// with such an order behind it, goes on in that first page. Without the ERP there is no
// answer; without the checkout the ERP's page is answered and the gap is
// reported to the context's sink.
func (s *Service) Orders(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	if p.Anonymous() {
		return nil, commerce.ErrUnauthenticated
	}
	within, err := parseWithin(page.After)
	if err != nil {
		return nil, err
	}
	if within == nowhere && page.After != "" {
		return s.Ports.OrderHistory.Orders(ctx, p, page)
	}
	first := within.first(page)
	var known, placed *commerce.OrderPage
	var gap error
	group, gctx := errgroup.WithContext(ctx)
	group.Go(guarded(func() (err error) {
		known, err = s.Ports.OrderHistory.Orders(gctx, p, first)
		return err
	}))
	group.Go(guarded(func() error {
		placed, gap = s.Ports.PlacedOrders.Orders(gctx, p, commerce.Cursor{First: max(first.First, recent)})
		return nil
	}))
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if gap != nil {
		s.reportGap(ctx, gap)
		placed = &commerce.OrderPage{} // the ERP's orders stand
	}
	return within.goOn(merged(known, placed), func(after string) (*commerce.OrderPage, error) {
		return s.Ports.OrderHistory.Orders(ctx, p, commerce.Cursor{First: page.First, After: after})
	})
}

// recent is how many of the checkout's newest orders are looked at, however short the page:
// more than ever wait for the ERP at once.
const recent = 20

func (s *Service) reportGap(ctx context.Context, gap error) {
	if errors.Is(gap, commerce.ErrNotFound) {
		return // the checkout does not know the principal, who has no orders there
	}
	commerce.Report(ctx, commerce.Source{
		System:    s.Ports.Traits[commerce.OpPlace].System,
		Operation: commerce.OpOrders,
		State:     commerce.StateMissing,
		Reason:    commerce.ReasonOf(gap),
	})
}

// merged adds to the ERP's first page what the checkout alone knows. When the ERP has
// more pages, an order older than its last row is on one of them.
func merged(known, placed *commerce.OrderPage) *commerce.OrderPage {
	if len(placed.Orders) == 0 {
		return known
	}
	rows := make([]row, len(known.Orders), len(known.Orders)+len(placed.Orders))
	have := map[commerce.OrderNumber]bool{}
	var oldest time.Time
	for i, o := range known.Orders {
		rows[i] = row{order: o, cursor: known.Cursors[i]}
		have[o.Number] = true
		oldest = o.PlacedAt
	}
	for _, o := range placed.Orders {
		if have[o.Number] || known.HasNext && o.PlacedAt.Before(oldest) {
			continue
		}
		rows = append(rows, row{order: pending(o)})
	}
	if len(rows) == len(known.Orders) {
		return known
	}
	slices.SortStableFunc(rows, func(a, b row) int { return b.order.PlacedAt.Compare(a.order.PlacedAt) })
	return paged(rows, commerce.OrderPage{Total: known.Total + len(rows) - len(known.Orders), HasNext: known.HasNext})
}

// pending marks a copy: what a port answered is shared.
func pending(o *commerce.Order) *commerce.Order {
	c := *o
	c.PendingSync = true
	return &c
}

// Order answers an order to its customer, or to whoever holds its token: from the
// ERP, or with PendingSync from the checkout while the ERP has none. For anyone
// else, and without either, it is [commerce.ErrNotFound].
func (s *Service) Order(ctx context.Context, p commerce.Principal, number commerce.OrderNumber, token string) (*commerce.Order, error) {
	var read func(commerce.OrderHistory) (*commerce.Order, error)
	switch {
	case s.tokens.good(number, token):
		read = func(h commerce.OrderHistory) (*commerce.Order, error) { return h.GuestOrder(ctx, number) }
	case !p.Anonymous():
		read = func(h commerce.OrderHistory) (*commerce.Order, error) { return h.Order(ctx, p, number) }
	default:
		return nil, unknownOrder
	}
	order, err := read(s.Ports.OrderHistory)
	if err == nil || !errors.Is(err, commerce.ErrNotFound) {
		return order, err
	}
	order, err = read(s.Ports.PlacedOrders)
	if err != nil {
		return nil, err
	}
	return pending(order), nil
}

var unknownOrder = &commerce.InputError{Field: "number", Code: commerce.CodeInvalid, Message: "is not a known order", Kind: commerce.ErrNotFound}
