package bffmobile

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

const longKey = "0123456789abcdef0123456789abcdef"

func keyed(key string, more ...string) []string {
	return append([]string{"Idempotency-Key", key}, more...)
}

func TestK1_IdempotencyKey(t *testing.T) {
	t.Parallel()
	add := func(body string, headers ...string) call {
		return call{"POST", "/v1/carts/" + guestCart + "/lines", body, headers}
	}
	t.Run("replayed", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.filled(t)
		first := s.checked(t, add(`{"sku":"BOWL-1","quantity":1}`, keyed("k")...))
		require.Empty(t, first.Header.Get("Idempotent-Replayed"))
		again := s.checked(t, add(`{"sku":"BOWL-1","quantity":1}`, keyed("k")...))
		require.Equal(t, first.Raw, again.Raw)
		require.Equal(t, first.Status, again.Status)
		require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		require.Equal(t, 2, s.Calls(commerce.OpLineAdd), "one to fill, one here")
	})
	t.Run("another body", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.filled(t)
		s.ok(t, add(`{"sku":"BOWL-1","quantity":1}`, keyed("k")...))
		other := s.checked(t, add(`{"sku":"BOWL-1","quantity":2}`, keyed("k")...))
		require.Equal(t, http.StatusUnprocessableEntity, other.Status)
		golden(t, "problem-key-reused", other)
	})
	t.Run("in flight", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.filled(t)
		entered, leave := make(chan struct{}), make(chan struct{})
		s.Hold(commerce.OpLineAdd, func(context.Context) { close(entered); <-leave })
		done := make(chan int)
		request := add(`{"sku":"BOWL-1","quantity":1}`, keyed("k")...).request(t)
		go func() { done <- s.quietly(request) }()
		<-entered
		busy := s.checked(t, add(`{"sku":"BOWL-1","quantity":1}`, keyed("k")...))
		require.Equal(t, http.StatusConflict, busy.Status)
		golden(t, "problem-in-flight", busy)
		close(leave)
		require.Equal(t, http.StatusOK, <-done)
	})
	t.Run("a refusal is replayed, an outage is not", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		s.filled(t)
		for _, replayed := range []string{"", "true"} {
			refused := s.checked(t, add(`{"sku":"NO-SUCH","quantity":1}`, keyed("k")...))
			require.Equal(t, http.StatusBadRequest, refused.Status)
			require.Equal(t, replayed, refused.Header.Get("Idempotent-Replayed"))
			require.Equal(t, "no-store", refused.Header.Get("Cache-Control"))
			require.Empty(t, refused.Header.Get("Content-Language"))
		}
		require.Equal(t, 2, s.Calls(commerce.OpLineAdd))
		s.Fail(commerce.OpLineAdd, commerce.ErrUnavailable)
		require.Equal(t, http.StatusServiceUnavailable, s.checked(t, add(`{"sku":"BOWL-1","quantity":1}`, keyed("k2")...)).Status)
		s.Fail(commerce.OpLineAdd, nil)
		require.Equal(t, http.StatusOK, s.checked(t, add(`{"sku":"BOWL-1","quantity":1}`, keyed("k2")...)).Status)
	})
	t.Run("a guest's new cart needs a long key", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		short := s.checked(t, call{"POST", "/v1/carts", `{}`, keyed("short")})
		require.Equal(t, http.StatusBadRequest, short.Status)
		require.Contains(t, short.Raw, `"field":"Idempotency-Key"`)
		first := s.ok(t, call{"POST", "/v1/carts", `{}`, keyed(longKey)})
		require.Equal(t, first.Raw, s.ok(t, call{"POST", "/v1/carts", `{}`, keyed(longKey)}).Raw)
		require.Equal(t, 1, s.Calls(commerce.OpCartCreate))
	})
	t.Run("every write takes a key", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		cart := s.filled(t)
		for _, c := range []call{
			{"PATCH", cart + "/lines/1002", `{"quantity":1}`, keyed("a")},
			{"PUT", cart + "/coupon", `{"code":"WELCOME10"}`, keyed("b")},
			{"DELETE", cart + "/coupon", "", keyed("c")},
			{"POST", cart + "/shipping-options", `{"address":` + seattle + `}`, keyed("d")},
			{"PUT", cart + "/shipping", `{"email":"a@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`, keyed("e")},
			{"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, keyed("f")},
		} {
			first := s.checked(t, c)
			require.Less(t, first.Status, 300, first.Raw)
			calls := s.TotalCalls()
			again := s.checked(t, c)
			require.Equal(t, first.Raw, again.Raw)
			require.Equal(t, first.Status, again.Status)
			require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
			require.Equal(t, calls, s.TotalCalls(), "%s %s", c.method, c.path)
		}
	})
}

