package magento_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	opGuestPlace    = "POST /V1/guest-carts/{id}/payment-information"
	opCustomerPlace = "PUT /V1/carts/{id}/order"
	opGuestCart     = "GET /V1/guest-carts/{id}"
	opSearchOrders  = "GET /V1/orders"
	opOrder         = "GET /V1/orders/{id}"
	html            = "<html><body>bad gateway</body></html>"
)

// lost are the ways in which the answer to a placed order can go missing.
var lost = map[string]struct {
	act      disturb
	executed bool
}{
	"cut before":     {cut, false},
	"cut after":      {cutAfter, true},
	"500":            {forge(true, 500, "application/json", `{"message":"Internal Error."}`), true},
	"500 before":     {forge(false, 500, "application/json", `{"message":"Internal Error."}`), false},
	"502 HTML":       {forge(true, 502, "text/html", html), true},
	"503 HTML":       {forge(false, 503, "text/html", html), false},
	"200 HTML":       {forge(true, 200, "text/html", html), true},
	"empty":          {forge(true, 200, "application/json", ""), true},
	"an object":      {forge(true, 200, "application/json", `{"id":7}`), true},
	"no id":          {forge(true, 200, "application/json", `""`), true},
	"negative id":    {forge(true, 200, "application/json", `-1`), true},
	"truncated":      {truncated, true},
	"redirect":       {forge(true, 302, "text/html", ""), true},
	"cart gone":      {forge(true, 404, "application/json", `{"message":"No such entity with %fieldName = %fieldValue","parameters":{"fieldName":"cartId","fieldValue":"x"}}`), true},
	"404 HTML":       {forge(true, 404, "text/html", html), true},
	"server stopped": {forge(true, 400, "application/json", `{"message":"A server error stopped your order from being placed. Please try to place your order again."}`), true},
	"conflict":       {forge(true, 409, "application/json", `{"message":"?"}`), true},
}

// A lost answer never becomes a second order, nor a "no" while there is one.
func TestN1_K4_APlacedOrderIsAskedForOnceAndFoundAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, tc := range lost {
		for who, op := range map[string]string{"guest": opGuestPlace, "customer": opCustomerPlace} {
			t.Run(name+" "+who, func(t *testing.T) {
				r.reconnect(t)
				s := r.guest
				if who == "customer" {
					s = r.customer()
				}
				cart := r.shipped(t, s)
				ref, err := r.ports.Checkout.Prepare(t.Context(), s, cart.ID)
				require.NoError(t, err)
				r.reset()
				r.on(op, tc.act)
				_, err = r.ports.Checkout.Place(t.Context(), s, ref, r.fixture.Payment)
				require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
				require.Contains(t, []error{commerce.ErrUnavailable, commerce.ErrTimeout}, commerce.KindOf(err))
				assert.Equal(t, 1, r.count(op), "once on the wire")

				found, err := r.ports.Checkout.Reconcile(t.Context(), s, ref)
				if !tc.executed {
					require.ErrorIs(t, err, commerce.ErrNotFound)
					return
				}
				require.NoError(t, err)
				assert.True(t, found.Total.Equal(cart.Totals.Total))
			})
		}
	}
}

// Refusals that name their reason prove that there is no order.
func TestPlaceTellsARefusalFromALostAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, tc := range map[string]struct {
		status int
		body   string
		kind   error
		field  string
	}{
		"payment":     {400, `{"message":"The requested Payment Method is not available."}`, commerce.ErrInvalid, "paymentMethod"},
		"stock":       {400, `{"message":"The requested qty is not available"}`, commerce.ErrInvalid, "quantity"},
		"credentials": {401, `{"message":"The consumer isn't authorized to access %resources.","parameters":{"resources":"x"}}`, commerce.ErrUnavailable, ""},
		"throttled":   {429, `{"message":"Too Many Requests","trace":null}`, commerce.ErrRateLimited, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r.reconnect(t)
			cart := r.shipped(t, r.guest)
			ref, err := r.ports.Checkout.Prepare(t.Context(), r.guest, cart.ID)
			require.NoError(t, err)
			r.reset()
			r.on(opGuestPlace, forge(false, tc.status, "application/json", tc.body))
			_, err = r.ports.Checkout.Place(t.Context(), r.guest, ref, r.fixture.Payment)
			require.ErrorIs(t, err, tc.kind)
			require.NotErrorIs(t, err, commerce.ErrOutcomeUnknown)
			if tc.field != "" {
				assert.Equal(t, tc.field, inputError(t, err).Field)
			}
			assert.Equal(t, 1, r.count(opGuestPlace))
		})
	}
}

