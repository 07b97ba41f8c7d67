package odoo_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// While orders are added, pages joined at any order's cursor are the history as it was at first.
func TestPagesOfOrdersAreStableWhileOrdersAreAdded(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	port, w := connect(t, s).OrderHistory, s.Server.World
	w.SetSyncDelay(0) // the ERP shows an order in the second it is placed, with many others
	who := w.Customer("AW00011000")
	rnd := rand.New(rand.NewPCG(1, 2))
	add := func() {
		placed := *w.OrderByNumber(string(s.Fixture().Order))
		placed.QuoteID, placed.Lines = 0, nil
		_, err := w.PlaceOrder(placed)
		require.NoError(t, err)
	}
	read := func(first int, after string) *commerce.OrderPage {
		page, err := port.Orders(t.Context(), sandboxtest.Principal(who), commerce.Cursor{First: first, After: after})
		require.NoError(t, err)
		return page
	}
	for range 6 {
		add()
	}
	for range 5 {
		whole := read(commerce.MaxBatch, "")
		var walked []commerce.OrderNumber
		for after, more := "", true; more; {
			page := read(1+rnd.IntN(4), after)
			take := 1 + rnd.IntN(len(page.Orders))
			for _, o := range page.Orders[:take] {
				walked = append(walked, o.Number)
			}
			after, more = page.Cursors[take-1], page.HasNext || take < len(page.Orders)
			add()
		}
		var want []commerce.OrderNumber
		for _, o := range whole.Orders {
			want = append(want, o.Number)
		}
		require.Equal(t, want, walked)
	}
}
