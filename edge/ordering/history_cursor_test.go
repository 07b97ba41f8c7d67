package ordering_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// paging is a history that is really paged; its cursors are the numbers of orders, which fall.
type paging struct {
	history
}

func (h paging) Orders(_ context.Context, _ commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	got := &commerce.OrderPage{Total: len(h.orders)}
	for _, o := range h.orders {
		if page.After != "" && string(o.Number) >= page.After {
			continue
		}
		if len(got.Orders) == page.First {
			got.HasNext = true
			break
		}
		got.EndCursor = string(o.Number)
		got.Orders, got.Cursors = append(got.Orders, o), append(got.Cursors, got.EndCursor)
	}
	return got, nil
}

// Whatever only the checkout knows yet, and at whichever order's cursor a page is left: pages
// joined are the whole history, each order once.
func TestPagesOfOrdersJoinAtAnyCursor(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(2, 3))
	for range 500 {
		var erp, checkout []*commerce.Order
		// The checkout's own page is short: only the newest orders can be unknown to the ERP.
		unsynced := rnd.IntN(5)
		for i := 28; i > 0; i-- {
			o := at(commerce.OrderNumber(strconv.Itoa(100+i)), i)
			if unsynced > 0 && i > 20 && rnd.IntN(3) == 0 {
				unsynced--
			} else {
				erp = append(erp, o)
			}
			checkout = append(checkout, o)
		}
		s := serviceOf(paging{history{orders: erp}}, paging{history{orders: checkout}})
		var walked []string
		for after, more := "", true; more; {
			page, err := s.Orders(t.Context(), someone, commerce.Cursor{First: 10 + rnd.IntN(3), After: after})
			require.NoError(t, err)
			require.NotEmpty(t, page.Orders)
			assert.Equal(t, page.Cursors[len(page.Orders)-1], page.EndCursor)
			take := 1 + rnd.IntN(len(page.Orders))
			for _, o := range page.Orders[:take] {
				walked = append(walked, string(o.Number))
			}
			after, more = page.Cursors[take-1], page.HasNext || take < len(page.Orders)
		}
		var whole []string
		for _, o := range checkout {
			whole = append(whole, string(o.Number))
		}
		require.Equal(t, whole, walked)
	}
}

// An order that only the checkout knew when its cursor was given is the ERP's when the
// cursor is used: what is behind it is still there.
func TestOrdersGoOnBehindOneThatTheERPHasByNow(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 11))
	for range 300 {
		var whole []*commerce.Order
		for i := 28; i > 0; i-- {
			whole = append(whole, at(commerce.OrderNumber(strconv.Itoa(100+i)), i))
		}
		unsynced := 1 + rnd.IntN(4)
		now := whole[unsynced:]
		var walked, want []string
		for after, more := "", true; more; now = whole { // synced from the second page on
			s := serviceOf(paging{history{orders: now}}, paging{history{orders: whole}})
			page, err := s.Orders(t.Context(), someone, commerce.Cursor{First: 1 + rnd.IntN(3), After: after})
			require.NoError(t, err)
			require.NotEmpty(t, page.Orders, "behind %q", after)
			take := 1 + rnd.IntN(len(page.Orders))
			for _, o := range page.Orders[:take] {
				walked = append(walked, string(o.Number))
			}
			after, more = page.Cursors[take-1], page.HasNext || take < len(page.Orders)
		}
		for _, o := range whole {
			want = append(want, string(o.Number))
		}
		require.Equal(t, want, walked)
	}
}

func TestAGarbledCursorOfTheFirstPageNamesItsField(t *testing.T) {
	t.Parallel()
	s := service(history{}, history{orders: []*commerce.Order{at("5", 9)}})
	page, err := s.Orders(t.Context(), someone, firstPage)
	require.NoError(t, err)
	good := page.EndCursor
	rest, err := s.Orders(t.Context(), someone, commerce.Cursor{First: 1, After: good})
	require.NoError(t, err)
	assert.Empty(t, rest.Orders)
	assert.Empty(t, rest.EndCursor)
	for _, bad := range []string{"~", "~!", good[:len(good)-1], good + "A", good + "=", "~" + strings.Repeat("A", 4000)} {
		_, err := s.Orders(t.Context(), someone, commerce.Cursor{First: 1, After: bad})
		require.ErrorIs(t, err, commerce.ErrInvalid, bad)
		var input *commerce.InputError
		require.ErrorAs(t, err, &input)
		assert.Equal(t, "after", input.Field)
	}
}