func TestAPlacedOrderIsNeverReportedAsFailed(t *testing.T) {
	t.Parallel()
	unavailable := forge(false, 503, "text/html", html)
	for name, tc := range map[string]struct {
		broken  []string
		unknown bool
	}{
		"the order cannot be read, but found": {[]string{opOrder}, false},
		"neither":                             {[]string{opOrder, opSearchOrders}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			cart := r.shipped(t, r.guest)
			ref, err := r.ports.Checkout.Prepare(t.Context(), r.guest, cart.ID)
			require.NoError(t, err)
			for _, op := range tc.broken {
				r.on(op, unavailable)
			}
			placed, err := r.ports.Checkout.Place(t.Context(), r.guest, ref, r.fixture.Payment)
			if !tc.unknown {
				require.NoError(t, err)
				assert.True(t, placed.Total.Equal(cart.Totals.Total))
				return
			}
			require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
			require.ErrorIs(t, err, commerce.ErrUnavailable)
			r.on(opSearchOrders, nil)
			found, err := r.ports.Checkout.Reconcile(t.Context(), r.guest, ref)
			require.NoError(t, err)
			assert.Equal(t, r.fixture.Email, found.Email)
		})
	}
}

func TestAnOrderOfAnotherCartIsNotTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.shipped(t, r.guest)
	ref, err := r.ports.Checkout.Prepare(t.Context(), r.guest, first.ID)
	require.NoError(t, err)
	placed, err := r.ports.Checkout.Place(t.Context(), r.guest, ref, r.fixture.Payment)
	require.NoError(t, err)

	second := r.shipped(t, r.guest)
	ref, err = r.ports.Checkout.Prepare(t.Context(), r.guest, second.ID)
	require.NoError(t, err)
	r.on(opGuestPlace, forge(true, 200, "application/json", `"1"`)) // somebody else's order
	mine, err := r.ports.Checkout.Place(t.Context(), r.guest, ref, r.fixture.Payment)
	require.NoError(t, err)
	assert.NotEqual(t, placed.Number, mine.Number)
	found, err := r.ports.Checkout.Reconcile(t.Context(), r.guest, ref)
	require.NoError(t, err)
	assert.Equal(t, mine, found)
}

func TestPlaceWantsWhatPrepareAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.shipped(t, r.guest)
	other := r.shipped(t, r.guest)
	ref, err := r.ports.Checkout.Prepare(t.Context(), r.guest, other.ID)
	require.NoError(t, err)
	r.reset()
	_, err = r.ports.Checkout.Place(t.Context(), r.guest, commerce.CheckoutRef{Cart: cart.ID, Key: ref.Key}, r.fixture.Payment)
	require.ErrorIs(t, err, commerce.ErrNotFound)
	assert.Empty(t, r.writes())
}

