package magento_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/magento"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func inputError(t *testing.T, err error) *commerce.InputError {
	t.Helper()
	input, ok := errors.AsType[*commerce.InputError](err)
	require.True(t, ok, "want an InputError, got: %v", err)
	return input
}

// everyCall tries every operation on a cart.
func everyCall(ctx context.Context, r *rig, s commerce.Shopper, id commerce.CartID) map[string]error {
	errs := map[string]error{}
	_, errs["read"] = r.ports.Carts.Cart(ctx, s, id)
	_, errs["add"] = r.ports.CartLines.AddLine(ctx, s, id, r.fixture.Products[1], 1)
	_, errs["set"] = r.ports.CartLines.SetLine(ctx, s, id, "1", 5)
	_, errs["remove"] = r.ports.CartLines.RemoveLine(ctx, s, id, "1")
	_, errs["coupon"] = r.ports.CartCoupons.ApplyCoupon(ctx, s, id, r.fixture.Coupon)
	_, errs["no coupon"] = r.ports.CartCoupons.RemoveCoupon(ctx, s, id)
	_, errs["options"] = r.ports.CheckoutOptions.ShippingOptions(ctx, s, id, r.fixture.Address)
	choice := commerce.ShippingChoice{Email: r.fixture.Email, Shipping: r.fixture.Address, Code: "xrq_ground"}
	_, errs["ship"] = r.ports.CheckoutOptions.SetShipping(ctx, s, id, choice)
	_, errs["prepare"] = r.ports.Checkout.Prepare(ctx, s, id)
	_, errs["place"] = r.ports.Checkout.Place(ctx, s, commerce.CheckoutRef{Cart: id, Key: strings.TrimPrefix(string(id), "c_")}, r.fixture.Payment)
	return errs
}

// Whose cart it is, is settled before anything is changed: caller × cart.
func TestOwnership(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.shipped(t, r.customer())
	guests := r.shipped(t, r.guest)
	guestRef, err := r.ports.Checkout.Prepare(t.Context(), r.guest, guests.ID)
	require.NoError(t, err)
	number := strings.TrimPrefix(string(cart.ID), "c_")
	unverified := r.fixture.Customer
	unverified.EmailVerified = false
	none := r.fixture.Customer
	none.Email = ""
	for name, tc := range map[string]struct {
		who   commerce.Principal
		id    commerce.CartID
		calls bool // whether the shop may be asked at all
	}{
		"anonymous":             {commerce.Principal{}, cart.ID, false},
		"unverified e-mail":     {unverified, cart.ID, false},
		"no e-mail":             {none, cart.ID, false},
		"neighbor":              {r.fixture.Neighbor, cart.ID, true},
		"unknown to the shop":   {r.fixture.Nobody, cart.ID, true},
		"a guest's by number":   {r.fixture.Customer, commerce.CartID("c_" + guestRef.Key), true},
		"no such cart":          {r.fixture.Customer, "c_999999", true},
		"not a number":          {r.fixture.Customer, "c_1x", false},
		"huge number":           {r.fixture.Customer, "c_99999999999999999999", false},
		"as a guest's":          {r.fixture.Customer, commerce.CartID("g_" + number), false},
		"guest id as customer":  {r.fixture.Customer, commerce.CartID("c_" + strings.TrimPrefix(string(guests.ID), "g_")), false},
		"a path":                {commerce.Principal{}, "g_../../V1/orders/1aaaaaaaaaaaa", false},
		"no such guest's":       {commerce.Principal{}, "g_abcdefghijklmnopqrstuvwxyzABCDEF", true},
		"neither guest nor own": {r.fixture.Customer, "x_1", false},
	} {
		t.Run(name, func(t *testing.T) {
			r.reset()
			s := commerce.Shopper{Market: r.fixture.Market, Principal: tc.who}
			for op, err := range everyCall(t.Context(), r, s, tc.id) {
				require.ErrorIs(t, err, commerce.ErrNotFound, op)
			}
			if !tc.calls {
				assert.Zero(t, r.count(""))
			}
			if tc.id.Guest() { // a guest's id is a secret: writing with a wrong one finds nothing to change
				return
			}
			assert.Empty(t, r.writes())
		})
	}
	after, err := r.ports.Carts.Cart(t.Context(), r.customer(), cart.ID)
	require.NoError(t, err)
	assert.Equal(t, cart, after)
}