func TestK2_KeysBelongToTheirCaller(t *testing.T) {
	t.Parallel()
	s := open(t)
	create := func(who string) answer {
		return s.checked(t, call{"POST", "/v1/carts", `{}`, keyed(longKey, "Authorization", who)})
	}
	ann, bob := create("Bearer C1"), create("Bearer C2")
	require.NotEqual(t, ann.Raw, bob.Raw)
	require.Empty(t, bob.Header.Get("Idempotent-Replayed"))
	guest := s.checked(t, call{"POST", "/v1/carts", `{}`, keyed(longKey)})
	require.Empty(t, guest.Header.Get("Idempotent-Replayed"))
	require.Contains(t, guest.Raw, `"id":"g_`)
	require.Empty(t, guest.Header.Values("Set-Cookie"))
}

func TestAnUnknownOutcomeIsNeverAFailure(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = 3 * time.Second })
	cart := s.filled(t)
	s.ok(t, call{"PUT", cart + "/shipping", `{"email":"a@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`, nil})
	lost := &commerce.CallError{System: "shop", Operation: commerce.OpPlace, Kind: commerce.ErrTimeout, Err: commerce.ErrOutcomeUnknown}
	s.Fail(commerce.OpPlace, lost)
	s.Fail(commerce.OpReconcile, commerce.ErrUnavailable)
	a := s.checked(t, call{"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, keyed("k")})
	require.Equal(t, http.StatusAccepted, a.Status, a.Raw)
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	golden(t, "order-pending", a)
}

// Whoever is not the owner does not find it.
func TestOwnership(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.filled(t)
	var cart struct{ ID string }
	own := s.ok(t, call{"POST", "/v1/carts", `{}`, []string{"Authorization", "Bearer C1"}})
	require.NoError(t, json.Unmarshal([]byte(own.Raw), &cart))
	require.True(t, strings.HasPrefix(cart.ID, "c_"), own.Raw)
	s.ok(t, call{"PUT", "/v1/carts/" + guestCart + "/shipping", `{"email":"g@example.test","shippingAddress":` + seattle + `,"methodCode":"post.ground"}`, nil})
	placed := s.ok(t, call{"POST", "/v1/carts/" + guestCart + "/order", `{"paymentMethod":"checkmo"}`, keyed("k")})
	var order struct{ Number, OrderToken string }
	require.NoError(t, json.Unmarshal([]byte(placed.Raw), &order))

	callers := map[string][]string{
		"nobody": nil, "owner": {"Authorization", "Bearer C1"}, "neighbor": {"Authorization", "Bearer C2"}, "stranger": {"Authorization", "Bearer C9"},
		"token": {"X-Order-Token", order.OrderToken}, "bad token": {"X-Order-Token", "AAAA"},
	}
	for what, c := range map[string]struct {
		call
		allowed []string
	}{
		"customer's cart":   {get("/v1/screens/cart/" + cart.ID), []string{"owner"}},
		"its line":          {call{"POST", "/v1/carts/" + cart.ID + "/lines", `{"sku":"BOWL-1","quantity":1}`, nil}, []string{"owner"}},
		"its coupon":        {call{"PUT", "/v1/carts/" + cart.ID + "/coupon", `{"code":"WELCOME10"}`, nil}, []string{"owner"}},
		"its shipping":      {call{"POST", "/v1/carts/" + cart.ID + "/shipping-options", `{"address":` + seattle + `}`, nil}, []string{"owner"}},
		"customer's order":  {get("/v1/orders/000000007"), []string{"owner"}},
		"guest's order":     {get("/v1/orders/" + order.Number), []string{"token"}},
		"order of nobody's": {get("/v1/orders/000099999"), nil},
	} {
		for who, headers := range callers {
			t.Run(what+" by "+who, func(t *testing.T) {
				in := c.call
				in.headers = headers
				a := s.checked(t, in)
				for _, name := range c.allowed {
					if name == who {
						require.Equal(t, http.StatusOK, a.Status, a.Raw)
						return
					}
				}
				require.Equal(t, http.StatusNotFound, a.Status, a.Raw)
			})
		}
	}
	neighbor := s.checked(t, get("/v1/orders", "Authorization", "Bearer C2"))
	require.Contains(t, neighbor.Raw, `"items":[]`)
	require.NotContains(t, s.log.String(), order.OrderToken)
	require.NotContains(t, s.log.String(), strings.TrimPrefix(guestCart, "g_"), "a guest's cart id is a secret")
}