func TestReconcileIsTheOwners(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.customer()
	cart := r.shipped(t, s)
	ref, err := r.ports.Checkout.Prepare(t.Context(), s, cart.ID)
	require.NoError(t, err)
	_, err = r.ports.Checkout.Place(t.Context(), s, ref, r.fixture.Payment)
	require.NoError(t, err)
	for name, p := range map[string]commerce.Principal{"neighbor": r.fixture.Neighbor, "nobody": r.fixture.Nobody, "anonymous": {}} {
		_, err := r.ports.Checkout.Reconcile(t.Context(), commerce.Shopper{Market: r.fixture.Market, Principal: p}, ref)
		require.ErrorIs(t, err, commerce.ErrNotFound, name)
	}
	for name, forged := range map[string]commerce.CheckoutRef{
		"as a guest's":  {Cart: "g_abcdefghijklmnopqrstuvwxyzABCDEF", Key: ref.Key},
		"another key":   {Cart: ref.Cart, Key: "777"},
		"not a number":  {Cart: ref.Cart, Key: "1 or 1"},
		"without a key": {Cart: ref.Cart},
	} {
		_, err := r.ports.Checkout.Reconcile(t.Context(), s, forged)
		require.ErrorIs(t, err, commerce.ErrNotFound, name)
	}
}

func TestPrepareNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart, err := r.ports.Carts.Create(t.Context(), r.guest)
	require.NoError(t, err)
	_, err = r.ports.Checkout.Prepare(t.Context(), r.guest, cart.ID)
	assert.Equal(t, commerce.CodeCartEmpty, inputError(t, err).Code)
	filled := r.filled(t, r.guest)
	_, err = r.ports.Checkout.Prepare(t.Context(), r.guest, filled.ID)
	assert.Equal(t, commerce.CodeShippingMissing, inputError(t, err).Code)
}

func TestWritesThatLoseTheirAnswerAreNotRepeated(t *testing.T) {
	t.Parallel()
	const op = "POST /V1/guest-carts/{id}/items"
	r := newRig(t)
	cart := r.filled(t, r.guest)
	for name, act := range map[string]disturb{
		"cut": cut, "cut after": cutAfter, "503": forge(false, http.StatusServiceUnavailable, "text/html", html),
		"truncated": truncated, "HTML": forge(true, 200, "text/html", html),
	} {
		r.reconnect(t)
		r.reset()
		r.on(op, act)
		_, err := r.ports.CartLines.AddLine(t.Context(), r.guest, cart.ID, r.fixture.Products[1], 1)
		require.ErrorIs(t, err, commerce.ErrOutcomeUnknown, name)
		assert.Equal(t, 1, r.count(op), name)
	}
	r.reconnect(t)
	r.on(op, nil)
	r.on("GET /V1/guest-carts/{id}/totals", forge(false, 503, "text/html", html))
	_, err := r.ports.CartLines.AddLine(t.Context(), r.guest, cart.ID, r.fixture.Products[2], 1)
	require.ErrorIs(t, err, commerce.ErrOutcomeUnknown, "it was added, but the cart cannot be shown")
}

// K5: however many ask at once, a cart becomes one order.
func TestK5_ParallelPlacesAreOneOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.shipped(t, r.customer())
	ref, err := r.ports.Checkout.Prepare(t.Context(), r.customer(), cart.ID)
	require.NoError(t, err)
	r.reset()
	var placed atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_, err := r.ports.Checkout.Place(t.Context(), r.customer(), ref, r.fixture.Payment)
			if err == nil {
				placed.Add(1)
				return
			}
			assert.ErrorIs(t, err, commerce.ErrNotFound, "the cart is gone")
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), placed.Load())
	assert.Equal(t, 1, r.count(opCustomerPlace))
}

// A shopper who leaves while the order is being placed has not been told "no".
func TestLeavingWhileTheOrderIsPlacedLeavesItOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.shipped(t, r.guest)
	ref, err := r.ports.Checkout.Prepare(t.Context(), r.guest, cart.ID)
	require.NoError(t, err)
	ctx, leave := context.WithCancel(t.Context())
	r.on(opGuestPlace, func(w http.ResponseWriter, answer func() *httptest.ResponseRecorder) {
		rec := answer()
		leave()
		_, _ = w.Write(rec.Body.Bytes()[:1])
		panic(http.ErrAbortHandler)
	})
	_, err = r.ports.Checkout.Place(ctx, r.guest, ref, r.fixture.Payment)
	require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
	_, err = r.ports.Checkout.Reconcile(t.Context(), r.guest, ref)
	require.NoError(t, err)
}