func TestAGuestCartIsForWhoeverHoldsItsID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.filled(t, r.guest)
	same, err := r.ports.CartLines.AddLine(t.Context(), r.customer(), cart.ID, r.fixture.Products[0], 1)
	require.NoError(t, err)
	assert.Equal(t, cart.ID, same.ID)
	assert.Equal(t, 3, same.Quantity())
}

func TestCredentialsGoToAdminRoutesOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.shipped(t, r.guest)
	r.shipped(t, r.customer())
	nonces := map[string]bool{}
	for i, header := range r.headers {
		authorization := header.Get("Authorization")
		if strings.Contains(r.calls[i], "guest-carts") || strings.Contains(r.calls[i], "directory") {
			assert.Empty(t, authorization, r.calls[i])
			continue
		}
		require.True(t, strings.HasPrefix(authorization, "OAuth "), r.calls[i])
		_, nonce, _ := strings.Cut(authorization, `oauth_nonce="`)
		nonce, _, _ = strings.Cut(nonce, `"`)
		assert.False(t, nonces[nonce], "a nonce is used once")
		nonces[nonce] = true
	}
	assert.NotEmpty(t, nonces)
}

func TestCallsOfACartRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	filled := r.filled(t, r.guest)
	r.reset()
	_, err := r.ports.Carts.Cart(t.Context(), r.guest, filled.ID)
	require.NoError(t, err)
	assert.Equal(t, 2, r.count(""), "cart and totals")
	shipped := r.shipped(t, r.customer())
	r.reset()
	_, err = r.ports.Carts.Cart(t.Context(), r.customer(), shipped.ID)
	require.NoError(t, err)
	assert.Equal(t, 3, r.count(""), "and the payments; the customer's id is known by now")
}

func TestIDClaim(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *magento.Config) { cfg.IDClaim = "magento_id" })
	p := commerce.Principal{Tenant: "default", Subject: "x", Claims: map[string]string{"magento_id": "1"}}
	s := commerce.Shopper{Market: r.fixture.Market, Principal: p}
	r.filled(t, s)
	assert.Zero(t, r.count("GET /V1/customers/search"))
	for _, bad := range []string{"", "0", "-1", "1/carts", "x", "1.5"} {
		s.Principal.Claims = map[string]string{"magento_id": bad, "email": "1"}
		r.reset()
		_, err := r.ports.Carts.Create(t.Context(), s)
		require.ErrorIs(t, err, commerce.ErrNotFound, bad)
		assert.Zero(t, r.count(""))
	}
}

// Magento compares addresses without regard to case, and a search may answer more.
func TestACustomerIsFoundByExactlyTheAddress(t *testing.T) {
	t.Parallel()
	const op = "GET /V1/customers/search"
	r := newRig(t)
	for name, tc := range map[string]struct {
		body  string
		found bool
	}{
		"other case":   {`{"items":[{"id":7,"email":"ANN@example.test"}],"total_count":1}`, false},
		"another":      {`{"items":[{"id":7,"email":"bob@example.test"}],"total_count":1}`, false},
		"none":         {`{"items":[],"total_count":0}`, false},
		"null":         {`{"items":null,"total_count":0}`, false},
		"two accounts": {`{"items":[{"id":7,"email":"ann@example.test"},{"id":8,"email":"ann@example.test"}],"total_count":2}`, false},
		"no id":        {`{"items":[{"id":null,"email":"ann@example.test"}],"total_count":1}`, false},
		"among others": {`{"items":[{"id":8,"email":"joann@example.test"},{"id":7,"email":"ann@example.test"}],"total_count":2}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			r.on(op, forge(false, 200, "application/json", tc.body))
			p := commerce.Principal{Tenant: "default", Subject: name, Email: "ann@example.test", EmailVerified: true}
			_, err := r.ports.Carts.Create(t.Context(), commerce.Shopper{Market: r.fixture.Market, Principal: p})
			assert.Equal(t, tc.found, err == nil, "%v", err)
			if !tc.found {
				require.ErrorIs(t, err, commerce.ErrNotFound)
			}
		})
	}
}

func TestAFailedLookUpIsNotAStranger(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.on("GET /V1/customers/search", forge(false, 503, "text/html", html))
	_, err := r.ports.Carts.Create(t.Context(), r.customer())
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	_, err = r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Customer, commerce.Cursor{First: 5})
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	r.on("GET /V1/customers/search", nil)
	_, err = r.ports.Carts.Create(t.Context(), r.customer())
	require.NoError(t, err, "a failure is not remembered")
}

// N16: what is not a cart is an error, never half a cart.
func TestN16_BadAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.shipped(t, r.guest)
	for name, tc := range map[string]struct {
		op   string
		act  disturb
		kind error
	}{
		"HTML 503":        {opGuestCart, forge(false, 503, "text/html", html), commerce.ErrUnavailable},
		"HTML 200":        {opGuestCart, forge(false, 200, "text/html", html), commerce.ErrUpstream},
		"HTML 404":        {opGuestCart, forge(false, 404, "text/html", html), commerce.ErrUpstream},
		"truncated":       {opGuestCart, truncated, commerce.ErrUpstream},
		"no such route":   {opGuestCart, forge(false, 404, "application/json", `{"message":"Request does not match any route."}`), commerce.ErrUpstream},
		"fatal":           {opGuestCart, forge(false, 400, "application/json", `{"messages":{"error":[{"code":500,"message":"x"}]}}`), commerce.ErrInvalid},
		"empty":           {opGuestCart, forge(false, 200, "application/json", ``), commerce.ErrUpstream},
		"null":            {opGuestCart, forge(false, 200, "application/json", `null`), commerce.ErrUpstream},
		"a list":          {opGuestCart, forge(false, 200, "application/json", `[]`), commerce.ErrUpstream},
		"no currency":     {opGuestCart, forge(false, 200, "application/json", `{"id":1,"is_active":true,"items":[]}`), commerce.ErrUpstream},
		"no state":        {opGuestCart, forge(false, 200, "application/json", `{"id":1,"items":[]}`), commerce.ErrUpstream},
		"other currency":  {"GET /V1/guest-carts/{id}/totals", forge(false, 200, "application/json", `{"grand_total":1,"subtotal":1,"quote_currency_code":"EUR"}`), commerce.ErrUpstream},
		"totals missing":  {"GET /V1/guest-carts/{id}/totals", forge(false, 200, "application/json", `{"quote_currency_code":"USD"}`), commerce.ErrUpstream},
		"total is text":   {"GET /V1/guest-carts/{id}/totals", forge(false, 200, "application/json", `{"grand_total":"many","subtotal":1,"quote_currency_code":"USD"}`), commerce.ErrUpstream},
		"total is huge":   {"GET /V1/guest-carts/{id}/totals", forge(false, 200, "application/json", `{"grand_total":1e999999,"subtotal":1,"quote_currency_code":"USD"}`), commerce.ErrUpstream},
		"payments broken": {"GET /V1/guest-carts/{id}/payment-methods", forge(false, 200, "application/json", `{"code":1}`), commerce.ErrUpstream},
	} {
		r.reconnect(t)
		r.on(tc.op, tc.act)
		got, err := r.ports.Carts.Cart(t.Context(), r.guest, cart.ID)
		require.ErrorIs(t, err, tc.kind, name)
		assert.Nil(t, got, name)
		r.on(tc.op, nil)
	}
}

func TestRefusedCredentialsAreNotTheShoppersFault(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *magento.Config) { cfg.TokenSecret = "wrong" })
	_, err := r.ports.Carts.Create(t.Context(), r.customer())
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	require.NotErrorIs(t, err, commerce.ErrUnauthenticated)
	_, err = r.ports.Carts.Create(t.Context(), r.guest)
	require.NoError(t, err, "guests need no credentials")
}

func TestACallerWhoLeftIsToldSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.filled(t, r.guest)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.ports.Carts.Cart(ctx, r.guest, cart.ID)
	require.ErrorIs(t, err, context.Canceled)
}

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	_, err := magento.New(magento.Config{Stores: map[string]string{"XXX": "a", "USD": "../all"}}, transport.Deps{})
	require.Error(t, err)
	for _, part := range []string{"BASE_URL", "CONSUMER_KEY", "CONSUMER_SECRET", "TOKEN ", "TOKEN_SECRET", "STORES"} {
		assert.Contains(t, err.Error(), part)
	}
	r := newRig(t, func(cfg *magento.Config) { cfg.Stores = map[string]string{"USD": "default"} })
	_, err = r.ports.Carts.Create(t.Context(), commerce.Shopper{Market: r.fixture.Other})
	assert.Equal(t, commerce.CodeUnsupported, inputError(t, err).Code)
	assert.Zero(t, r.count(""))
}

// N20: a guest's id is a secret wherever things go wrong.
func TestN20_AGuestsSecretIsInNoErrorAndNoLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cart := r.shipped(t, r.guest)
	ref, err := r.ports.Checkout.Prepare(t.Context(), r.guest, cart.ID)
	require.NoError(t, err)
	secret := strings.TrimPrefix(string(cart.ID), "g_")
	echo := func(status int, contentType string) disturb {
		return forge(false, status, contentType, `{"message":"No %1 like `+secret+` for cartId","parameters":["`+secret+`"]}`)
	}
	acts := map[string]disturb{
		"as it is": nil, "cut": cut, "cut after": cutAfter, "truncated": truncated,
		"400": echo(400, "application/json"), "404": echo(404, "application/json"), "409": echo(409, "application/json"),
		"500": echo(500, "application/json"), "503 HTML": echo(503, "text/html"), "200": echo(200, "application/json"),
		"200 HTML": echo(200, "text/html"), "302": func(w http.ResponseWriter, _ func() *httptest.ResponseRecorder) {
			w.Header().Set("Location", "/magento/rest/default/V1/guest-carts/"+secret)
			w.WriteHeader(http.StatusFound)
		},
	}
	operations := []string{
		opGuestCart, opGuestPlace, "GET /V1/guest-carts/{id}/totals", "GET /V1/guest-carts/{id}/payment-methods",
		"POST /V1/guest-carts/{id}/items", "PUT /V1/guest-carts/{id}/items/{itemId}", "DELETE /V1/guest-carts/{id}/items/{itemId}",
		"PUT /V1/guest-carts/{id}/coupons/{code}", "DELETE /V1/guest-carts/{id}/coupons",
		"POST /V1/guest-carts/{id}/estimate-shipping-methods", "POST /V1/guest-carts/{id}/shipping-information",
		"GET /V1/customers/search",
	}
	failures := 0
	for name, act := range acts {
		r.reconnect(t)
		for _, op := range operations {
			r.on(op, act)
		}
		for op, err := range everyCall(t.Context(), r, r.guest, cart.ID) {
			if err != nil {
				failures++
				assert.NotContains(t, err.Error(), secret, name+" "+op)
			}
		}
		_, merge := r.ports.Carts.Merge(t.Context(), r.customer(), cart.ID)
		_, place := r.ports.Checkout.Place(t.Context(), r.guest, ref, r.fixture.Payment)
		_, orders := r.ports.PlacedOrders.Orders(t.Context(), r.fixture.Customer, commerce.Cursor{First: 1})
		for _, err := range []error{merge, place, orders} {
			if err != nil {
				assert.NotContains(t, err.Error(), secret, name)
				assert.NotContains(t, err.Error(), r.fixture.Customer.Email, name)
			}
		}
	}
	assert.Greater(t, failures, 80)
	assert.NotEmpty(t, r.log.String(), "failed calls are logged")
	assert.NotContains(t, r.log.String(), secret)
	assert.NotContains(t, r.log.String(), r.fixture.Email)
	assert.NotContains(t, r.log.String(), r.fixture.Customer.Email)
	assert.NotContains(t, r.log.String(), url.QueryEscape(r.fixture.Customer.Email))
	assert.NotContains(t, r.log.String(), "sandbox-token-secret")
}
